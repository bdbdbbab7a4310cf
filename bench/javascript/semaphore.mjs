/** Tasks that share a few slots, take one in turn and give way while they have it. @module */

// oxlint-disable typescript/await-thenable -- to give way is what is measured

import { ASYNC, ASYNC_MUTEX, ASYNC_SEMA, EFFECT, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";
import { NativeSemaphore } from "./native.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const semaphore = {
  name: "semaphore",
  unit: "ns per slot taken",
  better: "lower",
  sizes: {
    full: { tasks: 1000, slots: 10, turns: 100 },
    quick: { tasks: 1000, slots: 10, turns: 20 },
    warmUp: { tasks: 1000, slots: 10, turns: 10 },
  },
  programs: {
    [GENERATORS]: generators,
    [ASYNC]: asyncFunctions,
    [NATIVE]: native,
    [EFFECT]: effect,
    [ASYNC_MUTEX]: asyncMutex,
    [ASYNC_SEMA]: asyncSema,
  },
  python: "semaphore.py",
};

function generators({ tasks, slots, turns }, asyncio) {
  const shared = new asyncio.Semaphore(slots);
  function* worker() {
    for (let i = 0; i < turns; i++) {
      yield* shared.acquire();
      try {
        yield* asyncio.sleep(0);
      } finally {
        shared.release();
      }
    }
  }
  return asyncio.run(function* () {
    const start = now();
    yield* asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

function asyncFunctions({ tasks, slots, turns }, asyncio) {
  const shared = new asyncio.Semaphore(slots);
  async function worker() {
    for (let i = 0; i < turns; i++) {
      await shared.acquire();
      try {
        await asyncio.sleep(0);
      } finally {
        shared.release();
      }
    }
  }
  return asyncio.run(async () => {
    const start = now();
    await asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

function native(size) {
  return runNative(size, new NativeSemaphore(size.slots));
}

function asyncSema(size, { Sema }) {
  return runNative(size, new Sema(size.slots));
}

async function runNative({ tasks, turns }, shared) {
  async function worker() {
    for (let i = 0; i < turns; i++) {
      await shared.acquire();
      try {
        await undefined;
      } finally {
        shared.release();
      }
    }
  }
  const start = now();
  await Promise.all(times(tasks, worker));
  return nanosecondsEach(start, tasks * turns);
}

async function asyncMutex({ tasks, slots, turns }, { Semaphore }) {
  const shared = new Semaphore(slots);
  async function worker() {
    for (let i = 0; i < turns; i++) {
      const [, release] = await shared.acquire();
      try {
        await undefined;
      } finally {
        release();
      }
    }
  }
  const start = now();
  await Promise.all(times(tasks, worker));
  return nanosecondsEach(start, tasks * turns);
}

function effect({ tasks, slots, turns }, { Effect, Semaphore }) {
  const shared = Semaphore.makeUnsafe(slots);
  const worker = Effect.gen(function* () {
    for (let i = 0; i < turns; i++) yield* shared.withPermit(Effect.yieldNow);
  });
  const main = Effect.gen(function* () {
    const start = now();
    yield* Effect.all(
      times(tasks, () => worker),
      { concurrency: "unbounded", discard: true },
    );
    return nanosecondsEach(start, tasks * turns);
  });
  return Effect.runPromise(main);
}
