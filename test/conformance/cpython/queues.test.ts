/** CPython's test_queues in our words. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { play, raisedBy, settle } from "./suite.ts";

const { createTask, sleep } = asyncio;

const isShutDown = expect.any(asyncio.QueueShutDown) as unknown;
const isCancelled = expect.any(asyncio.CancelledError) as unknown;

test("a queue shows its size, its lines and its unfinished items, as text", async () => {
  await play(function* () {
    const queue = new asyncio.Queue<number>(1);
    expect(String(queue)).toBe("<Queue maxsize=1>");
    const getting = [createTask(queue.get()), createTask(queue.get())];
    yield* sleep(0);
    expect(String(queue)).toBe("<Queue maxsize=1 getters[2]>");
    for (const task of getting) task.cancel();
    yield* sleep(0);
    queue.putNowait(5);
    const putting = [createTask(queue.put(6)), createTask(queue.put(7))];
    yield* sleep(0);
    expect(String(queue)).toBe("<Queue maxsize=1 items=1 putters[2] tasks=1>");
    for (const task of putting) task.cancel();
    yield* sleep(0);
    queue.shutdown();
    expect(String(queue)).toBe("<Queue maxsize=1 items=1 tasks=1 shutdown>");
    expect(String(new asyncio.LifoQueue())).toBe("<LifoQueue maxsize=0>");
  });
});

test("empty() and full() follow what goes in and out", () => {
  const queue = new asyncio.Queue<number>(2);
  expect([queue.empty(), queue.full(), queue.qsize()]).toEqual([true, false, 0]);
  queue.putNowait(1);
  expect([queue.empty(), queue.full()]).toEqual([false, false]);
  queue.putNowait(2);
  expect([queue.empty(), queue.full(), queue.size]).toEqual([false, true, 2]);
  expect([queue.getNowait(), queue.getNowait(), queue.empty()]).toEqual([1, 2, true]);
  const unlimited = new asyncio.Queue<number>(-1);
  for (let i = 0; i < 100; i++) unlimited.putNowait(i);
  expect(unlimited.full()).toBe(false);
});

test.each([
  { Kind: asyncio.Queue, out: [1, 3, 2] },
  { Kind: asyncio.LifoQueue, out: [2, 3, 1] },
  { Kind: asyncio.PriorityQueue, out: [1, 2, 3] },
])("$Kind.name: the order of items", ({ Kind, out }) => {
  const queue = new Kind<number>();
  for (const item of [1, 3, 2]) queue.putNowait(item);
  expect([queue.getNowait(), queue.getNowait(), queue.getNowait()]).toEqual(out);
});

test("one who puts more than there is room for waits until there is", async () => {
  await play(async () => {
    const queue = new asyncio.Queue<number>(2);
    const put: number[] = [];
    const putter = createTask(async () => {
      for (let item = 0; item < 3; item++) {
        await queue.put(item);
        put.push(item);
      }
      return "all in";
    });
    await sleep(1);
    expect(put).toEqual([0, 1]);
    expect(await queue.get()).toBe(0);
    await sleep(0);
    expect(put).toEqual([0, 1, 2]);
    expect([await queue.get(), await queue.get(), await putter]).toEqual([1, 2, "all in"]);
  });
});

test("a fraction as a limit: full when it is passed", () => {
  const queue = new asyncio.Queue<number>(1.3);
  queue.putNowait(1);
  expect(queue.full()).toBe(false);
  queue.putNowait(2);
  expect(queue.full()).toBe(true);
  expect(() => queue.putNowait(3)).toThrow(asyncio.QueueFull);
});

describe("get", () => {
  test("takes what is there at once, and waits for what is not", async () => {
    await play(function* ({ loop }) {
      const queue = new asyncio.Queue<number>();
      queue.putNowait(1);
      expect(yield* queue.get()).toBe(1);
      loop.callLater(3, () => queue.putNowait(2));
      expect([yield* queue.get(), loop.time()]).toEqual([2, 3]);
    });
  });

  test("getNowait() takes what is there, or throws QueueEmpty", () => {
    const queue = new asyncio.Queue<number>();
    queue.putNowait(1);
    expect(queue.getNowait()).toBe(1);
    expect(() => queue.getNowait()).toThrow(asyncio.QueueEmpty);
  });

  test("taking an item lets the first who waits to put go on, then the next", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<string>(1);
      const putters = ["a", "b", "c"].map((item) => createTask(queue.put(item)));
      yield* settle();
      expect(putters.map((task) => task.done())).toEqual([true, false, false]);
      expect([yield* queue.get(), yield* queue.get(), yield* queue.get()]).toEqual(["a", "b", "c"]);
    });
  });

  test("the first of two who wait is cancelled: the second gets the item", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<string>();
      const [first, second] = [createTask(queue.get()), createTask(queue.get())];
      yield* sleep(0);
      first.cancel();
      yield* sleep(0);
      expect(first.done()).toBe(true);
      yield* queue.put("a");
      expect(yield* second).toBe("a");
    });
  });

  test("producer and consumer on a queue of one item keep each other going", async () => {
    await play(async () => {
      const queue = new asyncio.Queue<number>(1);
      const got: number[] = [];
      const producer = asyncio.coroutine(async () => {
        for (let item = 0; item < 5; item++) await queue.put(item);
      });
      const consumer = asyncio.coroutine(async () => {
        for (let i = 0; i < 5; i++) got.push(await queue.get());
      });
      await asyncio.gather(producer(), consumer());
      expect(got).toEqual([0, 1, 2, 3, 4]);
    });
  });

  test("woken and cancelled before it goes on: the item is still there for the next", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>();
      const reader = createTask(queue.get());
      yield* sleep(0);
      queue.putNowait(1);
      queue.putNowait(2);
      reader.cancel();
      expect(yield* raisedBy(reader)).toEqual(isCancelled);
      expect([yield* queue.get(), yield* queue.get()]).toEqual([1, 2]);
    });
  });

  test("two of three are woken, the first of them is cancelled: the third gets its item", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>();
      const readers = [1, 2, 3].map(() => createTask(queue.get()));
      yield* sleep(0);
      queue.putNowait(1);
      queue.putNowait(2);
      readers[0]!.cancel();
      expect(yield* raisedBy(readers[0]!)).toEqual(isCancelled);
      const rest = yield* asyncio.gather(readers.slice(1));
      expect(rest.toSorted()).toEqual([1, 2]);
    });
  });

  test("a deadline ends the wait: nobody is left in line", async () => {
    await play(async () => {
      const queue = new asyncio.Queue<number>(5);
      await expect(async () => await asyncio.waitFor(queue.get(), 1)).rejects.toThrow(asyncio.TimeoutError);
      expect(queue.statistics().getting).toBe(0);
    });
  });
});

describe("put", () => {
  test("puts in at once where there is room, and hands to who waits", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>();
      yield* queue.put(1);
      expect(yield* queue.get()).toBe(1);
      const getter = createTask(queue.get());
      yield* sleep(0);
      yield* queue.put(2);
      expect(yield* getter).toBe(2);
      const putter = createTask(queue.put(3));
      expect(yield* queue.get()).toBe(3);
      expect(putter.done()).toBe(true);
    });
  });

  test("waits until there is room", async () => {
    await play(function* ({ loop }) {
      const queue = new asyncio.Queue<number>(1);
      yield* queue.put(1);
      loop.callLater(3, () => queue.getNowait());
      yield* queue.put(2);
      expect([loop.time(), queue.getNowait()]).toEqual([3, 2]);
    });
  });

  test("putNowait() puts in, or throws QueueFull", () => {
    const queue = new asyncio.Queue<number>(1);
    queue.putNowait(1);
    expect(() => queue.putNowait(2)).toThrow(asyncio.QueueFull);
    expect(queue.getNowait()).toBe(1);
  });

  test("woken and cancelled before it goes on: its item is not in, and there is room for the next", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>(1);
      queue.putNowait(1);
      const writer = createTask(queue.put(2));
      yield* sleep(0);
      expect(queue.getNowait()).toBe(1);
      writer.cancel();
      expect(yield* raisedBy(writer)).toEqual(isCancelled);
      yield* queue.put(2);
      expect([queue.getNowait(), queue.size]).toEqual([2, 0]);
    });
  });

  test("the last of three in line is cancelled: the others' items go in, in order", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<string>(1);
      const [a, b, x] = ["a", "b", "x"].map((item) => createTask(queue.put(item)));
      yield* sleep(0);
      expect([a!.done(), b!.done()]).toEqual([true, false]);
      x!.cancel();
      yield* sleep(0);
      expect(x!.done()).toBe(true);
      expect([yield* queue.get(), yield* queue.get(), b!.done(), queue.empty()]).toEqual(["a", "b", true, true]);
    });
  });

  test("many are in line, and one takes all that is there: as many go on as there is room", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>(2);
      const putters = [0, 1, 2, 3].map((item) => createTask(queue.put(item)));
      yield* settle();
      expect([queue.getNowait(), queue.getNowait()]).toEqual([0, 1]);
      yield* asyncio.gather(putters);
      expect([queue.getNowait(), queue.getNowait()]).toEqual([2, 3]);
    });
  });

  test("a deadline or a cancellation ends the wait: nobody is left in line", async () => {
    await play(function* () {
      const queue = new asyncio.Queue<number>(1);
      yield* queue.put(1);
      expect(yield* raisedBy(asyncio.waitFor(queue.put(2), 1))).toBeInstanceOf(asyncio.TimeoutError);
      expect(queue.statistics().putting).toBe(0);
      const writer = createTask(queue.put(3));
      yield* sleep(0);
      expect(queue.statistics().putting).toBe(1);
      writer.cancel();
      expect(yield* raisedBy(writer)).toEqual(isCancelled);
      expect(queue.statistics().putting).toBe(0);
    });
  });
});

describe.each([asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue])("%o", (Kind) => {
  test("taskDone() more often than there were items is an error", () => {
    const queue = new Kind<number>();
    expect(() => queue.taskDone()).toThrow(RangeError);
    queue.putNowait(1);
    queue.taskDone();
    expect(() => queue.taskDone()).toThrow(new RangeError("taskDone() called too many times"));
  });

  test("join() waits until the workers are done with everything", async () => {
    await play(async () => {
      const queue = new Kind<number>();
      for (let item = 0; item < 100; item++) queue.putNowait(item);
      expect(String(queue)).toContain("tasks=100");
      let sum = 0;
      const workers = [1, 2].map(() =>
        createTask(async () => {
          for (;;) {
            sum += await queue.get();
            await sleep(1);
            queue.taskDone();
          }
        }),
      );
      await queue.join();
      expect([sum, queue.statistics().unfinished]).toEqual([4950, 0]);
      for (const worker of workers) worker.cancel();
    });
  });

  test("join() of a queue with nothing to do passes at once, again and again", async () => {
    await play(function* ({ loop }) {
      const queue = new Kind<number>();
      const { turns } = loop.statistics();
      yield* queue.join();
      yield* queue.join();
      expect(loop.statistics().turns).toBe(turns);
    });
  });

  test("shut down when empty: who waits and who comes is refused", async () => {
    await play(function* () {
      const queue = new Kind<number>();
      const getter = createTask(queue.get());
      yield* settle();
      queue.shutdown();
      expect(String(queue)).toContain("shutdown");
      expect(yield* raisedBy(getter)).toEqual(isShutDown);
      expect(yield* raisedBy(queue.put(1))).toEqual(isShutDown);
      expect(yield* raisedBy(queue.get())).toEqual(isShutDown);
      expect(() => queue.putNowait(1)).toThrow(asyncio.QueueShutDown);
      expect(() => queue.getNowait()).toThrow(asyncio.QueueShutDown);
      queue.shutdown();
    });
  });

  test("shut down with an item: no more goes in, what is there comes out, and join() waits for it", async () => {
    await play(function* () {
      const queue = new Kind<string>(1);
      yield* queue.put("data");
      const putter = createTask(queue.put("data2"));
      yield* settle();
      queue.shutdown();
      expect(yield* raisedBy(putter)).toEqual(isShutDown);
      expect(() => queue.putNowait("data3")).toThrow(asyncio.QueueShutDown);
      expect(queue.size).toBe(1);
      const joined = createTask(queue.join());
      yield* settle();
      expect([yield* queue.get(), joined.done()]).toEqual(["data", false]);
      expect(yield* raisedBy(queue.get())).toEqual(isShutDown);
      queue.taskDone();
      yield* joined;
      expect(() => queue.taskDone()).toThrow(RangeError);
    });
  });

  test("shut down at once: what is there is dropped, and join() passes", async () => {
    await play(function* () {
      const queue = new Kind<string>(1);
      yield* queue.put("data");
      const putter = createTask(queue.put("data2"));
      const joined = createTask(queue.join());
      yield* settle();
      queue.shutdown({ immediate: true });
      expect([queue.size, yield* raisedBy(putter), yield* raisedBy(queue.get())]).toEqual([0, isShutDown, isShutDown]);
      yield* joined;
      expect(() => queue.taskDone()).toThrow(RangeError);
    });
  });

  test("shut down at once with an item in work: join() waits for that one", async () => {
    await play(function* () {
      const queue = new Kind<string>(2);
      yield* queue.put("data");
      yield* queue.put("more");
      yield* queue.get();
      const joined = createTask(queue.join());
      yield* settle();
      queue.shutdown({ immediate: true });
      yield* settle();
      expect([queue.size, queue.statistics().unfinished, joined.done()]).toEqual([0, 1, false]);
      queue.taskDone();
      yield* joined;
    });
  });
});
