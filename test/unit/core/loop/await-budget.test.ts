/**
 * E9: awaits that need not wait. So many of them in a row, in one entry of the loop, are answered at once; the next one gives
 * way for a turn, so that deadlines, timers and signals get in. `loop.awaitBudget` says how many.
 */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { coroutine, createTask, gather, sleep, timeout } = asyncio;

/** Ends the test of a loop that is starved, which nothing else can end. */
const MOST_AWAITS = 200_000;

/** A clock that moves on by a quarter of a second whenever it is read: time passes, though something is always ready. */
class PassingHost extends VirtualHost {
  #passed: number = 0;

  override now(): number {
    this.#passed += 0.25;
    return super.now() + this.#passed;
  }
}

/** Runs `main` while time passes. */
async function runInPassingTime(main: () => Promise<void>): Promise<void> {
  await asyncio.run(main, { loopFactory: () => new asyncio.BaseEventLoop(new PassingHost()) });
}

/** Counts the awaits of a test. */
class Meter {
  count: number = 0;

  tick(): void {
    if (++this.count > MOST_AWAITS) throw new Error("the loop was starved");
  }
}

/** Awaits that are answered at once, one after the other. */
type Source = (loop: asyncio.AbstractEventLoop) => () => asyncio.Awaitable<unknown>;

const nothingAsync = coroutine(async () => {});
// oxlint-disable-next-line require-yield -- a coroutine need not wait
const nothingGenerator = coroutine(function* () {});

/** Two awaits by turns. */
function byTurns(...waits: readonly (() => asyncio.Awaitable<unknown>)[]): () => asyncio.Awaitable<unknown> {
  let next = 0;
  return () => waits[next++ % waits.length]!();
}

const SOURCES: readonly [name: string, source: Source][] = [
  [
    "reads at the end of a stream",
    () => {
      const reader = new asyncio.StreamReader();
      reader.feedEof();
      return () => reader.readline();
    },
  ],
  [
    "read(n) at the end of a stream",
    () => {
      const reader = new asyncio.StreamReader();
      reader.feedEof();
      return () => reader.read(100);
    },
  ],
  [
    "put() and get() of a queue",
    () => {
      const queue = new asyncio.Queue<number>(1);
      return byTurns(
        () => queue.put(1),
        () => queue.get(),
      );
    },
  ],
  [
    "acquire() of a lock that is free",
    () => {
      const lock = new asyncio.Lock();
      return () => {
        if (lock.locked()) lock.release();
        return lock.acquire();
      };
    },
  ],
  [
    "acquire() of a semaphore that is free",
    () => {
      const semaphore = new asyncio.Semaphore(1);
      return () => {
        if (semaphore.locked()) semaphore.release();
        return semaphore.acquire();
      };
    },
  ],
  [
    "wait() of an event that is set",
    () => {
      const event = new asyncio.Event();
      event.set();
      return () => event.wait();
    },
  ],
  [
    "a future that is done",
    (loop) => {
      const future = loop.createFuture<number>();
      future.setResult(1);
      return () => future;
    },
  ],
  ["an async coroutine that never waits", () => () => nothingAsync()],
  ["a generator coroutine that never waits", () => () => nothingGenerator()],
];

/** Loops without an end, and without a wait, under a deadline of a second. */
const SYNTAXES = [
  {
    syntax: "async functions",
    forEver: async (wait: () => asyncio.Awaitable<unknown>, meter: Meter): Promise<void> => {
      await timeout(1, async () => {
        for (;;) {
          meter.tick();
          await wait();
        }
      });
    },
    times: async (count: number, wait: () => asyncio.Awaitable<unknown>, then: () => void): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await wait();
        then();
      }
    },
  },
  {
    syntax: "generators",
    forEver: coroutine(function* (wait: () => asyncio.Awaitable<unknown>, meter: Meter) {
      yield* timeout(1, function* () {
        for (;;) {
          meter.tick();
          yield* wait();
        }
      });
    }),
    times: coroutine(function* (count: number, wait: () => asyncio.Awaitable<unknown>, then: () => void) {
      for (let i = 0; i < count; i++) {
        yield* wait();
        then();
      }
    }),
  },
];

describe.each(SYNTAXES)("in $syntax", ({ forEver, times }) => {
  test.each(SOURCES)("E9: a deadline ends a loop without an end: %s", async (_name, source) => {
    await runInPassingTime(async () => {
      const meter = new Meter();
      const wait = source(asyncio.getRunningLoop());
      const task = createTask(() => forEver(wait, meter));
      const [error] = await gather(task, { returnExceptions: true });
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test.each(SOURCES)("E9: cancel() ends a loop without an end: %s", async (_name, source) => {
    await run(async ({ loop }) => {
      const meter = new Meter();
      const wait = source(loop);
      const task = createTask(() => forEver(wait, meter));
      await sleep(0);
      task.cancel();
      await gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    });
  });

  // CPython: all of them, however many, in one turn.
  test.each(SOURCES)("E9: below the budget no turn is taken: %s", async (_name, source) => {
    await run(async ({ loop }) => {
      const wait = source(loop);
      const turns = new Set<number>();
      await createTask(() => times(5000, wait, () => turns.add(loop.statistics().turns)));
      expect(turns.size).toBe(1);
    });
  });

  test.each(SOURCES)("E9: with a budget of three the fourth gives way for a turn: %s", async (_name, source) => {
    await run(async ({ loop }) => {
      Object.assign(loop, { awaitBudget: 3 });
      const wait = source(loop);
      const record: unknown[] = [];
      const start = loop.statistics().turns;
      const busy = createTask(() =>
        times(4, wait, () => record.push(`await in turn ${loop.statistics().turns - start}`)),
      );
      createTask(async () => void record.push(`another task in turn ${loop.statistics().turns - start}`));
      await busy;
      expect(record).toEqual([
        "await in turn 1",
        "await in turn 1",
        "await in turn 1",
        "another task in turn 1",
        "await in turn 2",
      ]);
    });
  });

  test.each(SOURCES)("E9: with a budget of Infinity none gives way, as on CPython: %s", async (_name, source) => {
    await run(async ({ loop }) => {
      Object.assign(loop, { awaitBudget: Infinity });
      const wait = source(loop);
      const turns = new Set<number>();
      await createTask(() => times(50_000, wait, () => turns.add(loop.statistics().turns)));
      expect(turns.size).toBe(1);
    });
  });
});

test("E9: a loop has a budget of ten thousand, unless another is set", () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  expect(loop).toHaveProperty("awaitBudget", 10_000);
  loop.close();
});

test("E9: each entry of the loop has the whole budget: what waits in between never gives way", async () => {
  await run(async ({ loop }) => {
    Object.assign(loop, { awaitBudget: 3 });
    const event = new asyncio.Event();
    event.set();
    const start = loop.statistics().turns;
    await createTask(async () => {
      for (let i = 0; i < 5; i++) {
        for (let j = 0; j < 3; j++) await event.wait();
        await sleep(0);
      }
    });
    // The task begins in the first turn, each sleep(0) takes one, and its end wakes the main task one later.
    expect(loop.statistics().turns - start).toBe(7);
  });
});

test("E9: `while ((line = await reader.readline()))` ends at its deadline", async () => {
  await runInPassingTime(async () => {
    const reader = new asyncio.StreamReader();
    reader.feedEof();
    const meter = new Meter();
    const readAll = async (): Promise<void> => {
      for (let line = await reader.readline(); line as unknown; line = await reader.readline()) meter.tick();
    };
    await expect((async () => await timeout(1, readAll))()).rejects.toThrow(asyncio.TimeoutError);
  });
});
