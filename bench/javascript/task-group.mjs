/** A group of many tasks, each of which gives way once; the group ends when they have. @module */

// oxlint-disable typescript/await-thenable -- to give way is what is measured

import { ASYNC, EFFECT, EFFECTION, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now } from "./measure.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const taskGroup100k = {
  name: "task-group-100k",
  unit: "ns per task",
  better: "lower",
  sizes: { full: { tasks: 100_000 }, quick: { tasks: 20_000 }, warmUp: { tasks: 10_000 } },
  programs: {
    [GENERATORS]: generators,
    [ASYNC]: asyncFunctions,
    [NATIVE]: native,
    [EFFECT]: effect,
    [EFFECTION]: effection,
  },
  python: "task-group.py",
};

function generators({ tasks }, asyncio) {
  function* worker() {
    yield* asyncio.sleep(0);
  }
  return asyncio.run(function* () {
    const start = now();
    // oxlint-disable-next-line require-yield -- a coroutine that never waits
    yield* asyncio.taskGroup(function* (group) {
      for (let i = 0; i < tasks; i++) group.createTask(worker);
    });
    return nanosecondsEach(start, tasks);
  });
}

function asyncFunctions({ tasks }, asyncio) {
  async function worker() {
    await asyncio.sleep(0);
  }
  return asyncio.run(async () => {
    const start = now();
    await asyncio.taskGroup(async (group) => {
      for (let i = 0; i < tasks; i++) group.createTask(worker);
    });
    return nanosecondsEach(start, tasks);
  });
}

async function nativeWorker() {
  await undefined;
}

async function native({ tasks }) {
  const start = now();
  const promises = [];
  for (let i = 0; i < tasks; i++) promises.push(nativeWorker());
  await Promise.all(promises);
  return nanosecondsEach(start, tasks);
}

function effect({ tasks }, { Effect, FiberSet }) {
  const main = Effect.gen(function* () {
    const start = now();
    const group = Effect.gen(function* () {
      const fibers = yield* FiberSet.make();
      for (let i = 0; i < tasks; i++) yield* FiberSet.run(fibers, Effect.yieldNow);
      yield* FiberSet.awaitEmpty(fibers);
    });
    yield* Effect.scoped(group);
    return nanosecondsEach(start, tasks);
  });
  return Effect.runPromise(main);
}

/** A scope halts what is left in it at its end: it has to wait for each before. */
function effection({ tasks }, { run, scoped, spawn, until }) {
  function* worker() {
    yield* until(Promise.resolve());
  }
  return run(function* () {
    const start = now();
    yield* scoped(function* () {
      const spawned = [];
      for (let i = 0; i < tasks; i++) spawned.push(yield* spawn(worker));
      for (const task of spawned) yield* task;
    });
    return nanosecondsEach(start, tasks);
  });
}
