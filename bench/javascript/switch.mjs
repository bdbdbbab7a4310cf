/** Switching between tasks: many that do nothing but give way. @module */

// oxlint-disable no-await-in-loop, typescript/await-thenable -- to wait in a loop is what is measured

import { AsyncLocalStorage } from "node:async_hooks";
import { ASYNC, GENERATORS, NATIVE, NATIVE_WITH_CONTEXT } from "../subjects.mjs";
import { now } from "./measure.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const switching = {
  name: "switch",
  unit: "ns per switch",
  better: "lower",
  sizes: {
    full: { tasks: 1000, turns: 1000 },
    quick: { tasks: 1000, turns: 200 },
    warmUp: { tasks: 1000, turns: 100 },
  },
  programs: {
    [GENERATORS]: generators,
    [ASYNC]: asyncFunctions,
    [NATIVE]: native,
    [NATIVE_WITH_CONTEXT]: nativeWithContext,
  },
  python: "switch.py",
};

function generators({ tasks, turns }, asyncio) {
  function* worker() {
    for (let i = 0; i < turns; i++) yield* asyncio.sleep(0);
  }
  return asyncio.run(function* () {
    const start = now();
    yield* asyncio.gather(Array.from({ length: tasks }, () => asyncio.createTask(worker)));
    return perSwitch(start, { tasks, turns });
  });
}

function asyncFunctions({ tasks, turns }, asyncio) {
  async function worker() {
    for (let i = 0; i < turns; i++) await asyncio.sleep(0);
  }
  return asyncio.run(async () => {
    const start = now();
    await asyncio.gather(Array.from({ length: tasks }, () => asyncio.createTask(worker)));
    return perSwitch(start, { tasks, turns });
  });
}

async function native({ tasks, turns }) {
  async function worker() {
    for (let i = 0; i < turns; i++) await undefined;
  }
  const start = now();
  await Promise.all(Array.from({ length: tasks }, () => worker()));
  return perSwitch(start, { tasks, turns });
}

async function nativeWithContext({ tasks, turns }) {
  const storage = new AsyncLocalStorage();
  async function worker() {
    for (let i = 0; i < turns; i++) await undefined;
  }
  const start = now();
  await Promise.all(Array.from({ length: tasks }, (_, task) => storage.run({ task }, worker)));
  return perSwitch(start, { tasks, turns });
}

function perSwitch(start, { tasks, turns }) {
  return ((now() - start) * 1e6) / (tasks * turns);
}
