/** Lock, Event, Condition, Semaphore and Barrier, each by its behaviour. */

import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, sleep } = asyncio;

describe("Lock", () => {
  test("is taken at once when it is free, without a turn", async () => {
    await run(async ({ loop }) => {
      const lock = new asyncio.Lock();
      const { turns } = loop.statistics();
      expect(await lock.acquire()).toBe(true);
      expect([lock.locked(), loop.statistics().turns - turns]).toEqual([true, 0]);
      lock.release();
      expect(lock.locked()).toBe(false);
    });
  });

  test("goes to those who wait in the order they came", async () => {
    const record: string[] = [];
    await run(async () => {
      const lock = new asyncio.Lock();
      const worker = asyncio.coroutine(async (name: string) => {
        await lock.hold(async () => {
          record.push(name);
          await sleep(0);
        });
      });
      await asyncio.gather(["a", "b", "c", "d"].map((name) => worker(name)));
    });
    expect(record).toEqual(["a", "b", "c", "d"]);
  });

  test("cannot be snatched between a release and the turn of the one who was woken", async () => {
    const record: string[] = [];
    await run(async () => {
      const lock = new asyncio.Lock();
      await lock.acquire();
      const waiting = createTask(() => lock.hold(async () => void record.push("first in line")));
      await sleep(0);
      lock.release();
      expect(lock.locked()).toBe(false);
      await lock.hold(async () => void record.push("latecomer"));
      await waiting;
    });
    expect(record).toEqual(["first in line", "latecomer"]);
  });

  test("is free for a newcomer when everybody in line has been cancelled", async () => {
    await run(async ({ loop }) => {
      const lock = new asyncio.Lock();
      await lock.acquire();
      const waiting = [1, 2].map(() => createTask(lock.acquire()));
      await sleep(0);
      lock.release();
      for (const task of waiting) task.cancel();
      const { turns } = loop.statistics();
      const taken = createTask(function* () {
        yield* lock.acquire();
        return loop.statistics().turns;
      });
      expect(((await taken) as number) - turns).toBeLessThanOrEqual(2);
      await asyncio.gather(...waiting, { returnExceptions: true });
      expect(lock.statistics()).toEqual({ locked: true, waiting: 0 });
    });
  });

  test("release() of a free lock is an error", async () => {
    const lock = new asyncio.Lock();
    expect(() => lock.release()).toThrow(new asyncio.RuntimeError("Lock is not acquired"));
  });

  test("shows its state, and who waits, in text and numbers", async () => {
    await run(async () => {
      const lock = new asyncio.Lock();
      expect(String(lock)).toBe("<Lock [unlocked]>");
      await lock.acquire();
      const task = createTask(lock.acquire());
      await sleep(0);
      expect(inspect(lock)).toBe("<Lock [locked, waiters:1]>");
      expect(lock.statistics()).toEqual({ locked: true, waiting: 1 });
      expect(String(task)).toContain("wait_for=<Future pending cb=[Task.wakeup()]>");
      lock.release();
      await task;
    });
  });
});

describe("hold()", () => {
  const makers: readonly [string, () => asyncio.Lock | asyncio.Condition | asyncio.Semaphore][] = [
    ["Lock", () => new asyncio.Lock()],
    ["Condition", () => new asyncio.Condition()],
    ["Semaphore", () => new asyncio.Semaphore(1)],
    ["BoundedSemaphore", () => new asyncio.BoundedSemaphore(1)],
  ];

  describe.each(makers)("of a %s", (_name, make) => {
    test("with a body: its result, and released whatever happens, in both syntaxes", async () => {
      await run(async () => {
        const lock = make();
        const name: string = await lock.hold(async () => "async");
        const size: number = await lock.hold(function* () {
          yield* sleep(1);
          expect(lock.locked()).toBe(true);
          return 5;
        });
        expect([name, size, lock.locked()]).toEqual(["async", 5, false]);
        const failing = lock.hold(async () => {
          throw new RangeError("inside");
        });
        expect(await outcomeOf(failing)).toEqual(new RangeError("inside"));
        expect(lock.locked()).toBe(false);
      });
    });

    test("with `using`: released at the end of the block", async () => {
      await run(async () => {
        const lock = make();
        {
          using held = await lock.hold();
          expect(typeof held.release).toBe("function");
          expect(lock.locked()).toBe(true);
        }
        expect(lock.locked()).toBe(false);
        await createTask(function* () {
          using _held = yield* lock.hold();
          yield* sleep(0);
          expect(lock.locked()).toBe(true);
        });
        expect(lock.locked()).toBe(false);
      });
    });

    test("a hold releases once, also when it is disposed of twice", async () => {
      await run(async () => {
        const lock = make();
        const held = await lock.hold();
        held.release();
        const other = await lock.hold();
        held.release();
        held[Symbol.dispose]();
        expect(lock.locked()).toBe(true);
        other.release();
      });
    });

    test("of one who is cancelled in line holds nothing", async () => {
      await run(async () => {
        const lock = make();
        const held = await lock.hold();
        const task = createTask(async () => {
          using _held = await lock.hold();
          throw new Error("not reached");
        });
        await sleep(0);
        task.cancel();
        expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
        held.release();
        expect(lock.locked()).toBe(false);
      });
    });
  });
});

describe("Event", () => {
  test("wakes all who wait in the order they came, and passes at once while it is set", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const event = new asyncio.Event();
      const waiting = ["a", "b"].map((name) =>
        createTask(async () => {
          await event.wait();
          record.push(name);
        }),
      );
      await sleep(0);
      expect(event.statistics()).toEqual({ set: false, waiting: 2 });
      event.set();
      event.set();
      await asyncio.gather(waiting);
      const { turns } = loop.statistics();
      expect(await event.wait()).toBe(true);
      expect([event.isSet(), loop.statistics().turns]).toEqual([true, turns]);
    });
    expect(record).toEqual(["a", "b"]);
  });

  test("cleared right after it was set, it has woken those who waited, and makes the next one wait", async () => {
    await run(async () => {
      const event = new asyncio.Event();
      const early = createTask(event.wait());
      await sleep(0);
      event.set();
      event.clear();
      const late = createTask(event.wait());
      await sleep(1);
      expect([early.done(), late.done(), event.isSet()]).toEqual([true, false, false]);
      event.set();
      await late;
    });
  });

  test("can be set in a callback", async () => {
    await run(async ({ loop }) => {
      const event = new asyncio.Event();
      loop.callLater(5, () => event.set());
      await event.wait();
      expect(loop.time()).toBe(5);
    });
  });

  test("shows its state", async () => {
    await run(async () => {
      const event = new asyncio.Event();
      expect(String(event)).toBe("<Event [unset]>");
      const task = createTask(event.wait());
      await sleep(0);
      expect(String(event)).toBe("<Event [unset, waiters:1]>");
      event.set();
      await task;
      expect(inspect(event)).toBe("<Event [set]>");
    });
  });
});

describe("Condition", () => {
  test("notify(n) wakes that many, in the order they came, each with the lock", async () => {
    const record: string[] = [];
    await run(async () => {
      const condition = new asyncio.Condition();
      const waiting = ["a", "b", "c"].map((name) =>
        createTask(() =>
          condition.hold(async () => {
            expect(await condition.wait()).toBe(true);
            expect(condition.locked()).toBe(true);
            record.push(name);
            await sleep(1);
          }),
        ),
      );
      await sleep(0);
      expect(condition.statistics()).toEqual({ locked: false, acquiring: 0, waiting: 3 });
      await condition.acquire();
      condition.notify(0);
      condition.notify(2);
      condition.release();
      await sleep(5);
      expect(record).toEqual(["a", "b"]);
      await condition.hold(async () => condition.notifyAll());
      await asyncio.gather(waiting);
    });
    expect(record).toEqual(["a", "b", "c"]);
  });

  test("a notification is not for those who come later", async () => {
    await run(async () => {
      const condition = new asyncio.Condition();
      await condition.hold(async () => condition.notify());
      const late = createTask(() => condition.hold(() => condition.wait()));
      await sleep(1);
      expect(late.done()).toBe(false);
      await condition.hold(async () => condition.notify());
      await late;
    });
  });

  test("waitFor() asks with the lock held, and its result is what the predicate returned", async () => {
    await run(async () => {
      const condition = new asyncio.Condition();
      const stock: string[] = [];
      const asked: boolean[] = [];
      const task = createTask(() =>
        condition.hold(async () => {
          const item: string | undefined = await condition.waitFor(() => {
            asked.push(condition.locked());
            return stock.pop();
          });
          return item;
        }),
      );
      await sleep(0);
      await condition.hold(async () => condition.notify());
      await sleep(1);
      await condition.hold(async () => {
        stock.push("bread");
        condition.notify();
      });
      expect(await task).toBe("bread");
      expect(asked).toEqual([true, true, true]);
    });
  });

  test("waitFor() whose predicate is true at first does not let go of the lock", async () => {
    await run(async ({ loop }) => {
      const condition = new asyncio.Condition();
      await condition.acquire();
      const { turns } = loop.statistics();
      expect(await condition.waitFor(() => "at once")).toBe("at once");
      expect(loop.statistics().turns).toBe(turns);
      condition.release();
    });
  });

  test("a predicate that throws throws out of waitFor(), with the lock held", async () => {
    await run(async () => {
      const condition = new asyncio.Condition();
      await condition.acquire();
      const failing = condition.waitFor(() => {
        throw new RangeError("predicate");
      });
      expect(await outcomeOf(failing)).toEqual(new RangeError("predicate"));
      condition.release();
    });
  });

  test("without the lock, wait() and notify() are errors", async () => {
    await run(async () => {
      const condition = new asyncio.Condition();
      expect(await outcomeOf(condition.wait())).toEqual(new asyncio.RuntimeError("cannot wait on un-acquired lock"));
      expect(() => condition.notify()).toThrow(new asyncio.RuntimeError("cannot notify on un-acquired lock"));
      expect(() => condition.notifyAll()).toThrow(asyncio.RuntimeError);
      expect(() => condition.release()).toThrow(asyncio.RuntimeError);
    });
  });

  test("cancelled while it gets the lock back, it gets it first, and the last request is raised", async () => {
    await run(async ({ loop }) => {
      const condition = new asyncio.Condition();
      const task = createTask(() => condition.hold(() => condition.wait()));
      await sleep(0);
      await condition.acquire();
      condition.notify();
      await sleep(1);
      task.cancel("first");
      await sleep(1);
      task.cancel("second");
      await sleep(1);
      expect(task.done()).toBe(false);
      condition.release();
      expect(await outcomeOf(task)).toEqual(new asyncio.CancelledError("second"));
      expect([loop.time(), condition.locked(), task.cancelling()]).toEqual([3, false, 2]);
    });
  });

  test("several share one lock", async () => {
    await run(async () => {
      const lock = new asyncio.Lock();
      const [one, other] = [new asyncio.Condition(lock), new asyncio.Condition(lock)];
      const task = createTask(() => one.hold(() => one.wait()));
      await sleep(0);
      await lock.acquire();
      expect([one.locked(), other.locked()]).toEqual([true, true]);
      other.notifyAll();
      await sleep(1);
      expect(task.done()).toBe(false);
      one.notifyAll();
      lock.release();
      await task;
    });
  });

  test("shows its state", async () => {
    await run(async () => {
      const condition = new asyncio.Condition();
      expect(String(condition)).toBe("<Condition [unlocked]>");
      const task = createTask(() => condition.hold(() => condition.wait()));
      await sleep(0);
      await condition.acquire();
      expect(inspect(condition)).toBe("<Condition [locked, waiters:1]>");
      condition.notify();
      condition.release();
      await task;
    });
  });
});

describe("Semaphore", () => {
  test("lets that many in at once, and then the first in line for each that leaves", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const semaphore = new asyncio.Semaphore(2);
      const worker = asyncio.coroutine(async (name: string, seconds: number) => {
        await semaphore.hold(async () => {
          record.push(`${name} at ${loop.time()}`);
          await sleep(seconds);
        });
      });
      await asyncio.gather(worker("a", 3), worker("b", 1), worker("c", 1), worker("d", 1));
    });
    expect(record).toEqual(["a at 0", "b at 0", "c at 1", "d at 2"]);
  });

  test("a slot that was given back belongs to the first in line at once: nobody overtakes", async () => {
    const record: string[] = [];
    await run(async () => {
      const semaphore = new asyncio.Semaphore(1);
      await semaphore.acquire();
      const first = createTask(async () => {
        await semaphore.acquire();
        record.push("first");
      });
      await sleep(0);
      semaphore.release();
      expect([semaphore.locked(), semaphore.statistics()]).toEqual([true, { value: 0, waiting: 1 }]);
      const late = createTask(async () => {
        await semaphore.acquire();
        record.push("late");
      });
      await first;
      semaphore.release();
      await late;
    });
    expect(record).toEqual(["first", "late"]);
  });

  test("may be released more often than it was acquired, a bounded one not", async () => {
    await run(async () => {
      const plain = new asyncio.Semaphore(0);
      plain.release();
      plain.release();
      expect(plain.statistics()).toEqual({ value: 2, waiting: 0 });
      const bounded = new asyncio.BoundedSemaphore();
      expect(() => bounded.release()).toThrow(new RangeError("BoundedSemaphore released too many times"));
      await bounded.acquire();
      bounded.release();
    });
  });

  test.each([-1, 1.5, Number.NaN, Infinity, "2"])("refuses the value %s", (value) => {
    const message = "Semaphore initial value must be a whole number >= 0: received";
    expect(() => new asyncio.Semaphore(value as number)).toThrow(RangeError);
    expect(() => new asyncio.BoundedSemaphore(value as number)).toThrow(message);
  });

  test("shows its state", async () => {
    await run(async () => {
      const semaphore = new asyncio.BoundedSemaphore(1);
      expect(String(semaphore)).toBe("<BoundedSemaphore [unlocked, value:1]>");
      await semaphore.acquire();
      expect(String(semaphore)).toBe("<BoundedSemaphore [locked]>");
      const task = createTask(semaphore.acquire());
      await sleep(0);
      expect(inspect(semaphore)).toBe("<BoundedSemaphore [locked, waiters:1]>");
      semaphore.release();
      await task;
      expect(String(new asyncio.Semaphore(3))).toBe("<Semaphore [unlocked, value:3]>");
    });
  });
});

describe("Barrier", () => {
  test("lets everybody go when the last has come, who does not wait; places are in order of arrival", async () => {
    await run(async ({ loop }) => {
      const barrier = new asyncio.Barrier(3);
      const early = [1, 2].map(() => createTask(barrier.wait()));
      await sleep(1);
      expect([barrier.nWaiting, barrier.parties, barrier.broken]).toEqual([2, 3, false]);
      const { turns } = loop.statistics();
      const place: number = await barrier.wait();
      expect([place, loop.statistics().turns]).toEqual([2, turns]);
      expect(await asyncio.gather(early)).toEqual([0, 1]);
      expect(barrier.statistics()).toEqual({ state: "filling", parties: 3, inside: 0 });
    });
  });

  test("one who comes while it empties waits for the next round", async () => {
    const record: string[] = [];
    await run(async () => {
      const barrier = new asyncio.Barrier(2);
      const pass = asyncio.coroutine(async (name: string) => {
        await barrier.wait();
        record.push(name);
      });
      const first = createTask(pass("a"));
      await sleep(0);
      const tasks = ["b", "c", "d"].map((name) => createTask(pass(name)));
      await asyncio.gather(first, ...tasks);
    });
    expect(record.slice(0, 2).toSorted()).toEqual(["a", "b"]);
    expect(record.slice(2).toSorted()).toEqual(["c", "d"]);
  });

  test("for one party is always open", async () => {
    await run(async () => {
      const barrier = new asyncio.Barrier(1);
      expect([await barrier.wait(), await barrier.wait()]).toEqual([0, 0]);
    });
  });

  test("abort() sends those inside away, and all who come, until reset()", async () => {
    await run(async () => {
      const barrier = new asyncio.Barrier(2);
      const inside = createTask(barrier.wait());
      await sleep(0);
      await barrier.abort();
      expect(await outcomeOf(inside)).toEqual(new asyncio.BrokenBarrierError("Abort or reset of barrier"));
      expect(await outcomeOf(barrier.wait())).toEqual(new asyncio.BrokenBarrierError("Barrier aborted"));
      expect([barrier.broken, barrier.nWaiting]).toEqual([true, 0]);
      await barrier.reset();
      expect(barrier.broken).toBe(false);
      expect(await asyncio.gather(barrier.wait(), barrier.wait())).toEqual([0, 1]);
    });
  });

  test("reset() sends those inside away; one who comes meanwhile waits for the new round", async () => {
    await run(async () => {
      const barrier = new asyncio.Barrier(2);
      const inside = createTask(barrier.wait());
      await sleep(0);
      await barrier.reset();
      expect(barrier.statistics()).toEqual({ state: "resetting", parties: 2, inside: 1 });
      const next = [1, 2].map(() => createTask(barrier.wait()));
      expect(await outcomeOf(inside)).toBeInstanceOf(asyncio.BrokenBarrierError);
      expect((await asyncio.gather(next)).toSorted()).toEqual([0, 1]);
    });
  });

  test("reset() of an empty one changes nothing", async () => {
    await run(async () => {
      const barrier = new asyncio.Barrier(2);
      await barrier.reset();
      expect(barrier.statistics()).toEqual({ state: "filling", parties: 2, inside: 0 });
    });
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])("refuses %s parties", (parties) => {
    const message = `parties must be a whole number >= 1: received ${parties}`;
    expect(() => new asyncio.Barrier(parties)).toThrow(new RangeError(message));
  });

  test("shows its state", async () => {
    await run(async () => {
      const barrier = new asyncio.Barrier(2);
      const task = createTask(barrier.wait());
      await sleep(0);
      expect(inspect(barrier)).toBe("<Barrier [filling, waiters:1/2]>");
      await barrier.abort();
      expect(String(barrier)).toBe("<Barrier [broken]>");
      await outcomeOf(task);
    });
  });
});

describe("two loops cannot share", () => {
  test.each([
    ["a lock", new asyncio.Lock(), "Lock"],
    ["a semaphore", new asyncio.Semaphore(1), "Semaphore"],
  ])("%s that was waited for in one of them", async (_name, lock, kind) => {
    await run(async () => {
      await lock.acquire();
      const waiting = createTask(lock.acquire());
      await sleep(0);
      lock.release();
      await waiting;
    });
    await run(async () => {
      const message = `<${kind} [locked]> is bound to a different event loop`;
      expect(await outcomeOf(lock.acquire())).toEqual(new asyncio.RuntimeError(message));
      expect(lock.statistics().waiting).toBe(0);
      lock.release();
      await lock.acquire(); // who does not have to wait does not notice
    });
  });

  test("an event, nor a condition, whose lock is still held then", async () => {
    const event = new asyncio.Event();
    const condition = new asyncio.Condition();
    await run(async () => {
      const waiting = [createTask(event.wait()), createTask(() => condition.hold(() => condition.wait()))];
      await sleep(0);
      for (const task of waiting) task.cancel();
      await asyncio.gather(...waiting, { returnExceptions: true });
    });
    await run(async () => {
      expect(String(await outcomeOf(event.wait()))).toContain("is bound to a different event loop");
      await condition.acquire();
      expect(String(await outcomeOf(condition.wait()))).toContain("is bound to a different event loop");
      expect(condition.locked()).toBe(true);
      condition.release();
    });
  });

  test("a condition whose lock belongs to another loop: the one who waits hears of it when it comes back", async () => {
    const lock = new asyncio.Lock();
    await run(async () => {
      await lock.acquire();
      const waiting = createTask(lock.acquire());
      await sleep(0);
      lock.release();
      await waiting;
      lock.release();
    });
    await run(async () => {
      const condition = new asyncio.Condition(lock);
      const waiting = createTask(async () => {
        await condition.acquire();
        await condition.wait();
      });
      await sleep(0);
      await condition.acquire();
      condition.notify();
      expect(String(await outcomeOf(waiting))).toContain("is bound to a different event loop");
      condition.release();
    });
  });
});
