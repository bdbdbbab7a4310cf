/** Cancelling many tasks that sleep, and waiting until they have ended. @module */

import { setTimeout as wait } from "node:timers/promises";
import { ASYNC, EFFECT, EFFECTION, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";

const HOUR_SECONDS = 3600;
const HOUR_MILLISECONDS = HOUR_SECONDS * 1000;

/** @type {import("../benchmark.mjs").Benchmark} */
export const cancel100k = {
  name: "cancel-100k",
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
  python: "cancel.py",
};

function generators({ tasks }, asyncio) {
  function* sleeper() {
    yield* asyncio.sleep(HOUR_SECONDS);
  }
  return asyncio.run(function* () {
    const sleepers = times(tasks, () => asyncio.createTask(sleeper));
    yield* asyncio.sleep(0.001);
    const start = now();
    for (const task of sleepers) task.cancel();
    yield* asyncio.gather(sleepers, { returnExceptions: true });
    return nanosecondsEach(start, tasks);
  });
}

function asyncFunctions({ tasks }, asyncio) {
  async function sleeper() {
    await asyncio.sleep(HOUR_SECONDS);
  }
  return asyncio.run(async () => {
    const sleepers = times(tasks, () => asyncio.createTask(sleeper));
    await asyncio.sleep(0.001);
    const start = now();
    for (const task of sleepers) task.cancel();
    await asyncio.gather(sleepers, { returnExceptions: true });
    return nanosecondsEach(start, tasks);
  });
}

async function nativeSleeper(signal) {
  await wait(HOUR_MILLISECONDS, undefined, { signal });
}

async function native({ tasks }) {
  const controllers = times(tasks, () => new AbortController());
  const promises = controllers.map(({ signal }) => nativeSleeper(signal));
  await wait(1);
  const start = now();
  for (const controller of controllers) controller.abort();
  await Promise.allSettled(promises);
  return nanosecondsEach(start, tasks);
}

function effect({ tasks }, { Effect, Fiber }) {
  const main = Effect.gen(function* () {
    const fibers = [];
    for (let i = 0; i < tasks; i++) fibers.push(yield* Effect.forkChild(Effect.sleep(HOUR_MILLISECONDS)));
    yield* Effect.sleep(1);
    const start = now();
    yield* Fiber.interruptAll(fibers);
    return nanosecondsEach(start, tasks);
  });
  return Effect.runPromise(main);
}

function effection({ tasks }, { run, sleep, spawn }) {
  function* sleeper() {
    yield* sleep(HOUR_MILLISECONDS);
  }
  return run(function* () {
    const sleepers = [];
    for (let i = 0; i < tasks; i++) sleepers.push(yield* spawn(sleeper));
    yield* sleep(1);
    const start = now();
    const halted = sleepers.map((task) => task.halt());
    for (const end of halted) yield* end;
    return nanosecondsEach(start, tasks);
  });
}
