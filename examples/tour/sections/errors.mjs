/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const errors = {
  title: "An error stays where it is caught",
  about: "Task 1 catches its error and goes on; Task 2 never hears of it.",
  file: "examples/errors.async.mjs",
  seconds: 2,

  async main() {
    await asyncio.gather(start("Task 1"), start("Task 2"));
  },
};

/** @param {string} name */
function start(name) {
  return asyncio.createTask(() => worker(name), { name });
}

/** @param {string} name */
async function worker(name) {
  say(`${name} started`);
  try {
    await fetchPage(name);
  } catch (error) {
    asyncio.rethrowIfCancelled(error);
    say(`${name} caught: ${error.message}`);
  }
  await asyncio.sleep(1);
  say(`${name} finished`);
}

/** @param {string} name */
async function fetchPage(name) {
  await asyncio.sleep(1);
  if (name === "Task 1") throw new Error("no connection");
}
