/** What a task that sleeps occupies: the growth of the heap, garbage collected, over the number of tasks. @module */

import { setTimeout as turn } from "node:timers/promises";
import { ASYNC, GENERATORS, NATIVE } from "../subjects.mjs";

const HOUR_SECONDS = 3600;

/** @type {import("../benchmark.mjs").Benchmark} */
export const sleepingTaskMemory = {
  name: "sleeping-task-memory",
  unit: "bytes per task",
  better: "lower",
  sizes: { full: { tasks: 100_000 }, quick: { tasks: 20_000 }, warmUp: { tasks: 1000 } },
  programs: { [GENERATORS]: generators, [ASYNC]: asyncFunctions, [NATIVE]: native },
  python: "sleeping-task-memory.py",
};

function generators({ tasks }, asyncio) {
  function* sleeper() {
    yield* asyncio.sleep(HOUR_SECONDS);
  }
  return asyncio.run(function* () {
    const before = heapBytes();
    for (let i = 0; i < tasks; i++) asyncio.createTask(sleeper);
    yield* asyncio.sleep(0.001);
    return (heapBytes() - before) / tasks;
  });
}

function asyncFunctions({ tasks }, asyncio) {
  async function sleeper() {
    await asyncio.sleep(HOUR_SECONDS);
  }
  return asyncio.run(async () => {
    const before = heapBytes();
    for (let i = 0; i < tasks; i++) asyncio.createTask(sleeper);
    await asyncio.sleep(0.001);
    return (heapBytes() - before) / tasks;
  });
}

async function nativeSleeper() {
  await new Promise((resolve) => {
    setTimeout(resolve, HOUR_SECONDS * 1000);
  });
}

async function native({ tasks }) {
  const before = heapBytes();
  for (let i = 0; i < tasks; i++) void nativeSleeper();
  await turn(1);
  return (heapBytes() - before) / tasks;
}

function heapBytes() {
  // The second one takes what the first has finalized.
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
