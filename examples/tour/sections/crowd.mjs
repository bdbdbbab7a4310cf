/** @module */

import * as asyncio from "asyncio-ts";
import { heapBytes } from "../memory.mjs";
import { say } from "../say.mjs";

const COUNT = 10_000;

/** @type {import("../stage.mjs").Section} */
export const crowd = {
  title: "Ten thousand at once",
  about: "Each sleeps for a second of yours: first async functions, then generators.",
  seconds: 2.1,
  isCrowd: true,

  async main() {
    await measure("async functions", async () => {
      await asyncio.sleep(1);
    });
    await asyncio.sleep(0.1); // lets the first ten thousand be forgotten
    await measure("generators", function* () {
      yield* asyncio.sleep(1);
    });
  },
};

/**
 * @param {string} kind
 * @param {asyncio.CoroutineLike<void>} sleeper
 */
async function measure(kind, sleeper) {
  const before = heapBytes();
  const start = performance.now();
  const tasks = Array.from({ length: COUNT }, () => asyncio.createTask(sleeper));
  await asyncio.sleep(0.1); // by now all of them sleep
  const kilobytes = (heapBytes() - before) / COUNT / 1000;
  await asyncio.gather(tasks);
  const seconds = (performance.now() - start) / 1000;
  say(`${COUNT.toLocaleString("en")} ${kind}: ${seconds.toFixed(2)} s in all, ${kilobytes.toFixed(1)} kB a task`);
}
