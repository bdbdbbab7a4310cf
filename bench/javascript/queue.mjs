/** A producer and a consumer, and between them a queue that holds 128 items. @module */

import { ASYNC, EFFECT, EFFECTION, GENERATORS, NATIVE } from "../subjects.mjs";
import { nanosecondsEach, now, times } from "./measure.mjs";
import { NativeQueue } from "./native.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const queue = {
  name: "queue",
  unit: "ns per item",
  better: "lower",
  sizes: {
    full: { items: 1_000_000, capacity: 128 },
    quick: { items: 200_000, capacity: 128 },
    warmUp: { items: 50_000, capacity: 128 },
  },
  programs: {
    [GENERATORS]: generators,
    [ASYNC]: asyncFunctions,
    [NATIVE]: native,
    [EFFECT]: effect,
    [EFFECTION]: effection,
  },
  python: "producer-consumer.py",
};

function generators({ items, capacity }, asyncio) {
  const between = new asyncio.Queue(capacity);
  function* produce() {
    for (let i = 0; i < items; i++) yield* between.put(i);
  }
  function* consume() {
    for (let i = 0; i < items; i++) yield* between.get();
  }
  return asyncio.run(function* () {
    const start = now();
    yield* asyncio.gather(asyncio.createTask(produce), asyncio.createTask(consume));
    return nanosecondsEach(start, items);
  });
}

function asyncFunctions({ items, capacity }, asyncio) {
  const between = new asyncio.Queue(capacity);
  async function produce() {
    for (let i = 0; i < items; i++) await between.put(i);
  }
  async function consume() {
    for (let i = 0; i < items; i++) await between.get();
  }
  return asyncio.run(async () => {
    const start = now();
    await asyncio.gather(asyncio.createTask(produce), asyncio.createTask(consume));
    return nanosecondsEach(start, items);
  });
}

async function native({ items, capacity }) {
  const between = new NativeQueue(capacity);
  async function produce() {
    for (let i = 0; i < items; i++) await between.put(i);
  }
  async function consume() {
    for (let i = 0; i < items; i++) await between.get();
  }
  const start = now();
  await Promise.all([produce(), consume()]);
  return nanosecondsEach(start, items);
}

function effect({ items, capacity }, { Effect, Queue }) {
  const main = Effect.gen(function* () {
    const between = yield* Queue.bounded(capacity);
    const produce = Effect.gen(function* () {
      for (let i = 0; i < items; i++) yield* Queue.offer(between, i);
    });
    const consume = Effect.gen(function* () {
      for (let i = 0; i < items; i++) yield* Queue.take(between);
    });
    const start = now();
    yield* Effect.all([produce, consume], { concurrency: "unbounded", discard: true });
    return nanosecondsEach(start, items);
  });
  return Effect.runPromise(main);
}

/** Its queues have no bound: the room in this one is a second queue, of credits. */
function effection({ items, capacity }, { all, createQueue, run }) {
  const between = createQueue();
  const credits = createQueue();
  times(capacity, () => credits.add());
  function* produce() {
    for (let i = 0; i < items; i++) {
      yield* credits.next();
      between.add(i);
    }
  }
  function* consume() {
    for (let i = 0; i < items; i++) {
      yield* between.next();
      credits.add();
    }
  }
  return run(function* () {
    const start = now();
    yield* all([produce(), consume()]);
    return nanosecondsEach(start, items);
  });
}
