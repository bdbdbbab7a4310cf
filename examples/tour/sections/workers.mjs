/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const workers = {
  title: "Three workers at once",
  about: "They need five, three and one seconds; all together, five.",
  file: "examples/workers.async.mjs",
  seconds: 5,

  async main() {
    await asyncio.gather(start("Task 1", 5), start("Task 2", 3), start("Task 3", 1));
  },
};

/** @param {string} name @param {number} delay */
function start(name, delay) {
  return asyncio.createTask(() => worker(name, delay), { name });
}

/** @param {string} name @param {number} delay */
async function worker(name, delay) {
  say(`${name} started`);
  await asyncio.sleep(delay);
  say(`${name} finished`);
}
