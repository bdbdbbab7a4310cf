/**
 * Crowds on one thing: who is cancelled in the middle of a line costs what it is, and not the line.
 */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { CROWD } from "../../sizes.ts";
import { run } from "../../virtual.ts";

const { createTask, shield, sleep, wait } = asyncio;

/** What a crowd waits for, and what must be true of it when the crowd has gone. */
interface Attraction {
  /** One wait of one task. */
  readonly wait: () => asyncio.Awaitable<unknown>;
  /** Looks at what is left when everybody is cancelled. */
  readonly after: () => void | Promise<void>;
  /** Around each wait, as a condition's lock. */
  readonly lock?: asyncio.Lock;
}

type Make = (loop: asyncio.BaseEventLoop) => Attraction | Promise<Attraction>;

const ATTRACTIONS: readonly [name: string, make: Make][] = [
  [
    "E12: one shielded future",
    (loop) => {
      const shared = loop.createFuture<number>();
      const bare = String(loop.createFuture());
      return {
        wait: () => shield(shared),
        // CPython keeps one callback on the inner future, which reports its error if nobody else does.
        after: () => {
          expect(String(shared).length).toBeLessThan(bare.length + 100);
          shared.setResult(1);
        },
      };
    },
  ],
  [
    "E12: one future in wait()",
    (loop) => {
      const shared = loop.createFuture();
      const bare = String(loop.createFuture());
      return { wait: () => wait([shared]), after: () => expect(String(shared)).toBe(bare) };
    },
  ],
  [
    "H7: a Lock",
    async () => {
      const lock = new asyncio.Lock();
      await lock.acquire();
      return {
        wait: () => lock.acquire(),
        after: () => {
          lock.release();
          expect(lock.locked()).toBe(false);
        },
      };
    },
  ],
  [
    "H7: a Semaphore",
    () => {
      const semaphore = new asyncio.Semaphore(0);
      return {
        wait: () => semaphore.acquire(),
        after: async () => {
          semaphore.release();
          await semaphore.acquire();
          expect(semaphore.locked()).toBe(true);
        },
      };
    },
  ],
  [
    "E12: a Condition",
    () => {
      const lock = new asyncio.Lock();
      const condition = new asyncio.Condition(lock);
      return { wait: () => condition.wait(), after: () => expect(lock.locked()).toBe(false), lock };
    },
  ],
  [
    "H7: a Barrier",
    () => {
      const barrier = new asyncio.Barrier(CROWD + 1);
      return {
        wait: () => barrier.wait(),
        // CPython: the same; a barrier that is left by cancellation is not broken.
        after: () => expect([barrier.nWaiting, barrier.broken]).toEqual([0, false]),
      };
    },
  ],
  [
    "H7: an Event",
    () => {
      const event = new asyncio.Event();
      return { wait: () => event.wait(), after: () => event.set() };
    },
  ],
  [
    "H7: a Queue that is empty",
    () => {
      const queue = new asyncio.Queue<number>();
      return {
        wait: () => queue.get(),
        after: () => {
          queue.putNowait(1);
          expect(queue.getNowait()).toBe(1);
        },
      };
    },
  ],
  [
    "H7: a Queue that is full",
    () => {
      const queue = new asyncio.Queue<number>(1);
      queue.putNowait(0);
      return {
        wait: () => queue.put(1),
        after: () => {
          expect([queue.getNowait(), queue.qsize()]).toEqual([0, 0]);
          queue.putNowait(2);
        },
      };
    },
  ],
];

/** Tasks that make one wait, in either syntax. */
const SYNTAXES = [
  {
    syntax: "async functions",
    visit: ({ wait: once, lock }: Attraction) =>
      createTask(async () => {
        if (lock !== undefined) await lock.acquire();
        try {
          await once();
        } finally {
          lock?.release();
        }
      }),
  },
  {
    syntax: "generators",
    visit: ({ wait: once, lock }: Attraction) =>
      createTask(function* () {
        if (lock !== undefined) yield* lock.acquire();
        try {
          yield* once();
        } finally {
          lock?.release();
        }
      } as unknown as () => Promise<void>),
  },
];

/** The places of a crowd: a quarter from the front, in order, a quarter from the end, backwards, and the middle in no order. */
function places(): number[] {
  const quarter = CROWD / 4;
  const step = 30_901; // has no factor in common with the half
  const front = Array.from({ length: quarter }, (_, i) => i);
  const end = Array.from({ length: quarter }, (_, i) => CROWD - 1 - i);
  const middle = Array.from({ length: 2 * quarter }, (_, i) => quarter + ((i * step) % (2 * quarter)));
  return [...front, ...end, ...middle];
}

describe.each(SYNTAXES)("in $syntax", ({ visit }) => {
  test.each(ATTRACTIONS)("%s loses a crowd that is cancelled one by one", async (_name, make) => {
    await run(async ({ loop }) => {
      const attraction = await make(loop);
      const crowd = Array.from({ length: CROWD }, () => visit(attraction));
      await sleep(1);
      for (const place of places()) crowd[place]!.cancel();
      await asyncio.gather(crowd, { returnExceptions: true });
      expect(crowd.filter((task) => !task.cancelled())).toEqual([]);
      await attraction.after();
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
  });
});
