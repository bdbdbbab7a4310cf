/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** CPython's test_tasks in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { failAfter, play, raisedBy, settle } from "./suite.ts";

const { createTask, sleep, wait } = asyncio;

const isCancelled = expect.any(asyncio.CancelledError) as unknown;
const results = (futures: Iterable<asyncio.Future<unknown>>): unknown[] =>
  [...futures].map((future) => future.result());

describe("a task", () => {
  test("is pending until it ends, and has the result; it shows its name, whatever that was made of", async () => {
    await play(function* () {
      const task = createTask(sleep(1, "ok"), { name: "worker" });
      expect([task.done(), task.getName()]).toEqual([false, "worker"]);
      expect(yield* task).toBe("ok");
      expect([task.done(), task.result(), task.exception(), task.cancelled()]).toEqual([true, "ok", null, false]);
      task.setName({ toString: () => "an object" });
      expect(String(task)).toContain("name='an object'");
    });
  });

  test("a name that is a number is that number, and not the name of the task so numbered", async () => {
    await play(function* () {
      const task = asyncio.createTask(asyncio.sleep(0), { name: 5 as never });
      expect(task.getName()).toBe("5");
      yield* task;
    });
  });

  test("has the error its coroutine threw, with the cause it was given after an await", async () => {
    await play(async () => {
      const cause = new RangeError("cause");
      const task = createTask(async () => {
        try {
          await failAfterwards(cause);
        } catch (error) {
          throw new TypeError("effect", { cause: error });
        }
      });
      const [error] = await asyncio.gather([task], { returnExceptions: true });
      expect(error).toEqual(new TypeError("effect"));
      expect((error as Error).cause).toBe(cause);
    });
    function failAfterwards(error: unknown): asyncio.Coroutine<never> {
      return asyncio.coroutine(() => failAfter(0, error))();
    }
  });

  test("cancelled while it waits for a task, a future or gather(): the request reaches them, and comes back", async () => {
    await play(function* ({ loop }) {
      for (const make of [
        () => createTask(sleep(10)),
        () => loop.createFuture(),
        () => asyncio.gather(createTask(sleep(10)), createTask(sleep(10))),
      ]) {
        const inner = make() as asyncio.Future<unknown>;
        const outer = createTask(function* () {
          yield* inner;
        });
        yield* sleep(0);
        expect(outer.cancel("why")).toBe(true);
        expect(yield* raisedBy(outer)).toEqual(new asyncio.CancelledError("why"));
        expect([outer.cancelled(), inner.done()]).toEqual([true, true]);
        expect(outer.cancel()).toBe(false);
      }
    });
  });

  test("cancelled together with the future it waits for: once", async () => {
    await play(function* ({ loop }) {
      const future = loop.createFuture();
      const task = createTask(function* () {
        yield* future;
      });
      yield* sleep(0);
      future.cancel();
      task.cancel();
      expect(yield* raisedBy(task)).toEqual(isCancelled);
      expect([future.cancelled(), task.cancelled()]).toEqual([true, true]);
    });
  });

  test("catches a cancellation and returns; ignores one of an inner future and goes on", async () => {
    await play(function* ({ loop }) {
      const catching = createTask(function* () {
        yield* raisedBy(sleep(100));
        return 42;
      });
      yield* sleep(0);
      catching.cancel();
      expect(yield* catching).toBe(42);
      expect(catching.cancelled()).toBe(false);

      const [first, second, third] = [loop.createFuture(), loop.createFuture(), loop.createFuture<number>()];
      const ignoring = createTask(function* () {
        yield* first;
        yield* raisedBy(second);
        return yield* third;
      });
      first.setResult();
      yield* settle();
      ignoring.cancel();
      yield* settle();
      expect([second.cancelled(), ignoring.done()]).toEqual([true, false]);
      third.setResult(42);
      expect(yield* ignoring).toBe(42);
    });
  });

  test("cancels itself and waits no more: it is cancelled when it ends", async () => {
    await play(function* () {
      const task = createTask(function* () {
        asyncio.currentTask()!.cancel();
        return 12;
      });
      expect(yield* raisedBy(task)).toEqual(isCancelled);
      expect(task.cancelled()).toBe(true);
    });
  });

  test("throws an error that leaves the loop while it is cancelled: it has that error", async () => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    const failure = new asyncio.SystemExit(3);
    const task = loop.createTask(function* () {
      yield* raisedBy(sleep(10));
      throw failure;
    });
    const run = loop.runUntilComplete(function* () {
      yield* sleep(0);
      task.cancel();
      yield* sleep(5);
    });
    await expect(run).rejects.toBe(failure);
    expect([task.done(), task.cancelled(), task.exception()]).toEqual([true, false, failure]);
    loop.close();
  });

  test("in two blocks with deadlines of its own making, uncancel() tells whose request it was", async () => {
    for (const cancelled of [false, true]) {
      await play(function* ({ loop }) {
        const record: string[] = [];
        function* withDeadline(
          seconds: number,
          body: asyncio.CoroutineGenerator<void>,
        ): asyncio.CoroutineGenerator<void> {
          const task = asyncio.currentTask()!;
          let expired = false;
          const timer = loop.callLater(seconds, () => {
            expired = true;
            task.cancel();
          });
          try {
            yield* body;
          } catch (error) {
            if (!asyncio.isCancelled(error) || !expired || task.uncancel() > 0) throw error;
            record.push("timed out");
          } finally {
            timer.cancel();
          }
        }
        const task = createTask(function* () {
          yield* withDeadline(1, sleep(10) as unknown as asyncio.CoroutineGenerator<void>);
          yield* sleep(1);
          record.push("went on");
        });
        if (cancelled) {
          loop.callAt(1, () => void task.cancel());
          expect(yield* raisedBy(task)).toEqual(isCancelled);
          // One request was the deadline's and is taken back; the other one stays.
          expect([record, task.cancelling()]).toEqual([[], 1]);
        } else {
          yield* task;
          expect([record, task.cancelling()]).toEqual([["timed out", "went on"], 0]);
        }
      });
    }
  });

  test("is the current one in its own steps, though others run between them", async () => {
    await play(async () => {
      const worker = asyncio.coroutine(async () => {
        const self = asyncio.currentTask();
        for (let i = 0; i < 5; i++) {
          await sleep(0);
          expect(asyncio.currentTask()).toBe(self);
        }
        return self!.getName();
      });
      const tasks = ["a", "b"].map((name) => createTask(worker(), { name }));
      expect(await asyncio.gather(tasks)).toEqual(["a", "b"]);
    });
  });

  test("may return a future, which generators do not wait for", async () => {
    await play(function* ({ loop }) {
      const future = loop.createFuture();
      const task = createTask(function* () {
        return [future];
      });
      const [result] = yield* task;
      expect(result === future).toBe(true);
    });
  });

  test("is refused to currentTask() without a loop", () => {
    expect(() => asyncio.currentTask()).toThrow(asyncio.RuntimeError);
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    expect(asyncio.currentTask(loop)).toBe(null);
    loop.close();
  });
});

describe("the context", () => {
  const variable = new asyncio.ContextVar("variable", { default: "nope" });

  test("of a task is a copy of its maker's, and what it sets stays inside, in callbacks too", async () => {
    await play(async ({ loop }) => {
      variable.set("main");
      const seen: unknown[] = [];
      const task = createTask(async () => {
        seen.push(variable.get());
        variable.set("task");
        await sleep(1);
        seen.push(variable.get());
        loop.callSoon(() => seen.push(variable.get()));
        asyncio.currentTask()!.addDoneCallback(() => seen.push(variable.get()));
        await asyncio.gather(
          createTask(async () => void seen.push(variable.get())),
          sleep(1),
        );
        variable.set("end");
      });
      await task;
      await sleep(1);
      expect(seen).toEqual(["main", "task", "task", "task", "task"]);
      expect([variable.get(), task.getContext().get(variable)]).toEqual(["main", "end"]);
    });
  });

  test("given to a task or a callback is used itself, and shared", async () => {
    await play(function* ({ loop }) {
      const context = asyncio.copyContext();
      for (const step of [1, 2, 3]) {
        yield* createTask(
          function* () {
            variable.set(`${variable.get()}${step}`);
          },
          { context },
        );
      }
      loop.callSoon({ context }, () => variable.set(`${variable.get()}!`));
      yield* sleep(0);
      expect([context.get(variable), variable.get()]).toEqual(["nope123!", "nope"]);
    });
  });
});

describe("ensureFuture()", () => {
  test("leaves a future and a task, makes a task of a coroutine, refuses the rest and a wrong loop", async () => {
    await play(function* ({ loop }) {
      const future = loop.createFuture<string>();
      expect(asyncio.ensureFuture(future) === future).toBe(true);
      const task = createTask(sleep(0, "task"));
      expect(asyncio.ensureFuture(task) === task).toBe(true);
      const made = asyncio.ensureFuture(sleep(0, "made"));
      expect([made instanceof asyncio.Task, yield* made, yield* task]).toEqual([true, "made", "task"]);
      expect(yield* asyncio.ensureFuture(Promise.resolve("promise"))).toBe("promise");
      for (const wrong of ["ok", 5, null, {}]) expect(() => asyncio.ensureFuture(wrong as never)).toThrow(TypeError);
      const other = new asyncio.BaseEventLoop(new VirtualHost());
      expect(() => asyncio.ensureFuture(task, { loop: other })).toThrow(RangeError);
      other.close();
    });
  });
});

describe("wait()", () => {
  test("for all of them, from an array, a set or an iterator, one given twice counts once", async () => {
    await play(function* ({ loop }) {
      const [a, b] = [createTask(sleep(1, "a")), createTask(sleep(2, "b"))];
      for (const futures of [[a, b, a], new Set([a, b]), [a, b].values()]) {
        const { done, pending } = yield* wait(futures);
        expect([results(done), pending.size, loop.time()]).toEqual([["a", "b"], 0, 2]);
      }
    });
  });

  test("refuses nothing at all, an unknown mode, coroutines and single futures", async () => {
    await play(function* () {
      expect(() => wait([])).toThrow(new RangeError("Set of Tasks/Futures is empty."));
      const task = createTask(sleep(0));
      expect(() => wait([task], { returnWhen: -1 as never })).toThrow(RangeError);
      expect(() => wait(task as never)).toThrow(TypeError);
      const coroutine = sleep(0);
      expect(() => wait([coroutine] as never)).toThrow("Passing coroutines is forbidden, use tasks explicitly.");
      expect(() => wait(coroutine as never)).toThrow(TypeError);
      yield* coroutine;
    });
  });

  test("FIRST_COMPLETED: those that are done together come together, the others are pending and go on", async () => {
    await play(function* ({ loop }) {
      const slow = createTask(sleep(10));
      const [a, b] = [createTask(sleep(0, "a")), createTask(sleep(0, "b"))];
      const { done, pending } = yield* wait([b, slow, a], { returnWhen: asyncio.FIRST_COMPLETED });
      expect([results(done), [...pending][0] === slow, loop.time()]).toEqual([["b", "a"], true, 0]);
      yield* slow;
    });
  });

  test("FIRST_EXCEPTION: a failure ends it, also one that is there before; a cancellation does not", async () => {
    await play(function* ({ loop }) {
      const slow = createTask(sleep(10));
      const gone = createTask(sleep(10));
      gone.cancel();
      const failing = createTask(failAfter(1, new RangeError("one")));
      const first = yield* wait([slow, gone, failing], { returnWhen: asyncio.FIRST_EXCEPTION });
      expect([first.done.size, first.pending.has(slow), loop.time()]).toEqual([2, true, 1]);
      const again = yield* wait([slow, failing], { returnWhen: asyncio.FIRST_EXCEPTION });
      expect([again.done.has(failing), loop.time()]).toEqual([true, 1]);
    });
  });

  test("raises nothing: a failed future is among the done", async () => {
    await play(async ({ loop }) => {
      const [good, bad] = [createTask(sleep(2, "good")), createTask(failAfter(1, new RangeError("bad")))];
      const { done, pending } = await wait([good, bad]);
      expect([done.size, pending.size, loop.time()]).toEqual([2, 0, 2]);
      expect([...done].filter((task) => task.exception() !== null)).toHaveLength(1);
    });
  });

  test("with a timeout: what is not done is pending; everything done in time needs none", async () => {
    await play(function* ({ loop }) {
      const [a, b] = [createTask(sleep(1, "a")), createTask(sleep(5, "b"))];
      const first = yield* wait([a, b], { timeout: 2 });
      expect([results(first.done), first.pending.has(b), loop.time()]).toEqual([["a"], true, 2]);
      const second = yield* wait([a, b], { timeout: 100 });
      expect([results(second.done), loop.time()]).toEqual([["a", "b"], 5]);
    });
  });

  test("cancelled, it leaves its futures alone", async () => {
    await play(function* () {
      const inner = createTask(sleep(5, "done"));
      const outer = createTask(wait([inner]));
      yield* sleep(0);
      outer.cancel();
      expect(yield* raisedBy(outer)).toEqual(isCancelled);
      expect(yield* inner).toBe("done");
    });
  });
});

describe("asCompleted()", () => {
  test("gives results as they come, those of one turn in order, one given twice once", async () => {
    await play(async ({ loop }) => {
      const twice = asyncio.coroutine(async () => await sleep(2, "b"))();
      const order: unknown[] = [];
      for (const next of asyncio.asCompleted([sleep(3, "c"), twice, twice, sleep(1, "a")])) order.push(await next);
      expect([order, loop.time()]).toEqual([["a", "b", "c"], 3]);
    });
  });

  test("with a timeout: what comes in time, then TimeoutError for each of the rest, which go on", async () => {
    await play(async ({ loop }) => {
      const slow = createTask(sleep(10, "slow"));
      const outcomes: unknown[] = [];
      for (const next of asyncio.asCompleted([sleep(1, "fast"), slow], { timeout: 2 })) {
        outcomes.push(await asyncio.gather([next], { returnExceptions: true }));
      }
      expect(outcomes).toEqual([["fast"], [expect.any(asyncio.TimeoutError)]]);
      expect([await slow, loop.time()]).toEqual(["slow", 10]);
      for (const next of asyncio.asCompleted([sleep(1, "in time")], { timeout: 100 })) {
        expect(await next).toBe("in time");
      }
    });
  });

  test("awaited out of order, the coroutines give the results in the order of completion", async () => {
    await play(function* () {
      const [x, y] = [...asyncio.asCompleted([sleep(2, "late"), sleep(1, "early")])];
      const [second, first] = [createTask(y!), createTask(x!)];
      expect([yield* second, yield* first]).toEqual(["early", "late"]);
    });
  });

  test("iterated with for await gives the very tasks, and can be gone on with after a break", async () => {
    await play(async () => {
      const tasks = [3, 1, 2].map((delay) => createTask(sleep(delay, delay)));
      const completed = asyncio.asCompleted(tasks);
      const seen: asyncio.Future<number>[] = [];
      for await (const [future] of completed) {
        seen.push(future);
        break;
      }
      for await (const [future] of completed) seen.push(future);
      expect(seen.map((future) => tasks.indexOf(future as asyncio.Task<number>))).toEqual([1, 2, 0]);
    });
  });

  test("asCompleted() of a future of another loop is an error", async () => {
    await play(async () => {
      const other = new asyncio.BaseEventLoop(new VirtualHost());
      expect(() => asyncio.asCompleted([other.createFuture()])).toThrow(RangeError);
      other.close();
    });
  });

  test("refuses what is no list; a failure comes out of its coroutine", async () => {
    await play(async ({ loop }) => {
      expect(() => asyncio.asCompleted(loop.createFuture() as never)).toThrow(TypeError);
      const coroutine = sleep(0);
      expect(() => asyncio.asCompleted(coroutine as never)).toThrow(TypeError);
      await coroutine;
      for (const next of asyncio.asCompleted([failAfter(0, new RangeError("failed"))])) {
        await expect(async () => await next).rejects.toThrow(new RangeError("failed"));
      }
    });
  });
});

describe("sleep()", () => {
  test("takes its time and gives its value; refuses NaN; cancelled, it leaves no timer", async () => {
    await play(function* ({ loop }) {
      expect([yield* sleep(1.5, "yeah"), loop.time()]).toEqual(["yeah", 1.5]);
      expect(() => sleep(NaN)).toThrow(RangeError);
      const task = createTask(sleep(10, "never"));
      yield* sleep(0);
      task.cancel();
      expect(yield* raisedBy(task)).toEqual(isCancelled);
      const { timers, cancelledTimers } = loop.statistics();
      expect(timers).toBe(cancelledTimers);
    });
  });

  test("of zero gives way once to everybody who is ready", async () => {
    await play(function* () {
      const record: string[] = [];
      const worker = function* (name: string) {
        for (let i = 0; i < 3; i++) {
          record.push(`${name}${i}`);
          yield* sleep(0);
        }
      };
      yield* asyncio.gather(worker("a"), worker("b"));
      expect(record).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
    });
  });
});

describe("shield()", () => {
  test("with gather() inside: the outside is cancelled, the children end", async () => {
    await play(function* ({ loop }) {
      const [a, b] = [loop.createFuture<number>(), loop.createFuture<number>()];
      const gathered = asyncio.gather(a, b);
      const shielded = asyncio.shield(gathered);
      yield* settle();
      expect(shielded.cancel()).toBe(true);
      yield* settle();
      expect([shielded.cancelled(), gathered.done()]).toEqual([true, false]);
      a.setResult(1);
      b.setResult(2);
      expect(yield* gathered).toEqual([1, 2]);
    });
  });

  test("inside of gather(): cancelling the whole cancels the shields and not what is in them", async () => {
    await play(function* ({ loop }) {
      const inner = [loop.createFuture(), loop.createFuture()];
      const outer = inner.map((future) => asyncio.shield(future));
      const gathered = asyncio.gather(outer);
      gathered.cancel();
      expect(yield* raisedBy(gathered)).toEqual(isCancelled);
      expect([...outer, ...inner].map((future) => future.cancelled())).toEqual([true, true, false, false]);
      for (const future of inner) future.setResult();
    });
  });

  test("several waiters of one failing task are cancelled: it is reported once", async () => {
    const reports = await play(function* () {
      const inner = createTask(failAfter(1, new RangeError("inner")));
      const waiters = [1, 2, 3].map(() => asyncio.shield(inner));
      yield* sleep(0);
      for (const waiter of waiters) waiter.cancel();
      yield* sleep(2);
    });
    expect(reports.map(({ message }) => message)).toEqual(["RangeError exception in shielded future"]);
  });
});

describe("gather()", () => {
  test("of futures of a loop that does not run, or of none while one runs", async () => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    const [a, b] = [loop.createFuture<number>(), loop.createFuture<number>()];
    const gathered = asyncio.gather(a, b);
    expect(gathered.getLoop()).toBe(loop);
    expect(() => asyncio.gather()).toThrow(asyncio.RuntimeError);
    expect(() => asyncio.gather(sleep(0))).toThrow(asyncio.RuntimeError);
    a.setResult(1);
    b.setResult(2);
    expect(await loop.runUntilComplete(gathered)).toEqual([1, 2]);
    loop.close();
    await play(function* (world) {
      const empty = asyncio.gather();
      expect([empty.getLoop() === world.loop, empty.done(), yield* empty]).toEqual([true, true, []]);
    });
  });

  test("gather() of futures of two loops is an error", async () => {
    await play(async ({ loop }) => {
      const other = new asyncio.BaseEventLoop(new VirtualHost());
      expect(() => asyncio.gather(loop.createFuture(), other.createFuture())).toThrow(RangeError);
      other.close();
    });
  });

  test("one child is cancelled: gather() raises, the others go on; with returnExceptions it is in the list", async () => {
    await play(function* () {
      const [a, b] = [createTask(sleep(1, "a")), createTask(sleep(2, "b"))];
      const gathered = asyncio.gather(a, b);
      a.cancel();
      expect(yield* raisedBy(gathered)).toEqual(isCancelled);
      expect([gathered.cancelled(), yield* b]).toEqual([false, "b"]);
      const [c, d] = [createTask(sleep(1, "c")), createTask(sleep(2, "d"))];
      c.cancel();
      expect(yield* asyncio.gather(c, d, { returnExceptions: true })).toEqual([isCancelled, "d"]);
    });
  });

  test("cancelled when one child has ended and another goes on: the one who waits is cancelled", async () => {
    await play(function* () {
      const task = createTask(function* () {
        yield* asyncio.gather(sleep(0), sleep(10), { returnExceptions: true });
      });
      yield* sleep(1);
      task.cancel();
      expect(yield* raisedBy(task)).toEqual(isCancelled);
    });
  });
});

test("stop() while a task runs: what runs until it ends goes on at the next run", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  const task = loop.createTask(function* () {
    for (let i = 0; i < 3; i++) {
      yield* sleep(1);
      if (i === 1) loop.stop();
    }
    return "done";
  });
  await expect(loop.runUntilComplete(task)).rejects.toThrow("Event loop stopped before Future completed.");
  expect([task.done(), loop.time()]).toEqual([false, 2]);
  expect(await loop.runUntilComplete(task)).toBe("done");
  loop.close();
});

test("createTask() refuses on a loop whose callSoon fails: nothing is left behind", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  loop.close();
  const work = asyncio.coroutine(async () => sleep(0))();
  expect(() => loop.createTask(work)).toThrow("Event loop is closed");
  expect(loop.statistics().tasks).toBe(0);
});
