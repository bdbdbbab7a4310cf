/** Queue, LifoQueue and PriorityQueue, each by its behaviour. */

import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, sleep } = asyncio;

describe("Queue", () => {
  test("gives items in the order they were put, and takes no turn when nobody has to wait", async () => {
    await run(async ({ loop }) => {
      const queue = new asyncio.Queue<number>();
      const { turns } = loop.statistics();
      for (const item of [1, 2, 3]) await queue.put(item);
      expect([queue.size, queue.qsize(), queue.empty(), queue.full()]).toEqual([3, 3, false, false]);
      expect([await queue.get(), await queue.get(), queue.getNowait()]).toEqual([1, 2, 3]);
      expect([queue.empty(), loop.statistics().turns]).toEqual([true, turns]);
    });
  });

  test("items go to those who wait in the order they came", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>();
      const getters = [1, 2, 3].map(() => createTask(queue.get()));
      await sleep(0);
      for (const item of ["a", "b", "c"]) queue.putNowait(item);
      expect(await asyncio.gather(getters)).toEqual(["a", "b", "c"]);
    });
  });

  test("those who wait for room put in the order they came", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>(1);
      const putters = ["a", "b", "c"].map((item) => createTask(queue.put(item)));
      await sleep(0);
      expect([queue.size, queue.full(), queue.statistics().putting]).toEqual([1, true, 2]);
      expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(["a", "b", "c"]);
      await asyncio.gather(putters);
    });
  });

  test("a getter whose item was snatched goes to the end of the line, as in CPython", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>();
      const [first, second] = [createTask(queue.get()), createTask(queue.get())];
      await sleep(0);
      queue.putNowait("a");
      expect(queue.getNowait()).toBe("a");
      await sleep(0);
      queue.putNowait("b");
      queue.putNowait("c");
      expect([await first, await second]).toEqual(["c", "b"]);
    });
  });

  test("a putter whose room was taken waits again", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>(1);
      queue.putNowait("a");
      const putter = createTask(queue.put("b"));
      await sleep(0);
      queue.getNowait();
      queue.putNowait("c");
      await sleep(1);
      expect([putter.done(), queue.getNowait()]).toEqual([false, "c"]);
      await putter;
      expect(queue.getNowait()).toBe("b");
    });
  });

  test("the *Nowait methods refuse instead of waiting", async () => {
    const queue = new asyncio.Queue<number>(1);
    expect(() => queue.getNowait()).toThrow(asyncio.QueueEmpty);
    queue.putNowait(1);
    expect(() => queue.putNowait(2)).toThrow(asyncio.QueueFull);
  });

  test.each([0, -1, Infinity])("has no limit with maxsize %s", async (maxsize) => {
    const queue = new asyncio.Queue<number>(maxsize);
    for (let item = 0; item < 100; item++) queue.putNowait(item);
    expect([queue.full(), queue.maxsize, queue.size]).toEqual([false, maxsize, 100]);
  });

  test.each([[Number.NaN], ["5"], [null]])("refuses the maxsize %s", (maxsize) => {
    expect(() => new asyncio.Queue(maxsize as number)).toThrow("maxsize must be a number: received");
  });

  test("takes undefined and null for items", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<null | undefined>();
      queue.putNowait(undefined);
      queue.putNowait(null);
      expect([await queue.get(), await queue.get()]).toEqual([undefined, null]);
    });
  });

  test("join() waits until each item has been dealt with, also those put meanwhile", async () => {
    await run(async ({ loop }) => {
      const queue = new asyncio.Queue<number>();
      await queue.join();
      queue.putNowait(1);
      const worker = createTask(async () => {
        for (let item = await queue.get(); ; item = await queue.get()) {
          await sleep(item);
          if (item === 1) queue.putNowait(2);
          queue.taskDone();
        }
      });
      await queue.join();
      expect([loop.time(), queue.statistics().unfinished]).toEqual([3, 0]);
      worker.cancel();
      await outcomeOf(worker);
    });
  });

  test("taskDone() refuses to be called more often than there were items", async () => {
    const queue = new asyncio.Queue<number>();
    queue.putNowait(1);
    queue.taskDone();
    expect(() => queue.taskDone()).toThrow(new RangeError("taskDone() called too many times"));
  });

  test("`for await` gives the items as they come, until the queue is shut down and empty", async () => {
    await run(async ({ loop }) => {
      const queue = new asyncio.Queue<number>();
      const got: string[] = [];
      const consumer = createTask(async () => {
        for await (const item of queue) {
          const doubled: number = item * 2;
          got.push(`${doubled} at ${loop.time()}`);
        }
        return "through";
      });
      queue.putNowait(1);
      await sleep(1);
      queue.putNowait(2);
      queue.putNowait(3);
      queue.shutdown();
      expect([await consumer, got]).toEqual(["through", ["2 at 0", "4 at 1", "6 at 1"]]);
    });
  });

  test("`for await` raises what is not the end, and can be left and begun anew", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<number>();
      for (const item of [1, 2, 3]) queue.putNowait(item);
      for await (const item of queue) if (item === 2) break;
      expect(queue.size).toBe(1);
      const late = asyncio.timeout(1, async () => {
        for await (const item of queue) expect(item).toBe(3);
      });
      expect(await outcomeOf(late)).toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test("an item that can be awaited is awaited by `await`, as JavaScript does, and not by `yield*`", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      future.setResult("inner");
      const queue = new asyncio.Queue<asyncio.Future<string>>();
      for (let i = 0; i < 3; i++) await queue.put(future);
      const unwrapped: string = await queue.get();
      expect(unwrapped).toBe("inner");
      await createTask(function* () {
        const item: asyncio.Future<string> = yield* queue.get();
        expect(item === future).toBe(true);
      });
      expect(queue.getNowait() === future).toBe(true);
    });
  });

  test("`for await` awaits an item that can be awaited, as the type of its variable says", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      future.setResult("inner");
      const queue = new asyncio.Queue<asyncio.Future<string>>();
      queue.putNowait(future);
      queue.shutdown();
      for await (const item of queue) {
        const text: string = item;
        expect(text).toBe("inner");
      }
    });
  });

  test("one loop got from, another cannot wait to put into", async () => {
    const queue = new asyncio.Queue<number>(1);
    await run(async () => {
      const getting = createTask(queue.get());
      await sleep(0);
      queue.putNowait(1);
      await getting;
    });
    await run(async () => {
      queue.putNowait(1);
      const putting = createTask(queue.put(2));
      await sleep(0);
      queue.getNowait();
      expect(await outcomeOf(putting)).toBeInstanceOf(asyncio.RuntimeError);
    });
  });

  test("tells its numbers", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<number>(1);
      const tasks = [1, 2, 3].map((item) => createTask(queue.put(item)));
      await sleep(0);
      expect(queue.statistics()).toEqual({
        size: 1,
        maxsize: 1,
        unfinished: 1,
        getting: 0,
        putting: 2,
        shutDown: false,
      });
      for (const task of tasks) task.cancel();
      await asyncio.gather(...tasks, { returnExceptions: true });
      expect(queue.statistics().putting).toBe(0);
    });
  });

  test("shows its state", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<number>(1);
      expect(String(queue)).toBe("<Queue maxsize=1>");
      const getter = createTask(queue.get());
      await sleep(0);
      expect(String(queue)).toBe("<Queue maxsize=1 getters[1]>");
      queue.putNowait(1);
      await getter;
      queue.putNowait(2);
      const putter = createTask(queue.put(3));
      await sleep(0);
      expect(inspect(queue)).toBe("<Queue maxsize=1 items=1 putters[1] tasks=2>");
      queue.shutdown({ immediate: true });
      expect(await outcomeOf(putter)).toBeInstanceOf(asyncio.QueueShutDown);
      expect(String(queue)).toBe("<Queue maxsize=1 tasks=1 shutdown>");
      expect(String(new asyncio.LifoQueue())).toBe("<LifoQueue maxsize=0>");
      expect(String(new asyncio.PriorityQueue(2))).toBe("<PriorityQueue maxsize=2>");
    });
  });
});

describe("shutdown()", () => {
  test("sends those who wait away, and refuses what comes", async () => {
    await run(async () => {
      const [empty, full] = [new asyncio.Queue<number>(), new asyncio.Queue<number>(1)];
      full.putNowait(1);
      const [getter, putter] = [createTask(empty.get()), createTask(full.put(2))];
      await sleep(0);
      empty.shutdown();
      full.shutdown();
      expect(await outcomeOf(getter)).toBeInstanceOf(asyncio.QueueShutDown);
      expect(await outcomeOf(putter)).toBeInstanceOf(asyncio.QueueShutDown);
      expect(() => full.putNowait(3)).toThrow(asyncio.QueueShutDown);
      expect(await outcomeOf(full.put(3))).toBeInstanceOf(asyncio.QueueShutDown);
      expect(await outcomeOf(empty.get())).toBeInstanceOf(asyncio.QueueShutDown);
    });
  });

  test("lets the items that are there be taken, then ends", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<number>();
      queue.putNowait(1);
      queue.putNowait(2);
      queue.shutdown();
      expect([await queue.get(), queue.getNowait()]).toEqual([1, 2]);
      expect(() => queue.getNowait()).toThrow(asyncio.QueueShutDown);
      const joining = createTask(queue.join());
      await sleep(0);
      expect(joining.done()).toBe(false);
      queue.taskDone();
      queue.taskDone();
      await joining;
    });
  });

  test("with `immediate` drops them, and they count as dealt with", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<number>();
      for (const item of [1, 2]) queue.putNowait(item);
      const joining = createTask(queue.join());
      await sleep(0);
      queue.getNowait();
      queue.shutdown({ immediate: true });
      expect(queue.statistics()).toMatchObject({ size: 0, unfinished: 1, shutDown: true });
      queue.taskDone();
      await joining;
      queue.shutdown({ immediate: true });
    });
  });

  test("with `immediate`, after taskDone() was called for items not taken yet", async () => {
    const queue = new asyncio.Queue<number>();
    queue.putNowait(1);
    queue.taskDone();
    queue.shutdown({ immediate: true });
    expect(queue.statistics()).toMatchObject({ size: 0, unfinished: 0 });
  });
});

describe("LifoQueue", () => {
  test("gives the newest item first", async () => {
    await run(async () => {
      const queue = new asyncio.LifoQueue<number>(3);
      for (const item of [1, 2, 3]) await queue.put(item);
      expect([queue.full(), await queue.get(), await queue.get(), await queue.get()]).toEqual([true, 3, 2, 1]);
    });
  });
});

describe("PriorityQueue", () => {
  function sorted<T>(items: readonly T[]): T[] {
    const queue = new asyncio.PriorityQueue<T>();
    for (const item of items) queue.putNowait(item);
    return items.map(() => queue.getNowait());
  }

  test("gives the smallest item first: numbers, strings, and arrays item by item", () => {
    expect(sorted([3, 1, 10, 2])).toEqual([1, 2, 3, 10]);
    expect(sorted(["b", "a", "c"])).toEqual(["a", "b", "c"]);
    expect(sorted([10n, 9n])).toEqual([9n, 10n]);
    const pairs: [number, string][] = [
      [2, "a"],
      [10, "b"],
      [1, "z"],
      [1, "c"],
    ];
    expect(sorted(pairs)).toEqual([
      [1, "c"],
      [1, "z"],
      [2, "a"],
      [10, "b"],
    ]);
    expect(sorted([[1, [2, 3]], [1, [2]], [1]])).toEqual([[1], [1, [2]], [1, [2, 3]]]);
  });

  test("gives equal items in the order they came", () => {
    const items = [1, 0, 1, 0, 1].map((priority, index) => ({ valueOf: () => priority, index }));
    expect(sorted(items).map((item) => item.index)).toEqual([1, 3, 0, 2, 4]);
    const jobs = [5, 5, 5, 5].map((priority, index) => [priority, { index }] as const);
    expect(sorted(jobs)).toEqual(jobs);
  });

  test("takes an order of the user's own", () => {
    const queue = new asyncio.PriorityQueue<{ readonly age: number }>(0, { compare: (a, b) => b.age - a.age });
    for (const age of [30, 50, 40]) queue.putNowait({ age });
    expect([queue.getNowait(), queue.getNowait(), queue.getNowait()]).toEqual([{ age: 50 }, { age: 40 }, { age: 30 }]);
  });

  test.each([
    ["objects", { a: 1 }, { a: 2 }],
    ["a string and a number", "1", 2],
    ["an object in the place of a priority", [{ a: 1 }, 1], [{ a: 2 }, 1]],
    ["undefined", undefined, 1],
    ["null", null, 1],
  ])("refuses what it cannot compare, and keeps what it has: %s", (_name, first, second) => {
    const queue = new asyncio.PriorityQueue<unknown>();
    queue.putNowait(first);
    expect(() => queue.putNowait(second)).toThrow(/PriorityQueue cannot compare .* put \[priority, item\]/);
    expect([queue.statistics().unfinished, queue.getNowait(), queue.empty()]).toEqual([1, first, true]);
  });

  test("compares what is put while others wait", async () => {
    await run(async () => {
      const queue = new asyncio.PriorityQueue<number>();
      const getters = [1, 2].map(() => createTask(queue.get()));
      await sleep(0);
      queue.putNowait(2);
      queue.putNowait(1);
      expect(await asyncio.gather(getters)).toEqual([1, 2]);
    });
  });
});

describe("a long line", () => {
  test.each([
    [
      "Queue",
      () => {
        const queue = new asyncio.Queue<number>();
        return [() => queue.get(), () => queue.putNowait(0)] as const;
      },
    ],
    [
      "Semaphore",
      () => {
        const semaphore = new asyncio.Semaphore(0);
        return [() => semaphore.acquire(), () => semaphore.release()] as const;
      },
    ],
  ])("%s: a hundred thousand that wait are woken, each at the cost of one", async (_name, make) => {
    await run(async () => {
      const [wait, wake] = make();
      const tasks = Array.from({ length: 100_000 }, () => createTask(wait() as asyncio.Coroutine<unknown>));
      await sleep(1);
      for (let i = 0; i < tasks.length; i++) wake();
      expect(await asyncio.gather(tasks)).toHaveLength(100_000);
    });
  });
});
