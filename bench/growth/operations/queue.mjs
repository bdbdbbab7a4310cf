/** A queue takes n items, and gives them back. @module */

import { cpuMilliseconds } from "../../javascript/measure.mjs";
import { ASYNC, GENERATORS } from "../../subjects.mjs";

/** @type {import("../operation.mjs").Operation} */
export const fillQueue = {
  name: "growth-queue-fill",
  programs: { [GENERATORS]: generators, [ASYNC]: asyncFunctions },
  inPython: true,
};

function generators(n, asyncio) {
  return asyncio.run(function* () {
    const queue = new asyncio.Queue();
    const start = cpuMilliseconds();
    for (let i = 0; i < n; i++) yield* queue.put(i);
    for (let i = 0; i < n; i++) mustBe(yield* queue.get(), i);
    return cpuMilliseconds() - start;
  });
}

function asyncFunctions(n, asyncio) {
  return asyncio.run(async () => {
    const queue = new asyncio.Queue();
    const start = cpuMilliseconds();
    for (let i = 0; i < n; i++) await queue.put(i);
    for (let i = 0; i < n; i++) mustBe(await queue.get(), i);
    return cpuMilliseconds() - start;
  });
}

function mustBe(item, expected) {
  if (item !== expected) throw new Error(`The queue gave '${item}' in the place of '${expected}'`);
}
