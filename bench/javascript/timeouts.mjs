/** Deadlines that do not come: tasks that set one around a wait of a turn, over and over. @module */

// oxlint-disable typescript/await-thenable -- to give way is part of what is measured

import { ASYNC, EFFECT, EFFECTION, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";

const HOUR_SECONDS = 3600;
const HOUR_MILLISECONDS = HOUR_SECONDS * 1000;

/** @type {import("../benchmark.mjs").Benchmark} */
export const timeouts1m = {
  name: "timeouts-1m",
  unit: "ns per timeout",
  better: "lower",
  sizes: {
    full: { tasks: 1000, turns: 1000 },
    pair: { tasks: 1000, turns: 200 },
    quick: { tasks: 1000, turns: 100 },
    warmUp: { tasks: 1000, turns: 20 },
  },
  programs: {
    [GENERATORS]: generators,
    [ASYNC]: asyncFunctions,
    [NATIVE]: native,
    [EFFECT]: effect,
    [EFFECTION]: effection,
  },
  python: "timeouts.py",
};

function generators({ tasks, turns }, asyncio) {
  function* worker() {
    for (let i = 0; i < turns; i++) {
      yield* asyncio.timeout(HOUR_SECONDS, function* () {
        yield* asyncio.sleep(0);
      });
    }
  }
  return asyncio.run(function* () {
    const start = now();
    yield* asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

function asyncFunctions({ tasks, turns }, asyncio) {
  async function worker() {
    for (let i = 0; i < turns; i++) {
      await asyncio.timeout(HOUR_SECONDS, async () => {
        await asyncio.sleep(0);
      });
    }
  }
  return asyncio.run(async () => {
    const start = now();
    await asyncio.gather(times(tasks, () => asyncio.createTask(worker)));
    return nanosecondsEach(start, tasks * turns);
  });
}

async function native({ tasks, turns }) {
  async function worker() {
    for (let i = 0; i < turns; i++) {
      await withTimeout(HOUR_MILLISECONDS, async () => {
        await undefined;
      });
    }
  }
  const start = now();
  await Promise.all(times(tasks, worker));
  return nanosecondsEach(start, tasks * turns);
}

/** As everybody writes it. The body is not stopped. */
async function withTimeout(milliseconds, body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("timed out")), milliseconds);
  });
  try {
    return await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function effect({ tasks, turns }, { Effect }) {
  const worker = Effect.gen(function* () {
    for (let i = 0; i < turns; i++) yield* Effect.timeout(Effect.yieldNow, HOUR_MILLISECONDS);
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

/** A million would take it ten minutes: it sets a fiftieth of them. */
function effection({ tasks, turns: allTurns }, { all, race, run, sleep, until }) {
  const turns = Math.ceil(allTurns / 50);
  function* worker() {
    for (let i = 0; i < turns; i++) yield* race([until(Promise.resolve()), sleep(HOUR_MILLISECONDS)]);
  }
  return run(function* () {
    const start = now();
    yield* all(times(tasks, worker));
    return nanosecondsEach(start, tasks * turns);
  });
}
