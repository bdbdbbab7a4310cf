/** CPython's test_locks in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { kinds, play, raisedBy, settle } from "./suite.ts";

const { createTask, sleep } = asyncio;

interface Acquirable {
  acquire(): asyncio.Coroutine<unknown>;
}

/** Tasks that acquire `lock`, write their number into `record`, and never release. */
function takers(lock: Acquirable, record: number[], numbers: readonly number[]): asyncio.Task<void>[] {
  return numbers.map((number) =>
    createTask(function* () {
      yield* lock.acquire();
      record.push(number);
    }),
  );
}

const bound = /is bound to a different event loop/;

describe("Lock", () => {
  test("shows whether it is locked, and how many wait", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      expect(String(lock)).toBe("<Lock [unlocked]>");
      yield* lock.acquire();
      expect(String(lock)).toBe("<Lock [locked]>");
      const waiting = createTask(lock.acquire());
      yield* sleep(0);
      expect(String(lock)).toBe("<Lock [locked, waiters:1]>");
      waiting.cancel();
    });
  });

  test("acquire() gives true and locks, release() unlocks", async () => {
    await play(async () => {
      const lock = new asyncio.Lock();
      expect(lock.locked()).toBe(false);
      expect(await lock.acquire()).toBe(true);
      expect(lock.locked()).toBe(true);
      lock.release();
      expect(lock.locked()).toBe(false);
    });
  });

  test("goes to one at a time, in the order in which they came", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      const record: number[] = [];
      yield* lock.acquire();
      takers(lock, record, [1, 2, 3]);
      yield* settle();
      expect(record).toEqual([]);
      for (const taken of [[1], [1, 2], [1, 2, 3]]) {
        lock.release();
        yield* settle();
        expect(record).toEqual(taken);
      }
    });
  });

  test("one who waits is cancelled: the line is empty, the lock is still held", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      yield* lock.acquire();
      const waiting = createTask(lock.acquire());
      yield* sleep(0);
      waiting.cancel();
      expect(yield* raisedBy(waiting)).toBeInstanceOf(asyncio.CancelledError);
      expect(lock.statistics()).toEqual({ locked: true, waiting: 0 });
    });
  });

  test.each([{ cancelFirst: true }, { cancelFirst: false }])(
    "the first in line is cancelled in the turn of the release (before it: $cancelFirst): the second gets it",
    async ({ cancelFirst }) => {
      await play(function* () {
        const lock = new asyncio.Lock();
        yield* lock.acquire();
        const record: number[] = [];
        const [first, second] = takers(lock, record, [1, 2]);
        yield* settle();
        if (cancelFirst) first!.cancel();
        lock.release();
        if (!cancelFirst) first!.cancel();
        yield* settle();
        expect([first!.cancelled(), second!.done(), record, lock.locked()]).toEqual([true, true, [2], true]);
      });
    },
  );

  test("four want it, the second is cancelled as the first releases: only one more gets it", async () => {
    await play(function* ({ loop }) {
      const lock = new asyncio.Lock();
      const record: number[] = [];
      yield* lock.acquire();
      const [first, second, third] = takers(lock, record, [1, 2, 3]);
      yield* sleep(0);
      loop.callSoon(() => {
        first!.cancel();
        lock.release();
      });
      expect(yield* raisedBy(first!)).toBeInstanceOf(asyncio.CancelledError);
      yield* settle();
      expect([record, second!.done(), third!.done()]).toEqual([[2], true, false]);
      third!.cancel();
    });
  });

  test("the one in line is cancelled, and a newcomer begins in the same turn: it gets the lock", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      yield* lock.acquire();
      const waiting = createTask(lock.acquire());
      yield* sleep(0);
      const newcomer = createTask(lock.acquire());
      waiting.cancel();
      lock.release();
      yield* sleep(0);
      expect([lock.locked(), waiting.cancelled()]).toEqual([true, true]);
      yield* newcomer;
    });
  });

  test("release() of a free lock is an error; without anybody waiting it just frees it", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      expect(() => lock.release()).toThrow(new asyncio.RuntimeError("Lock is not acquired"));
      yield* lock.acquire();
      lock.release();
      expect(lock.locked()).toBe(false);
    });
  });

  test("is bound to the loop in which somebody waited first", async () => {
    const lock = new asyncio.Lock();
    const condition = new asyncio.Condition();
    await play(function* () {
      yield* lock.acquire();
      const waiting = [createTask(lock.acquire()), createTask(() => condition.hold(() => condition.wait()))];
      yield* sleep(0);
      for (const task of waiting) task.cancel();
    });
    await play(function* () {
      expect(String(yield* raisedBy(lock.acquire()))).toMatch(bound);
      expect(String(yield* raisedBy(condition.hold(() => condition.wait())))).toMatch(bound);
    });
  });
});

describe("Event", () => {
  test("shows whether it is set, and how many wait", async () => {
    await play(function* () {
      const event = new asyncio.Event();
      expect(String(event)).toBe("<Event [unset]>");
      const waiting = createTask(event.wait());
      yield* sleep(0);
      expect(String(event)).toBe("<Event [unset, waiters:1]>");
      event.set();
      yield* waiting;
      expect(String(event)).toBe("<Event [set]>");
    });
  });

  test("wait() waits until set() wakes everybody, and passes at once when it is set", async () => {
    await play(function* () {
      const event = new asyncio.Event();
      const waiting = [1, 2, 3].map(() => createTask(event.wait()));
      yield* settle();
      expect([event.isSet(), ...waiting.map((task) => task.done())]).toEqual([false, false, false, false]);
      event.set();
      expect(yield* asyncio.gather(waiting)).toEqual([true, true, true]);
      expect(yield* event.wait()).toBe(true);
    });
  });

  test("one who waits and is cancelled leaves no trace", async () => {
    await play(function* () {
      const event = new asyncio.Event();
      const waiting = createTask(event.wait());
      yield* sleep(0);
      waiting.cancel();
      expect(yield* raisedBy(waiting)).toBeInstanceOf(asyncio.CancelledError);
      expect(event.statistics()).toEqual({ set: false, waiting: 0 });
    });
  });

  test("clear() right after set(): those who waited go on all the same", async () => {
    await play(async () => {
      const event = new asyncio.Event();
      event.clear();
      expect(event.isSet()).toBe(false);
      const record: number[] = [];
      const waiter = createTask(async () => {
        if (await event.wait()) record.push(1);
        return true;
      });
      await sleep(0);
      event.set();
      event.clear();
      expect(event.isSet()).toBe(false);
      expect(await waiter).toBe(true);
      expect([record, event.statistics().waiting]).toEqual([[1], 0]);
    });
  });
});

describe("Condition", () => {
  /** Tasks that wait for `condition`, write their number and keep the lock. */
  function waiters(condition: asyncio.Condition, record: number[], numbers: readonly number[]): asyncio.Task<void>[] {
    return numbers.map((number) =>
      createTask(function* () {
        yield* condition.acquire();
        yield* condition.wait();
        record.push(number);
      }),
    );
  }

  test("those notified go on one after the other, each when it has the lock", async () => {
    await play(function* () {
      const condition = new asyncio.Condition();
      const record: number[] = [];
      waiters(condition, record, [1, 2, 3]);
      yield* settle();
      expect([record, condition.locked()]).toEqual([[], false]);
      yield* condition.acquire();
      condition.notify();
      yield* settle();
      expect([record, condition.locked()]).toEqual([[], true]);
      condition.release();
      yield* settle();
      expect([record, condition.locked()]).toEqual([[1], true]);
      condition.notify(2);
      yield* settle();
      expect(record).toEqual([1]);
      condition.release();
      yield* settle();
      expect(record).toEqual([1, 2]);
      condition.release();
      yield* settle();
      expect([record, condition.locked()]).toEqual([[1, 2, 3], true]);
    });
  });

  test("notify(n) wakes n, a great n all, notifyAll() all", async () => {
    await play(function* () {
      for (const [count, expected] of [
        [1, 1],
        [2, 2],
        [2048, 3],
        [Infinity, 3],
      ] as const) {
        const condition = new asyncio.Condition();
        let woken = 0;
        const tasks = [1, 2, 3].map(() =>
          createTask(() =>
            condition.hold(function* () {
              yield* condition.wait();
              woken++;
            }),
          ),
        );
        yield* settle();
        yield* condition.hold(async () => {
          if (count === Infinity) condition.notifyAll();
          else condition.notify(count);
        });
        yield* settle();
        expect(woken).toBe(expected);
        for (const task of tasks) task.cancel();
      }
    });
  });

  test("wait() is cancelled: the line is empty, and the lock is held", async () => {
    await play(function* () {
      const condition = new asyncio.Condition();
      yield* condition.acquire();
      const waiting = createTask(condition.wait());
      yield* sleep(0);
      expect(condition.locked()).toBe(false);
      waiting.cancel();
      expect(yield* raisedBy(waiting)).toBeInstanceOf(asyncio.CancelledError);
      expect(condition.statistics()).toEqual({ locked: true, acquiring: 0, waiting: 0 });
    });
  });

  test("wait() is cancelled while the lock is contested: it has the lock in the end", async () => {
    await play(function* ({ loop }) {
      const condition = new asyncio.Condition();
      yield* condition.acquire();
      const waiting = createTask(condition.wait());
      yield* sleep(0);
      yield* condition.acquire();
      condition.notify();
      loop.callSoon(() => waiting.cancel());
      loop.callSoon(() => condition.release());
      yield* asyncio.gather([waiting], { returnExceptions: true });
      expect(condition.locked()).toBe(true);
    });
  });

  test("wait() is cancelled after the notification, while it waits for the lock", async () => {
    await play(async () => {
      const condition = new asyncio.Condition();
      let waited = false;
      const waiting = createTask(() =>
        condition.hold(async () => {
          waited = true;
          await condition.wait();
        }),
      );
      await sleep(0);
      await condition.acquire();
      condition.notify();
      await sleep(0);
      waiting.cancel();
      await sleep(0);
      expect(waiting.done()).toBe(false);
      condition.release();
      await asyncio.gather(waiting, { returnExceptions: true });
      expect([waited, waiting.cancelled(), condition.locked()]).toEqual([true, true, false]);
    });
  });

  test("wait(), waitFor() that must wait, notify() and notifyAll() are errors without the lock", async () => {
    await play(function* () {
      const condition = new asyncio.Condition();
      expect(yield* raisedBy(condition.wait())).toEqual(new asyncio.RuntimeError("cannot wait on un-acquired lock"));
      expect(yield* raisedBy(condition.waitFor(() => false))).toBeInstanceOf(asyncio.RuntimeError);
      expect(yield* condition.waitFor(() => [1, 2, 3])).toEqual([1, 2, 3]);
      const refusal = new asyncio.RuntimeError("cannot notify on un-acquired lock");
      expect(() => condition.notify()).toThrow(refusal);
      expect(() => condition.notifyAll()).toThrow(refusal);
    });
  });

  test("waitFor() asks after each notification, and gives what the predicate gave", async () => {
    await play(function* () {
      const condition = new asyncio.Condition();
      let present = false;
      let asked = 0;
      const waiting = createTask(() =>
        condition.hold(() =>
          condition.waitFor(() => {
            asked++;
            return present && "present";
          }),
        ),
      );
      for (const isPresent of [false, true]) {
        yield* settle();
        expect(waiting.done()).toBe(false);
        present = isPresent;
        yield* condition.hold(async () => condition.notify());
      }
      expect(yield* waiting).toBe("present");
      expect(asked).toBe(3);
    });
  });

  test("shows its lock and its line", async () => {
    await play(function* () {
      const condition = new asyncio.Condition();
      expect(String(condition)).toBe("<Condition [unlocked]>");
      yield* condition.acquire();
      expect(String(condition)).toBe("<Condition [locked]>");
      const waiting = [createTask(condition.wait())];
      yield* sleep(0);
      expect(String(condition)).toBe("<Condition [unlocked, waiters:1]>");
      yield* condition.acquire();
      waiting.push(createTask(condition.wait()));
      yield* sleep(0);
      expect(String(condition)).toBe("<Condition [unlocked, waiters:2]>");
      for (const task of waiting) task.cancel();
    });
  });

  test("shares a lock it is given", async () => {
    await play(function* () {
      const lock = new asyncio.Lock();
      const [one, other] = [new asyncio.Condition(lock), new asyncio.Condition(lock)];
      yield* one.hold(function* () {
        yield* sleep(0);
        expect([lock.locked(), other.locked()]).toEqual([true, true]);
      });
      expect([lock.locked(), one.locked()]).toEqual([false, false]);
    });
  });

  test("a deadline inside of the block: the lock is held again when TimeoutError comes", async () => {
    await play(async () => {
      const condition = new asyncio.Condition();
      await condition.hold(async () => {
        await expect(async () => await asyncio.waitFor(condition.wait(), 1)).rejects.toThrow(asyncio.TimeoutError);
        expect(condition.locked()).toBe(true);
      });
      expect(condition.locked()).toBe(false);
    });
  });

  test.each([{ where: "the wait" }, { where: "the lock" }])(
    "cancelled in $where, the error comes out as it went in",
    async ({ where }) => {
      await play(function* () {
        const condition = new asyncio.Condition();
        let wake = false;
        let inside: unknown;
        const task = createTask(() =>
          condition.hold(function* () {
            inside = yield* raisedBy(condition.waitFor(() => wake));
            throw inside;
          }),
        );
        yield* sleep(0);
        if (where === "the lock") {
          yield* condition.acquire();
          wake = true;
          condition.notify();
          yield* sleep(0);
        }
        task.cancel("foo");
        if (where === "the lock") condition.release();
        const outside = yield* raisedBy(task);
        expect(outside).toEqual(new asyncio.CancelledError("foo"));
        expect(outside).toBe(inside);
      });
    },
  );

  test.each([{ turns: 0 }, { turns: 1 }])(
    "a consumer is notified, and cancelled $turns turns later: the other one gets the notification",
    async ({ turns }) => {
      await play(function* () {
        const condition = new asyncio.Condition();
        let items = 0;
        let taken = 0;
        const consumers = [1, 2].map(() =>
          createTask(() =>
            condition.hold(function* () {
              yield* condition.waitFor(() => items > 0);
              items--;
              taken++;
            }),
          ),
        );
        yield* sleep(1);
        yield* condition.hold(function* () {
          items = 1;
          condition.notify(1);
          for (let i = 0; i < turns; i++) yield* sleep(0);
          consumers[0]!.cancel();
        });
        yield* consumers[1]!;
        expect([taken, items, consumers[0]!.cancelled()]).toEqual([1, 0, true]);
      });
    },
  );
});

describe("Semaphore", () => {
  test("with nothing at first: locked, until somebody releases", async () => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(0);
      expect(semaphore.locked()).toBe(true);
      semaphore.release();
      expect(semaphore.locked()).toBe(false);
      expect(yield* semaphore.acquire()).toBe(true);
    });
  });

  test("shows its value and its line", async () => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore();
      expect(String(semaphore)).toBe("<Semaphore [unlocked, value:1]>");
      yield* semaphore.acquire();
      expect(String(semaphore)).toBe("<Semaphore [locked]>");
      const waiting = [createTask(semaphore.acquire()), createTask(semaphore.acquire())];
      yield* sleep(0);
      expect(String(semaphore)).toBe("<Semaphore [locked, waiters:2]>");
      for (const task of waiting) task.cancel();
      expect(String(new asyncio.BoundedSemaphore(4))).toBe("<BoundedSemaphore [unlocked, value:4]>");
    });
  });

  test("is 1 by default, counts down and up, and refuses a negative value", async () => {
    await play(async () => {
      const semaphore = new asyncio.Semaphore();
      expect(semaphore.statistics().value).toBe(1);
      expect(await semaphore.acquire()).toBe(true);
      expect([semaphore.statistics().value, semaphore.locked()]).toEqual([0, true]);
      semaphore.release();
      semaphore.release();
      expect(semaphore.statistics().value).toBe(2);
    });
    expect(() => new asyncio.Semaphore(-1)).toThrow(RangeError);
  });

  test("lets as many in as its value, then one for each release", async () => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(3);
      const record: number[] = [];
      yield* semaphore.acquire();
      yield* semaphore.acquire();
      takers(semaphore, record, [1, 2, 3, 4]);
      yield* settle();
      expect([record, semaphore.locked(), semaphore.statistics().waiting]).toEqual([[1], true, 3]);
      semaphore.release();
      semaphore.release();
      expect(semaphore.statistics().value).toBe(0);
      yield* settle();
      expect(record).toEqual([1, 2, 3]);
      semaphore.release();
      yield* settle();
      expect([record, semaphore.statistics()]).toEqual([[1, 2, 3, 4], { value: 0, waiting: 0 }]);
    });
  });

  test("one who waits is cancelled and leaves no trace", async () => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(0);
      const waiting = createTask(semaphore.acquire());
      yield* sleep(0);
      waiting.cancel();
      expect(yield* raisedBy(waiting)).toBeInstanceOf(asyncio.CancelledError);
      expect(semaphore.statistics()).toEqual({ value: 0, waiting: 0 });
    });
  });

  test.each([1, 2])("the first %d in line are cancelled before a release: the next one gets it", async (count) => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(0);
      const record: number[] = [];
      const tasks = takers(semaphore, record, [0, 1, 2, 3]);
      yield* sleep(0);
      for (const task of tasks.slice(0, count)) task.cancel();
      semaphore.release();
      yield* settle();
      expect([record, semaphore.locked()]).toEqual([[count], true]);
    });
  });

  test("one who was just woken is cancelled by the one who released: nothing is lost", async () => {
    await play(async () => {
      const semaphore = new asyncio.Semaphore(1);
      const holder = createTask(async () => {
        await semaphore.hold(async () => {
          await sleep(0);
          waiting.cancel();
        });
      });
      const waiting = createTask(async () => {
        await semaphore.hold(async () => expect.unreachable());
      });
      const [first, second] = await asyncio.gather(holder, waiting, { returnExceptions: true });
      expect([first, asyncio.isCancelled(second)]).toEqual([undefined, true]);
      expect(await asyncio.waitFor(semaphore.acquire(), 1)).toBe(true);
    });
  });

  test("a bounded one refuses to be released too often; a plain one counts up", async () => {
    const refusal = new RangeError("BoundedSemaphore released too many times");
    expect(() => new asyncio.BoundedSemaphore().release()).toThrow(refusal);
    await play(function* () {
      const semaphore = new asyncio.BoundedSemaphore();
      yield* semaphore.acquire();
      semaphore.release();
      expect(semaphore.locked()).toBe(false);
      expect(() => semaphore.release()).toThrow(refusal);
    });
  });

  test("those who release and acquire again stand at the end of the line", async () => {
    await play(async () => {
      const semaphore = new asyncio.Semaphore(1);
      const record: string[] = [];
      const worker = asyncio.coroutine(async (name: string) => {
        for (const round of [1, 2]) {
          await semaphore.acquire();
          record.push(`${name}${round}`);
          await sleep(1);
          semaphore.release();
        }
      });
      await asyncio.gather(["a", "b", "c"].map((name) => worker(name)));
      expect(record).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
    });
  });

  test.each([
    { value: 1, releases: 2 },
    { value: 0, releases: 3 },
  ])("from $value, released $releases times at once: nobody overtakes", async ({ value, releases }) => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(value);
      const record: number[] = [];
      const [first] = takers(semaphore, record, [1]);
      const again = createTask(function* () {
        yield* semaphore.acquire();
        record.push(2);
        semaphore.release();
        yield* semaphore.acquire();
        record.push(4);
      });
      const [third] = takers(semaphore, record, [3]);
      yield* sleep(0);
      for (let i = 0; i < releases; i++) semaphore.release();
      yield* asyncio.gather(first!, again, third!);
      expect(record).toEqual([1, 2, 3, 4]);
    });
  });

  test("the first in line is cancelled, then two are released: the others get them in order", async () => {
    await play(function* () {
      const semaphore = new asyncio.Semaphore(0);
      const record: number[] = [];
      const tasks = takers(semaphore, record, [1, 2, 3]);
      yield* sleep(0);
      tasks[0]!.cancel();
      yield* sleep(0);
      semaphore.release();
      semaphore.release();
      yield* asyncio.gather(tasks, { returnExceptions: true });
      expect(record).toEqual([2, 3]);
    });
  });
});

describe("Barrier", () => {
  const brokenByChange = new asyncio.BrokenBarrierError("Abort or reset of barrier");

  /** As many tasks, each of which waits at the barrier and writes the place it got, or the error's message. */
  function visitors(barrier: asyncio.Barrier, count: number, record: unknown[]): asyncio.Task<void>[] {
    return Array.from({ length: count }, () =>
      createTask(function* () {
        try {
          record.push(yield* barrier.wait());
        } catch (error) {
          record.push(error instanceof asyncio.BrokenBarrierError ? error.message : (error as Error).name);
        }
      }),
    );
  }

  test("is filling and not broken at first, and shows itself in every state", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(2);
      expect([barrier.parties, barrier.nWaiting, barrier.broken]).toEqual([2, 0, false]);
      expect(String(barrier)).toBe("<Barrier [filling, waiters:0/2]>");
      const record: unknown[] = [];
      visitors(barrier, 1, record);
      yield* sleep(0);
      expect(String(barrier)).toBe("<Barrier [filling, waiters:1/2]>");
      visitors(barrier, 1, record);
      yield* sleep(0);
      expect(String(barrier)).toBe("<Barrier [draining, waiters:0/2]>");
      yield* settle();
      yield* barrier.abort();
      expect(String(barrier)).toBe("<Barrier [broken]>");
      yield* barrier.reset();
      expect(String(barrier)).toBe("<Barrier [filling, waiters:0/2]>");
    });
  });

  test("needs at least one party", async () => {
    for (const parties of [0, -1, 1.5]) expect(() => new asyncio.Barrier(parties)).toThrow(RangeError);
    await play(function* () {
      const barrier = new asyncio.Barrier(1);
      for (const _ of [1, 2]) expect(yield* barrier.wait()).toBe(0);
      expect(barrier.nWaiting).toBe(0);
    });
  });

  test("those who come one after the other wait for the last, and each has a place of its own", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(5);
      const record: unknown[] = [];
      for (let arrived = 0; arrived < 4; arrived++) {
        expect(barrier.nWaiting).toBe(arrived);
        visitors(barrier, 1, record);
        yield* settle();
      }
      expect([record, barrier.nWaiting]).toEqual([[], 4]);
      expect(yield* barrier.wait()).toBe(4);
      yield* settle();
      expect([record.toSorted(), barrier.nWaiting, barrier.broken]).toEqual([[0, 1, 2, 3], 0, false]);
    });
  });

  test("is used round after round by the same tasks", async () => {
    await play(async () => {
      const barrier = new asyncio.Barrier(3);
      const rounds: number[][] = [[], [], []];
      const task = asyncio.coroutine(async () => {
        for (const places of rounds) places.push(await barrier.wait());
      });
      await asyncio.gather(task(), task(), task());
      expect(rounds.map((places) => places.toSorted())).toEqual([
        [0, 1, 2],
        [0, 1, 2],
        [0, 1, 2],
      ]);
    });
  });

  test("twice as many tasks as parties pass in two rounds", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(3);
      const record: unknown[] = [];
      yield* asyncio.gather(visitors(barrier, 6, record));
      expect(record.toSorted()).toEqual([0, 0, 1, 1, 2, 2]);
      expect(barrier.statistics()).toEqual({ state: "filling", parties: 3, inside: 0 });
    });
  });

  test("who comes while it drains waits for the next round", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(2);
      const record: unknown[] = [];
      visitors(barrier, 1, record);
      yield* sleep(0);
      const last = createTask(function* () {
        yield* barrier.wait();
        expect([barrier.statistics().state, barrier.nWaiting]).toEqual(["draining", 0]);
      });
      const late = visitors(barrier, 1, record);
      yield* last;
      yield* settle();
      expect([record, barrier.statistics().state, barrier.nWaiting]).toEqual([[0], "filling", 1]);
      expect([yield* barrier.wait(), late[0]!.done()]).toEqual([1, false]);
      yield* settle();
      expect(record).toEqual([0, 0]);
    });
  });

  test("one who is cancelled has not come", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(3);
      const record: unknown[] = [];
      const [first, second] = visitors(barrier, 2, record);
      yield* settle();
      first!.cancel();
      yield* settle();
      expect([barrier.nWaiting, barrier.broken, second!.done()]).toEqual([1, false, false]);
      visitors(barrier, 2, record);
      yield* settle();
      expect(record).toHaveLength(4);
      expect(record[0]).toBe("CancelledError");
    });
  });

  test("reset() of an empty one changes nothing; it sends those who wait away, and is as new", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(3);
      yield* barrier.reset();
      expect(barrier.broken).toBe(false);
      const record: unknown[] = [];
      visitors(barrier, 2, record);
      yield* settle();
      yield* barrier.reset();
      yield* settle();
      expect(record).toEqual([brokenByChange.message, brokenByChange.message]);
      expect([barrier.broken, barrier.nWaiting]).toEqual([false, 0]);
      const again: unknown[] = [];
      visitors(barrier, 3, again);
      yield* settle();
      expect(again.toSorted()).toEqual([0, 1, 2]);
    });
  });

  test("those whom reset() sent away may come again at once", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(2);
      const record: unknown[] = [];
      createTask(function* () {
        record.push(yield* raisedBy(barrier.wait()), yield* barrier.wait());
      });
      yield* settle();
      yield* barrier.reset();
      yield* settle();
      expect(barrier.nWaiting).toBe(1);
      yield* barrier.wait();
      yield* settle();
      expect(record).toEqual([brokenByChange, 0]);
    });
  });

  test("reset() while half of them have left: the others get the error, who waits outside comes in", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(4);
      const record: unknown[] = [];
      let left = 0;
      for (let i = 0; i < 4; i++) {
        createTask(function* () {
          try {
            yield* barrier.wait();
            if (++left === 2) yield* barrier.reset();
            record.push("passed");
          } catch (error) {
            record.push((error as Error).message);
          }
        });
      }
      const outside: unknown[] = [];
      visitors(barrier, 1, outside);
      yield* settle();
      yield* settle();
      // Those already drained pass, as in CPython, where the reset waits for the lock that they take one by one.
      expect(record).toHaveLength(4);
      expect([barrier.broken, barrier.statistics().state, barrier.nWaiting, outside]).toEqual([
        false,
        "filling",
        1,
        [],
      ]);
    });
  });

  test("abort() sends those who wait away and refuses who comes, until reset()", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(3);
      const record: unknown[] = [];
      visitors(barrier, 2, record);
      yield* settle();
      yield* barrier.abort();
      yield* settle();
      expect(record).toEqual([brokenByChange.message, brokenByChange.message]);
      expect([barrier.broken, barrier.nWaiting]).toEqual([true, 0]);
      expect(yield* raisedBy(barrier.wait())).toEqual(new asyncio.BrokenBarrierError("Barrier aborted"));
      yield* barrier.reset();
      expect(barrier.broken).toBe(false);
      const again: unknown[] = [];
      visitors(barrier, 3, again);
      yield* settle();
      expect(again.toSorted()).toEqual([0, 1, 2]);
    });
  });

  test("abort() by one that has passed, with another outside: nobody hangs, and it is broken", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(3);
      const record: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        createTask(function* () {
          try {
            if ((yield* barrier.wait()) === 2) yield* barrier.abort();
            record.push("passed");
          } catch (error) {
            record.push((error as Error).message);
          }
        });
      }
      const outside: unknown[] = [];
      visitors(barrier, 2, outside);
      yield* settle();
      yield* settle();
      expect(record).toHaveLength(3);
      expect(outside).toEqual(["Barrier aborted", "Barrier aborted"]);
      expect([barrier.broken, barrier.nWaiting]).toEqual([true, 0]);
    });
  });

  test("a task that fails aborts it: the others hear of it; after reset() it works again", async () => {
    await play(function* () {
      const barrier = new asyncio.Barrier(4);
      const record: unknown[] = [];
      const good = visitors(barrier, 3, record);
      const bad = createTask(function* () {
        try {
          yield* sleep(1);
          throw new RangeError("cannot come");
        } catch (error) {
          yield* barrier.abort();
          throw error;
        }
      });
      expect(kinds(yield* raisedBy(bad))).toBe("RangeError");
      yield* asyncio.gather(good);
      expect([record, barrier.broken]).toEqual([Array(3).fill(brokenByChange.message), true]);
      yield* barrier.reset();
      const again: unknown[] = [];
      yield* asyncio.gather(visitors(barrier, 4, again));
      expect([again.toSorted(), barrier.broken]).toEqual([[0, 1, 2, 3], false]);
    });
  });
});

test("locks can be made before any loop runs, and outside of one", async () => {
  const lock = new asyncio.Lock();
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  expect(await loop.runUntilComplete(lock.acquire())).toBe(true);
  loop.close();
});
