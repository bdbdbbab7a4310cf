/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const sleep = {
  title: "Who sleeps lets others run",
  about: "While one task sleeps for two seconds, another one counts, in the same thread.",
  file: "examples/sleep.async.mjs",
  seconds: 2,

  async main() {
    await asyncio.gather(
      asyncio.createTask(sleeper, { name: "sleeper" }),
      asyncio.createTask(counter, { name: "counter" }),
    );
  },
};

async function sleeper() {
  say("sleeper: good night");
  await asyncio.sleep(2);
  say("sleeper: good morning");
}

async function counter() {
  for (const number of [1, 2, 3]) {
    await asyncio.sleep(0.5);
    say(`counter: ${number}`);
  }
}
