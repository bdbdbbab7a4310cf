/** Waiting for many at once, each of which gives way once. @module */

// oxlint-disable typescript/await-thenable -- to give way is what is measured

import { ASYNC, EFFECT, EFFECTION, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const gather100k = {
  name: "gather-100k",
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
  python: "gather.py",
};

function generators({ tasks }, asyncio) {
  const worker = asyncio.coroutine(function* () {
    yield* asyncio.sleep(0);
    return 1;
  });
  return asyncio.run(function* () {
    const start = now();
    const results = yield* asyncio.gather(times(tasks, worker));
    return nanosecondsEach(start, results.length);
  });
}

function asyncFunctions({ tasks }, asyncio) {
  const worker = asyncio.coroutine(async () => {
    await asyncio.sleep(0);
    return 1;
  });
  return asyncio.run(async () => {
    const start = now();
    const results = await asyncio.gather(times(tasks, worker));
    return nanosecondsEach(start, results.length);
  });
}

async function nativeWorker() {
  await undefined;
  return 1;
}

async function native({ tasks }) {
  const start = now();
  const results = await Promise.all(times(tasks, nativeWorker));
  return nanosecondsEach(start, results.length);
}

function effect({ tasks }, { Effect }) {
  const worker = Effect.gen(function* () {
    yield* Effect.yieldNow;
    return 1;
  });
  const main = Effect.gen(function* () {
    const start = now();
    const results = yield* Effect.all(
      times(tasks, () => worker),
      { concurrency: "unbounded" },
    );
    return nanosecondsEach(start, results.length);
  });
  return Effect.runPromise(main);
}

function effection({ tasks }, { all, run, until }) {
  function* worker() {
    yield* until(Promise.resolve());
    return 1;
  }
  return run(function* () {
    const start = now();
    const results = yield* all(times(tasks, worker));
    return nanosecondsEach(start, results.length);
  });
}
