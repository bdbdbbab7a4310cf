/**
 * `npm run bench:structured`: the tools of `asyncio-ts/structured` beside the packages that people install for the same, and
 * what each does when it is ended in the middle. The peers are installed once, to `node_modules/.cache/bench-structured`.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as asyncio from "asyncio-ts";
import { failAfter, mapConcurrent, moveOnAfter, openChannel, race, RateLimiter, retry } from "asyncio-ts/structured";
import { loadPeers } from "../scripts/setup.mjs";
import { middle } from "./jobs.mjs";

const PEERS = {
  bottleneck: "2.19.5",
  effect: "4.1.0",
  effection: "4.1.1",
  "p-limit": "7.3.3",
  "p-map": "7.1.1",
  "p-queue": "10.0.0",
  "p-retry": "9.0.0",
};
const ROUNDS = 5;
const ITEMS = 20_000;
const LIMIT = 16;

const { load } = await loadPeers("bench-structured", PEERS);
const { default: pLimit } = await load("p-limit");
const { default: pMap } = await load("p-map");
const { default: PQueue } = await load("p-queue");
const { default: pRetry } = await load("p-retry");
const { default: Bottleneck } = await load("bottleneck");
const { Effect, Fiber } = await load("effect");
const effection = await load("effection");

const items = Array.from({ length: ITEMS }, (_, i) => i);
/** For bottleneck, which sets a timer for each: all would take a minute. */
const few = items.slice(0, 500);

/** Work that gives way once: for a package of promises a promise, for ours a turn of the loop. */
const promised = async (n) => {
  await Promise.resolve();
  return n;
};
const ours = async (n) => {
  await asyncio.sleep(0);
  return n;
};
function* generated(n) {
  yield* asyncio.sleep(0);
  return n;
}

const yielding = (n) => Effect.as(Effect.yieldNow, n);
function* effected(n) {
  yield* effection.until(Promise.resolve());
  return n;
}
function* late() {
  yield* effection.sleep(60_000);
}
/** What is written by hand: a race that a signal may win. */
const aborting = (work, signal) =>
  new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });

/** Each runs its work once, for all items; one that does less says for how many. */
const BENCHMARKS = {
  [`map, ${LIMIT} at a time`]: {
    "asyncio-ts async": () => asyncio.run(() => mapConcurrent(items, ours, { limit: LIMIT })),
    "asyncio-ts generators": () => asyncio.run(() => mapConcurrent(items, generated, { limit: LIMIT })),
    "p-map": () => pMap(items, promised, { concurrency: LIMIT }),
    Effect: () => Effect.runPromise(Effect.forEach(items, yielding, { concurrency: LIMIT })),
    "p-limit": () => {
      const limit = pLimit(LIMIT);
      return Promise.all(items.map((n) => limit(() => promised(n))));
    },
    "p-queue": () => {
      const queue = new PQueue({ concurrency: LIMIT });
      return queue.addAll(items.map((n) => () => promised(n)));
    },
    bottleneck: () => {
      const limiter = new Bottleneck({ maxConcurrent: LIMIT });
      return Promise.all(few.map((n) => limiter.schedule(() => promised(n)))).then(() => few.length);
    },
  },
  "a deadline around each, which does not pass": {
    "moveOnAfter async": () =>
      asyncio.run(async () => {
        for (const n of items) await moveOnAfter(60, () => ours(n));
      }),
    "moveOnAfter generators": () =>
      asyncio.run(function* () {
        for (const n of items) yield* moveOnAfter(60, () => generated(n));
      }),
    "failAfter generators": () =>
      asyncio.run(function* () {
        for (const n of items) yield* failAfter(60, () => generated(n));
      }),
    "asyncio.timeout generators": () =>
      asyncio.run(function* () {
        for (const n of items) yield* asyncio.timeout(60, () => generated(n));
      }),
    Effect: () => Effect.runPromise(Effect.forEach(items, (n) => Effect.timeout(yielding(n), "60 seconds"))),
    Effection: () =>
      effection.run(function* () {
        for (const n of items) yield* effection.race([effected(n), late()]);
      }),
    "AbortSignal.timeout": async () => {
      for (const n of items) await aborting(promised(n), AbortSignal.timeout(60_000));
    },
  },
  "retry, the second attempt succeeds": {
    "asyncio-ts async": () =>
      asyncio.run(async () => {
        for (const n of items) await retry(async (attempt) => fails(attempt, n), { backoff: 0 });
      }),
    "p-retry": async () => {
      for (const n of items) await pRetry(async (attempt) => fails(attempt, n), { minTimeout: 0, factor: 1 });
    },
  },
  "a rate that is not reached": {
    "asyncio-ts async": () =>
      asyncio.run(async () => {
        const limiter = new RateLimiter({ limit: 1e9, per: 1 });
        for (let i = 0; i < ITEMS; i++) await limiter.acquire();
      }),
    bottleneck: async () => {
      const limiter = new Bottleneck({ minTime: 0 });
      for (const n of few) await limiter.schedule(promised, n);
      return few.length;
    },
  },
  "items through 128 places": {
    "asyncio-ts channel": () =>
      asyncio.run(async () => {
        const [sender, receiver] = openChannel(128);
        const producer = asyncio.createTask(async () => {
          for (const item of items) await sender.send(item);
          sender.close();
        });
        for await (const _item of receiver);
        await producer;
      }),
    "asyncio-ts Queue": () =>
      asyncio.run(async () => {
        const queue = new asyncio.Queue(128);
        const producer = asyncio.createTask(async () => {
          for (const item of items) await queue.put(item);
          queue.shutdown();
        });
        for await (const _item of queue);
        await producer;
      }),
  },
};

function fails(attempt, n) {
  if (attempt === 1) throw new Error("once");
  return n;
}

/** What is ended after the second of three steps, one at a time: which steps were taken in all, a second later. */
const CANCELLED = {
  "mapConcurrent, its task cancelled": async (step) =>
    await asyncio.run(async () => {
      const task = asyncio.createTask(mapConcurrent([1, 2, 3], (n) => step(n, asyncio.sleep), { limit: 1 }));
      await asyncio.sleep(0.015);
      task.cancel();
      await asyncio.wait([task]);
      await asyncio.sleep(0.05);
    }),
  "p-map, its signal aborted": async (step) => {
    const abort = new AbortController();
    const mapping = pMap([1, 2, 3], (n) => step(n, pause), { concurrency: 1, signal: abort.signal }).catch(() => {});
    await pause(0.015);
    abort.abort();
    await mapping;
    await pause(0.05);
  },
  "p-limit, its queue cleared": async (step) => {
    const limit = pLimit(1);
    for (const n of [1, 2, 3]) void limit(() => step(n, pause));
    await pause(0.015);
    limit.clearQueue();
    await pause(0.05);
  },
  "p-queue, cleared": async (step) => {
    const queue = new PQueue({ concurrency: 1 });
    for (const n of [1, 2, 3]) void queue.add(() => step(n, pause));
    await pause(0.015);
    queue.clear();
    await pause(0.05);
  },
  "Effect.forEach, its fiber interrupted": async (step) => {
    const work = (n) =>
      Effect.andThen(
        Effect.sleep(10),
        Effect.promise(() => step(n, () => Promise.resolve())),
      );
    const fiber = Effect.runFork(Effect.forEach([1, 2, 3], work));
    await pause(0.015);
    await Effect.runPromise(Fiber.interrupt(fiber));
    await pause(0.05);
  },
  "Effection, its task halted": async (step) => {
    const task = effection.run(function* () {
      for (const n of [1, 2, 3]) {
        yield* effection.sleep(10);
        yield* effection.until(step(n, () => Promise.resolve()));
      }
    });
    await pause(0.015);
    await task.halt();
    await pause(0.05);
  },
  "moveOnAfter, whose body catches everything": async (step) =>
    await asyncio.run(async () => {
      await moveOnAfter(0.015, async () => {
        for (const n of [1, 2, 3]) await step(n, asyncio.sleep).catch(() => {});
      });
      await asyncio.sleep(0.05);
    }),
  "asyncio.timeout, whose body catches everything": async (step) =>
    await asyncio.run(async () => {
      await asyncio.timeout(0.015, async () => {
        for (const n of [1, 2, 3]) await step(n, asyncio.sleep).catch(() => {});
      });
      await asyncio.sleep(0.05);
    }),
  "race, a loser": async (step) =>
    await asyncio.run(async () => {
      await race(
        () => asyncio.sleep(0.015),
        async () => {
          for (const n of [1, 2, 3]) await step(n, asyncio.sleep);
        },
      );
      await asyncio.sleep(0.05);
    }),
  "Promise.race, a loser": async (step) => {
    const loser = async () => {
      for (const n of [1, 2, 3]) await step(n, pause);
    };
    await Promise.race([pause(0.015), loser()]);
    await pause(0.05);
  },
};

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

for (const [name, subjects] of Object.entries(BENCHMARKS)) {
  const samples = Object.fromEntries(Object.keys(subjects).map((subject) => [subject, []]));
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [subject, run] of Object.entries(subjects)) {
      const start = performance.now();
      const done = await run();
      const count = typeof done === "number" ? done : ITEMS;
      if (round > 0) samples[subject].push(((performance.now() - start) * 1e6) / count);
    }
  }
  const [first] = Object.keys(subjects);
  console.log(`\n${name}: ns for each, and how many times as much as ${first}`);
  for (const [subject, values] of Object.entries(samples)) {
    const ratio = middle(values) / middle(samples[first]);
    console.log(`  ${subject.padEnd(24)} ${Math.round(middle(values)).toString().padStart(7)}  ${ratio.toFixed(2)}`);
  }
}

/** So many works that wait, all at once: what each holds. */
const WAITING = 10_000;
const ALL = { limit: WAITING, concurrency: WAITING };
const waiters = items.slice(0, WAITING);
function* naps() {
  yield* asyncio.sleep(0.3);
}
const MEMORY = {
  "mapConcurrent async": (hold) =>
    asyncio.run(
      async () =>
        await held(
          mapConcurrent(waiters, async () => await asyncio.sleep(0.3), ALL),
          hold,
        ),
    ),
  "mapConcurrent generators": (hold) => asyncio.run(async () => await held(mapConcurrent(waiters, naps, ALL), hold)),
  "p-map": (hold) =>
    held(
      pMap(waiters, () => pause(0.3), ALL),
      hold,
    ),
  Effect: (hold) => held(Effect.runPromise(Effect.forEach(waiters, () => Effect.sleep(300), ALL)), hold),
  Effection: (hold) =>
    held(
      effection.run(() => effection.all(waiters.map(() => effection.sleep(300)))),
      hold,
    ),
};

/** Calls `hold` while `work` is under way. */
async function held(work, hold) {
  const timer = setTimeout(() => hold(), 150);
  await work;
  clearTimeout(timer);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

console.log(`\n${WAITING} works that wait at once: bytes for each`);
for (const [name, run] of Object.entries(MEMORY)) {
  let bytes = Number.NaN;
  collect();
  const before = process.memoryUsage().heapUsed;
  await run(() => {
    collect();
    bytes = (process.memoryUsage().heapUsed - before) / WAITING;
  });
  console.log(`  ${name.padEnd(24)} ${Math.round(bytes).toString().padStart(7)}`);
}

console.log("\nended in the middle of the second of three steps: what was done nevertheless");
for (const [name, run] of Object.entries(CANCELLED)) {
  const log = [];
  await run(async (n, wait) => {
    await wait(0.01);
    log.push(n);
  });
  console.log(`  ${name.padEnd(48)} ${log.join(", ")}`);
}
