/**
 * Tasks that take a lock in turn and give way while they hold it, so that all the others stand in line: what a hand-off
 * costs. Once with `acquire` and `release`, once with a body that holds it.
 *
 * @module
 */

// oxlint-disable typescript/await-thenable -- to give way is what is measured

import { ASYNC, ASYNC_MUTEX, ASYNC_SEMA, EFFECT, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";
import { NativeSemaphore } from "./native.mjs";

const measured = {
  unit: "ns per handoff",
  better: "lower",
  sizes: {
    full: { tasks: 1000, turns: 100 },
    quick: { tasks: 1000, turns: 20 },
    warmUp: { tasks: 1000, turns: 10 },
  },
  python: "lock.py",
};

/** @type {import("../benchmark.mjs").Benchmark} */
export const lockHandoff = {
  name: "lock-handoff",
  ...measured,
  programs: {
    [GENERATORS](size, asyncio) {
      const lock = new asyncio.Lock();
      return runGenerators(size, asyncio, function* () {
        for (let i = 0; i < size.turns; i++) {
          yield* lock.acquire();
          try {
            yield* asyncio.sleep(0);
          } finally {
            lock.release();
          }
        }
      });
    },

    [ASYNC](size, asyncio) {
      const lock = new asyncio.Lock();
      return runAsync(size, asyncio, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.acquire();
          try {
            await asyncio.sleep(0);
          } finally {
            lock.release();
          }
        }
      });
    },

    [NATIVE](size) {
      const lock = new NativeSemaphore(1);
      return runNative(size, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.acquire();
          try {
            await undefined;
          } finally {
            lock.release();
          }
        }
      });
    },

    [EFFECT]: runEffect,

    [ASYNC_MUTEX](size, { Mutex }) {
      const lock = new Mutex();
      return runNative(size, async () => {
        for (let i = 0; i < size.turns; i++) {
          const release = await lock.acquire();
          try {
            await undefined;
          } finally {
            release();
          }
        }
      });
    },

    [ASYNC_SEMA](size, { Sema }) {
      const lock = new Sema(1);
      return runNative(size, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.acquire();
          try {
            await undefined;
          } finally {
            lock.release();
          }
        }
      });
    },
  },
};

/** @type {import("../benchmark.mjs").Benchmark} */
export const lockHold = {
  name: "lock-hold",
  ...measured,
  programs: {
    [GENERATORS](size, asyncio) {
      const lock = new asyncio.Lock();
      return runGenerators(size, asyncio, function* () {
        for (let i = 0; i < size.turns; i++) {
          yield* lock.hold(function* () {
            yield* asyncio.sleep(0);
          });
        }
      });
    },

    [ASYNC](size, asyncio) {
      const lock = new asyncio.Lock();
      return runAsync(size, asyncio, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.hold(async () => {
            await asyncio.sleep(0);
          });
        }
      });
    },

    [NATIVE](size) {
      const lock = new NativeSemaphore(1);
      return runNative(size, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.hold(async () => {
            await undefined;
          });
        }
      });
    },

    [EFFECT]: runEffect,

    [ASYNC_MUTEX](size, { Mutex }) {
      const lock = new Mutex();
      return runNative(size, async () => {
        for (let i = 0; i < size.turns; i++) {
          await lock.runExclusive(async () => {
            await undefined;
          });
        }
      });
    },
  },
};

function runGenerators({ tasks, turns }, asyncio, worker) {
  return asyncio.run(function* () {
    const start = now();
    yield* asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

function runAsync({ tasks, turns }, asyncio, worker) {
  return asyncio.run(async () => {
    const start = now();
    await asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

async function runNative({ tasks, turns }, worker) {
  const start = now();
  await Promise.all(times(tasks, worker));
  return nanosecondsEach(start, tasks * turns);
}

function runEffect({ tasks, turns }, { Effect, Semaphore }) {
  const lock = Semaphore.makeUnsafe(1);
  const worker = Effect.gen(function* () {
    for (let i = 0; i < turns; i++) yield* lock.withPermit(Effect.yieldNow);
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
