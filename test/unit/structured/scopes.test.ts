/** Cancel scopes: trio's contracts, in both syntaxes. The table in docs/structured.md says which test shows which. */

import * as asyncio from "asyncio-ts";
import type { Moved } from "asyncio-ts/structured";
import {
  CancelScope,
  CapacityLimiter,
  currentEffectiveDeadline,
  failAfter,
  failAt,
  mapConcurrent,
  moveOnAfter,
  moveOnAt,
  openChannel,
  Pool,
  race,
  select,
  shielded,
  start,
} from "asyncio-ts/structured";
import { asyncTest, waitAllTasksBlocked } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { holdsExhaustively } from "./exhaustively.ts";
import type { Program } from "../syntaxes.ts";
import { SYNTAXES, wait } from "../syntaxes.ts";

const { CancelledError, createTask, gather, getRunningLoop, sleep, taskGroup, timeout } = asyncio;

const now = (): number => getRunningLoop().time();
const CUT = { cancelledCaught: true, value: undefined } as const;
const done = <T>(value: T): Moved<T> => ({ cancelledCaught: false, value });

/** Waits `seconds`, and gives the message of the cancellation if it was cut short. */
function* messageOf(seconds: number): Program<string | null> {
  try {
    yield* wait(sleep(seconds));
    return null;
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    return error.message;
  }
}

describe.each(SYNTAXES)("in %s", (_name, syntax) => {
  /** A test whose body is a program. */
  const specify = (name: string, program: () => Program<void>): void =>
    test(name, asyncTest(syntax(program) as () => Promise<void>));
  /** A body that sleeps. */
  const sleeps = (seconds: number) => syntax(() => wait(sleep(seconds)));

  describe("a deadline", () => {
    specify("cuts its body short, and the code after it goes on", function* () {
      expect(yield* wait(moveOnAfter(1, sleeps(60)))).toEqual(CUT);
      expect(now()).toBe(1);
    });

    specify("does nothing to a body that ends before", function* () {
      const moved = yield* wait(
        moveOnAfter(
          60,
          syntax(function* () {
            yield* wait(sleep(1));
            return "done";
          }),
        ),
      );
      expect([moved, now()]).toEqual([done("done"), 1]);
    });

    specify("that is an error, with failAfter and failAt", function* () {
      const errors: unknown[] = [];
      for (const failing of [failAfter(1, sleeps(60)), failAt(3, sleeps(60))]) {
        try {
          yield* wait(failing);
        } catch (error) {
          errors.push([(error as Error).message, error instanceof asyncio.TimeoutError, now()]);
        }
      }
      expect(errors).toEqual([
        ["timed out after 1 second", true, 1],
        ["the deadline passed", true, 3],
      ]);
      expect(yield* wait(failAfter(1, () => sleep(0.5, "in time")))).toBe("in time");
    });

    specify("is a point in time for moveOnAt; one that has passed leaves the body until its first wait", function* () {
      yield* wait(sleep(5));
      const steps: string[] = [];
      const body = syntax(function* () {
        steps.push("began");
        yield* wait(sleep(0));
        steps.push("went on");
      });
      expect(yield* wait(moveOnAt(4, body))).toEqual(CUT);
      expect(yield* wait(moveOnAfter(-1, body))).toEqual(CUT);
      expect(yield* wait(moveOnAfter(0, body))).toEqual(CUT);
      expect([steps, now()]).toEqual([["began", "began", "began"], 5]);
    });

    specify("counts from the beginning of the run, not from the making of the scope", function* () {
      const scope = new CancelScope({ timeout: 2 });
      yield* wait(sleep(10));
      expect(yield* wait(scope.run(sleeps(60)))).toEqual(CUT);
      expect([now(), scope.deadline]).toEqual([12, 12]);
    });

    specify("is data: it is read, and moved while the body runs, from inside and from outside", function* () {
      const scope = new CancelScope({ deadline: 10 });
      getRunningLoop().callLater(4, () => (scope.deadline = 6));
      const moved = yield* wait(
        scope.run(
          syntax(function* (inside: CancelScope) {
            expect([inside === scope, inside.deadline]).toEqual([true, 10]);
            inside.deadline += 10;
            yield* wait(sleep(60));
          }),
        ),
      );
      expect([moved, now(), scope.cancelCalled]).toEqual([CUT, 6, true]);
    });

    specify("that is taken away, or moved into the past", function* () {
      const free = new CancelScope({ timeout: 1 });
      const body = syntax(function* (scope: CancelScope) {
        scope.deadline = Infinity;
        yield* wait(sleep(5));
        scope.deadline = 2;
        expect(scope.cancelCalled).toBe(true);
        yield* wait(sleep(0));
      });
      expect(yield* wait(free.run(body))).toEqual(CUT);
      expect(now()).toBe(5);
    });

    specify("is effective as the earliest of those around, up to a shield", function* () {
      const seen: number[] = [currentEffectiveDeadline()];
      const look = syntax(function* () {
        seen.push(currentEffectiveDeadline());
        yield* wait(sleep(0));
        seen.push(currentEffectiveDeadline());
      });
      yield* wait(
        moveOnAfter(
          10,
          syntax(function* (outer: CancelScope) {
            yield* wait(moveOnAfter(20, look));
            yield* wait(moveOnAfter(5, look));
            yield* wait(shielded(look));
            yield* wait(taskGroup((group) => (group.createTask(look), sleep(1))));
            outer.cancel();
            seen.push(currentEffectiveDeadline());
          }),
        ),
      );
      seen.push(currentEffectiveDeadline());
      expect(seen).toEqual([Infinity, 10, 10, 5, 5, Infinity, Infinity, 10, 10, -Infinity, Infinity]);
    });
  });

  describe("the level", () => {
    specify("every wait in a cancelled scope raises, whatever is caught, also in finally", function* () {
      const messages: (string | null)[] = [];
      const body = syntax(function* () {
        try {
          messages.push(yield* messageOf(60), yield* messageOf(60));
        } finally {
          messages.push(yield* messageOf(0), yield* messageOf(60));
        }
        yield* wait(sleep(0));
      });
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([messages, now()]).toEqual([Array(4).fill("timed out after 1 second"), 1]);
    });

    specify("also the waits of what the body awaits, at any depth", function* () {
      let raised = 0;
      const deep = (depth: number): (() => Promise<void> | asyncio.CoroutineGenerator<void>) =>
        syntax(function* () {
          for (let i = 0; i < 2; i++) {
            try {
              yield* wait(depth === 0 ? sleep(60) : asyncio.coroutine(deep(depth - 1))());
            } catch {
              raised++;
            }
          }
        });
      expect(yield* wait(moveOnAfter(1, deep(3)))).toEqual(done(undefined));
      expect([raised, now()]).toEqual([16, 1]);
    });

    specify("reaches the tasks of a group in it, which cannot stay either", function* () {
      const raised: number[] = [];
      const stubborn = syntax(function* () {
        for (let i = 0; i < 3; i++) if ((yield* messageOf(60)) !== null) raised.push(now());
        yield* wait(sleep(60));
      });
      const body = syntax(() => wait(taskGroup((group) => (group.createTask(stubborn), sleep(60)))));
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([raised, now()]).toEqual([[1, 1, 1], 1]);
    });

    specify("reaches what gather, race and mapConcurrent have started", function* () {
      let raised = 0;
      const stubborn = syntax(function* () {
        for (let i = 0; i < 3; i++) if ((yield* messageOf(60)) !== null) raised++;
        yield* wait(sleep(60));
      });
      const bodies: (() => asyncio.Awaitable<unknown>)[] = [
        () => gather(asyncio.coroutine(stubborn)(), sleep(60)),
        () => race(stubborn, () => sleep(60)),
        () => mapConcurrent([1], stubborn, { limit: 1 }),
      ];
      for (const body of bodies) expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([raised, now()]).toEqual([9, 3]);
    });

    specify("does not reach a task of its own, which nobody waits for", function* () {
      let task!: asyncio.Task<string>;
      const body = syntax(function* (scope: CancelScope) {
        task = createTask(sleep(5, "ended"));
        yield* wait(sleep(1));
        scope.cancel();
        yield* wait(sleep(0));
      });
      expect(yield* wait(new CancelScope().run(body))).toEqual(CUT);
      expect([yield* wait(task), now()]).toEqual(["ended", 5]);
    });

    specify("ends with the scope", function* () {
      yield* wait(moveOnAfter(1, sleeps(60)));
      expect([yield* messageOf(1), now()]).toEqual([null, 2]);
    });

    specify("of asyncio's own, what need not wait does not raise: nothing is lost", function* () {
      const queue = new asyncio.Queue<string>();
      queue.putNowait("item");
      const body = syntax(function* (scope: CancelScope) {
        scope.cancel();
        return yield* wait(queue.get());
      });
      expect(yield* wait(new CancelScope().run(body))).toEqual(done("item"));
    });

    specify("channels and limiters raise also where there is nothing to wait for, and have done nothing", function* () {
      const [sender, receiver] = openChannel<string>(2);
      sender.sendNowait("first");
      const limiter = new CapacityLimiter(1);
      const raised: string[] = [];
      const works = [
        () => sender.send("second"),
        () => receiver.receive(),
        () => select(receiver.receive(), sender.send("second")),
        () => limiter.acquire(),
      ];
      const body = syntax(function* (scope: CancelScope) {
        scope.cancel();
        for (const work of works) {
          try {
            yield* wait(work() as asyncio.Coroutine<unknown>);
          } catch (error) {
            raised.push((error as Error).name);
          }
        }
      });
      yield* wait(new CancelScope().run(body));
      expect(raised).toEqual(Array(4).fill("CancelledError"));
      expect([receiver.statistics().size, limiter.borrowedTokens]).toEqual([1, 0]);
      sender.close();
      receiver.close();
    });
  });

  describe("cancel()", () => {
    specify("before the run: the body comes to its first wait", function* () {
      const scope = new CancelScope();
      scope.cancel("too late");
      scope.cancel("again");
      let message: string | null = null;
      const body = syntax(function* () {
        message = yield* messageOf(60);
        yield* wait(sleep(60));
      });
      expect(yield* wait(scope.run(body))).toEqual(CUT);
      expect(message).toContain("too late (cancelled by ");
      expect([scope.cancelCalled, scope.cancelledCaught, now()]).toEqual([true, true, 0]);
    });

    specify("from inside: the code goes on to its next wait; without one, nothing was cut short", function* () {
      const scope = new CancelScope();
      const body = syntax(function* (inside: CancelScope) {
        yield* wait(sleep(1));
        inside.cancel();
        return "value";
      });
      expect(yield* wait(scope.run(body))).toEqual(done("value"));
      expect([scope.cancelCalled, scope.cancelledCaught]).toEqual([true, false]);
      expect(yield* messageOf(1)).toBe(null);
    });

    specify("from another task; the error says why, by whom and where", function* () {
      const scope = new CancelScope();
      const body = syntax(function* () {
        const message = yield* messageOf(60);
        return message;
      });
      const running = createTask(scope.run(body));
      yield* wait(sleep(1));
      asyncio.currentTask()!.setName("boss");
      scope.cancel("shutting down");
      const { value } = yield* wait(running);
      expect(value).toMatch(/^shutting down \(cancelled by boss at .*scopes\.test\.ts:\d+:\d+\)$/);
    });

    specify("after the end, and twice: nothing happens", function* () {
      const scope = new CancelScope();
      yield* wait(scope.run(sleeps(1)));
      scope.cancel();
      expect([scope.cancelCalled, String(scope)]).toEqual([false, "<CancelScope left>"]);
    });

    specify("at the same instant as the result: what has come is handed over, and the next wait raises", function* () {
      const outcomes: unknown[] = [];
      for (const order of ["cancel first", "result first"]) {
        const scope = new CancelScope();
        const future = getRunningLoop().createFuture<string>();
        const body = syntax(() => wait(future));
        const running = createTask(scope.run(body));
        yield* wait(waitAllTasksBlocked());
        if (order === "cancel first") scope.cancel();
        if (!future.done()) future.setResult("result");
        scope.cancel();
        outcomes.push(yield* wait(running));
      }
      expect(outcomes).toEqual([CUT, done("result")]);
    });
  });

  describe("catches its own, and no other's", () => {
    specify("of two that lie in each other, the one that was cancelled", function* () {
      const inner = new CancelScope({ timeout: 1 });
      const outer = new CancelScope({ timeout: 2 });
      const body = syntax(function* () {
        const moved = yield* wait(inner.run(sleeps(60)));
        yield* wait(sleep(0.5));
        return moved;
      });
      expect(yield* wait(outer.run(body))).toEqual(done(CUT));
      expect([inner.cancelledCaught, outer.cancelledCaught, now()]).toEqual([true, false, 1.5]);
    });

    specify("if both were, the outer one", function* () {
      const inner = new CancelScope();
      const outer = new CancelScope();
      getRunningLoop().callLater(1, () => {
        inner.cancel();
        outer.cancel();
      });
      expect(yield* wait(outer.run(syntax(() => wait(inner.run(sleeps(60))))))).toEqual(CUT);
      expect([inner.cancelledCaught, outer.cancelledCaught]).toEqual([false, true]);
    });

    specify("any other error goes on, and so does a CancelledError while the scope was not cancelled", function* () {
      const errors: string[] = [];
      for (const error of [new Error("broken"), new CancelledError("foreign")]) {
        try {
          yield* wait(
            new CancelScope().run(
              // oxlint-disable-next-line require-yield
              syntax(function* (): Program<void> {
                throw error;
              }),
            ),
          );
        } catch (raised) {
          errors.push((raised as Error).message);
        }
      }
      expect(errors).toEqual(["broken", "foreign"]);
    });

    specify("an error that is thrown while it is being cancelled is not swallowed", function* () {
      const body = syntax(function* () {
        try {
          yield* wait(sleep(60));
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- what the test is about
          throw new Error("the cleanup failed");
        }
      });
      const running = createTask(moveOnAfter(1, body));
      yield* wait(asyncio.wait([running]));
      expect(running.exception()).toEqual(new Error("the cleanup failed"));
    });

    specify("a group that fails while the scope is cancelled says so", function* () {
      const failing = syntax(function* () {
        try {
          yield* wait(sleep(60));
        } catch {
          throw new Error("broken");
        }
      });
      const body = (): asyncio.Coroutine<unknown> => taskGroup((group) => (group.createTask(failing), sleep(60)));
      const running = createTask(moveOnAfter(1, body));
      yield* wait(asyncio.wait([running]));
      expect((running.exception() as AggregateError).errors).toEqual([new Error("broken")]);
    });
  });

  describe("a shield", () => {
    specify("keeps the cancellation of a scope around it away, until it is left", function* () {
      const steps: string[] = [];
      const body = syntax(function* () {
        yield* wait(shielded(sleeps(5)));
        steps.push(`left at ${now()}`);
        yield* wait(sleep(0));
        steps.push("not here");
      });
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([steps, now()]).toEqual([["left at 5"], 5]);
    });

    specify("lets awaits through in the cleanup of a cancelled scope, with a deadline of its own", function* () {
      const seen: unknown[] = [];
      const body = syntax(function* () {
        try {
          yield* wait(sleep(60));
        } finally {
          seen.push(yield* wait(new CancelScope({ timeout: 2, shield: true }).run(() => sleep(1, "goodbye"))));
          seen.push(yield* wait(new CancelScope({ timeout: 2, shield: true }).run(() => sleep(3, "goodbye"))));
        }
      });
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([seen, now()]).toEqual([[done("goodbye"), CUT], 4]);
    });

    specify("inside of a shield: each keeps away what is around it", function* () {
      const inner = new CancelScope({ shield: true });
      const outer = new CancelScope({ shield: true });
      const body = syntax(function* () {
        const moved = yield* wait(inner.run(sleeps(3)));
        return [moved, yield* messageOf(60)];
      });
      getRunningLoop().callLater(2, () => outer.cancel());
      const result = yield* wait(moveOnAfter(1, () => outer.run(body)));
      // The outermost is cancelled too: but nothing of it waits any more.
      expect(result).toEqual(done(done([done(undefined), expect.stringContaining("the scope was cancelled")])));
      expect(now()).toBe(3);
    });

    specify("is raised and taken down while the body runs", function* () {
      const scope = new CancelScope();
      const loop = getRunningLoop();
      loop.callLater(1, () => (scope.shield = true));
      loop.callLater(5, () => (scope.shield = false));
      const outer = createTask(moveOnAfter(2, () => scope.run(sleeps(60))));
      expect(yield* wait(outer)).toEqual(CUT);
      expect(now()).toBe(5);
    });

    specify("keeps task.cancel() away as well: the next wait after it raises", function* () {
      const steps: string[] = [];
      const task = createTask(
        syntax(function* () {
          yield* wait(shielded(sleeps(5)));
          steps.push(`left at ${now()}`);
          yield* wait(sleep(60));
        }),
      );
      yield* wait(sleep(1));
      task.cancel("stop");
      yield* wait(asyncio.wait([task]));
      expect([task.cancelled(), steps, now()]).toEqual([true, ["left at 5"], 5]);
    });

    specify("a deadline inside of it is its own, whatever is asked outside meanwhile", function* () {
      const outcomes: unknown[] = [];
      const body = syntax(function* () {
        try {
          yield* wait(timeout(2, sleeps(60)));
        } catch (error) {
          outcomes.push((error as Error).name);
        }
      });
      const task = createTask(() => shielded(body));
      yield* wait(sleep(1));
      task.cancel();
      yield* wait(asyncio.wait([task]));
      expect([outcomes, now()]).toEqual([["TimeoutError"], 2]);
    });
  });

  describe("beside asyncio's requests, which are edges", () => {
    specify("task.cancel() goes through a scope, and a scope's request does not count in it", function* () {
      const task = createTask(() => moveOnAfter(5, sleeps(60)));
      yield* wait(sleep(1));
      task.cancel();
      yield* wait(asyncio.wait([task]));
      expect([task.cancelled(), now()]).toEqual([true, 1]);
      const other = createTask(
        syntax(function* () {
          yield* wait(moveOnAfter(1, sleeps(60)));
          return asyncio.currentTask()!.cancelling();
        }),
      );
      expect(yield* wait(other)).toBe(0);
    });

    specify("task.cancel() and the scope at once: the task is cancelled", function* () {
      const scope = new CancelScope();
      const task = createTask(() => scope.run(sleeps(60)));
      yield* wait(sleep(1));
      scope.cancel();
      task.cancel();
      yield* wait(asyncio.wait([task]));
      expect([task.cancelled(), scope.cancelledCaught]).toEqual([true, false]);
    });

    specify("in the cleanup after task.cancel(), a scope has its own deadline", function* () {
      const seen: unknown[] = [];
      const task = createTask(
        syntax(function* () {
          try {
            yield* wait(sleep(60));
          } finally {
            seen.push(yield* wait(moveOnAfter(1, sleeps(60))));
          }
        }),
      );
      yield* wait(sleep(1));
      task.cancel();
      yield* wait(asyncio.wait([task]));
      expect([seen, task.cancelled(), now()]).toEqual([[CUT], true, 2]);
    });

    specify("a timeout in a scope, a scope in a timeout, and both at the same instant", function* () {
      const outcomeOf = function* (work: asyncio.Coroutine<unknown>): Program<unknown> {
        try {
          return yield* wait(work);
        } catch (error) {
          return (error as Error).name;
        }
      };
      expect(yield* outcomeOf(moveOnAfter(5, () => timeout(1, sleeps(60))))).toBe("TimeoutError");
      expect(yield* outcomeOf(timeout(1, () => moveOnAfter(5, sleeps(60))))).toBe("TimeoutError");
      expect(yield* outcomeOf(moveOnAfter(1, () => timeout(5, sleeps(60))))).toEqual(CUT);
      expect(yield* outcomeOf(timeout(5, () => moveOnAfter(1, sleeps(60))))).toEqual(CUT);
      expect(yield* outcomeOf(moveOnAfter(1, () => timeout(1, sleeps(60))))).toEqual(expect.anything());
      expect(yield* outcomeOf(timeout(1, () => moveOnAfter(1, sleeps(60))))).toEqual(expect.anything());
      expect(now()).toBe(6);
    });

    specify("a group waits for the cleanup of its tasks, and does not spin meanwhile", function* () {
      const seen: unknown[] = [];
      const careful = syntax(function* () {
        try {
          yield* wait(sleep(60));
        } finally {
          yield* wait(shielded(sleeps(5)));
          seen.push(now());
        }
      });
      const body = (): asyncio.Coroutine<unknown> => taskGroup((group) => (group.createTask(careful), sleep(60)));
      const turns = getRunningLoop().statistics().turns;
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect([seen, now()]).toEqual([[6], 6]);
      expect(getRunningLoop().statistics().turns - turns).toBeLessThan(20);
    });

    specify("a condition has its lock again, whoever holds it, and does not spin meanwhile", function* () {
      const condition = new asyncio.Condition();
      const holder = createTask(
        syntax(function* () {
          yield* wait(sleep(0.5));
          yield* wait(condition.acquire());
          yield* wait(sleep(5));
          condition.release();
        }),
      );
      const turns = getRunningLoop().statistics().turns;
      const body = syntax(function* () {
        yield* wait(condition.acquire());
        try {
          yield* wait(condition.wait());
        } finally {
          expect(condition.locked()).toBe(true);
          condition.release();
        }
      });
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect(now()).toBe(5.5);
      expect(getRunningLoop().statistics().turns - turns).toBeLessThan(20);
      yield* wait(holder);
    });

    specify("race and Pool wait for what they end", function* () {
      const ended: number[] = [];
      const careful = syntax(function* () {
        try {
          yield* wait(sleep(60));
        } finally {
          yield* wait(shielded(sleeps(2)));
          ended.push(now());
        }
      });
      expect(yield* wait(moveOnAfter(1, () => race(careful)))).toEqual(CUT);
      const pool = new Pool({
        size: 1,
        create: async () => "resource",
        destroy: () => sleep(2, undefined).then(() => void ended.push(now())),
      });
      expect(yield* wait(moveOnAfter(1, () => pool.hold(sleeps(60))))).toEqual(CUT);
      yield* wait(pool.close());
      expect([ended, now()]).toEqual([[3, 6], 6]);
    });

    specify("start() ends the child that was not ready", function* () {
      let ended = 0;
      const body = syntax(() =>
        wait(
          taskGroup((group) =>
            start(
              group,
              syntax(function* () {
                try {
                  yield* wait(sleep(60));
                } finally {
                  yield* wait(shielded(sleeps(2)));
                  ended = now();
                }
              }),
            ),
          ),
        ),
      );
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
      expect(ended).toBe(3);
    });

    specify("a cancelled send has not sent, a cancelled receive has not received", function* () {
      const [sender, receiver] = openChannel<string>(0);
      expect(yield* wait(moveOnAfter(1, () => receiver.receive()))).toEqual(CUT);
      expect(yield* wait(moveOnAfter(1, () => sender.send("lost?")))).toEqual(CUT);
      expect(() => receiver.receiveNowait()).toThrow();
      sender.close();
      receiver.close();
    });
  });

  describe("the signal", () => {
    specify("of the innermost scope is currentTask().signal", function* () {
      const signals: AbortSignal[] = [];
      const body = syntax(function* () {
        signals.push(asyncio.currentTask()!.signal as AbortSignal);
        const moved = yield* wait(
          moveOnAfter(
            1,
            syntax(function* () {
              signals.push(asyncio.currentTask()!.signal as AbortSignal);
              yield* wait(sleep(60));
            }),
          ),
        );
        expect(moved).toEqual(CUT);
        expect(signals.map((signal) => signal.aborted)).toEqual([false, true]);
        yield* wait(sleep(60));
      });
      expect(yield* wait(moveOnAfter(5, body))).toEqual(CUT);
      expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
      expect((signals[0]!.reason as Error).message).toBe("timed out after 5 seconds");
    });

    specify("behind a shield hears of nothing outside", function* () {
      let signal!: AbortSignal;
      const body = syntax(function* () {
        signal = asyncio.currentTask()!.signal as AbortSignal;
        yield* wait(sleep(5));
        expect(signal.aborted).toBe(false);
      });
      yield* wait(moveOnAfter(1, () => shielded(body)));
      expect(signal.aborted).toBe(false);
    });

    specify("an AbortError of foreign code that was told is the scope's own", function* () {
      const foreign = (signal: AbortSignal): Promise<never> =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        });
      const body = syntax(() => wait(asyncio.fromPromise((signal) => foreign(signal as AbortSignal))));
      expect(yield* wait(moveOnAfter(1, body))).toEqual(CUT);
    });
  });

  specify("a scope is run once, with a function, inside of a task", function* () {
    const scope = new CancelScope();
    yield* wait(scope.run(sleeps(0)));
    const again = createTask(scope.run(sleeps(0)));
    yield* wait(asyncio.wait([again]));
    expect(String(again.exception())).toContain("cannot be run again: make one for each run");
    expect(() => scope.run("body" as never)).toThrow("The body is a function");
    expect(() => new CancelScope({ deadline: 1, timeout: 1 })).toThrow("a deadline or a timeout, not both");
    expect(() => new CancelScope({ deadline: "soon" as never })).toThrow("received 'soon'");
    expect(() => new CancelScope({ deadline: Number.NaN })).toThrow("Invalid deadline");
    expect(() => moveOnAfter("soon" as never, sleeps(0))).toThrow("Invalid timeout");
  });
});

describe("in async functions", () => {
  test(
    "each branch of a Promise.all is inside, also one that begins to wait later",
    asyncTest(async () => {
      const raised: string[] = [];
      const branch = async (name: string, seconds: number): Promise<void> => {
        await sleep(seconds).catch(() => raised.push(name));
        await sleep(60).catch(() => raised.push(name));
      };
      await moveOnAfter(1, async () => {
        await Promise.all([branch("a", 60), branch("b", 0.5)]);
      });
      expect(raised.toSorted()).toEqual(["a", "a", "b"]);
      expect(now()).toBe(1);
    }),
  );

  test(
    "a bare promise is not interrupted: its value is there, and nothing was cut short",
    asyncTest(
      async () => {
        let resolve!: (value: string) => void;
        const promise = new Promise<string>((settle) => (resolve = settle));
        getRunningLoop().callLater(5, () => resolve("late"));
        expect(await moveOnAfter(1, async () => await promise)).toEqual(done("late"));
        expect(now()).toBe(5);
        await sleep(0);
      },
      { debug: false },
    ), // debug mode reports it
  );

  test(
    "what is disposed of with waits in a cancelled scope ends cancelled, as one error",
    asyncTest(async () => {
      const disposed: string[] = [];
      const moved = await moveOnAfter(1, async () => {
        // `await using`, by hand: not every Node has it.
        try {
          await sleep(60);
        } catch (suppressed) {
          try {
            disposed.push("closed");
            await sleep(0);
          } catch (error) {
            throw Object.assign(new Error("suppressed"), { error, suppressed });
          }
        }
      });
      expect([moved, disposed]).toEqual([CUT, ["closed"]]);
    }),
  );
});

describe("searched through", () => {
  test("a lock and a limiter in scopes: no grant is lost or doubled, whoever is cut short when", async () => {
    const body = async (): Promise<void> => {
      const lock = new asyncio.Lock();
      const limiter = new CapacityLimiter(1);
      let inside = 0;
      const scopes = [new CancelScope(), new CancelScope()];
      const use = (scope: CancelScope) => () =>
        scope.run(async () => {
          await lock.hold(async () => {
            await limiter.hold(async () => {
              if (++inside > 1) throw new Error("two are inside");
              await sleep(0).finally(() => inside--);
            });
          });
        });
      const users = scopes.map((scope, i) => createTask(use(scope), { name: `user ${i}` }));
      const killer = createTask(
        async () => {
          await sleep(0);
          scopes[0]!.cancel();
        },
        { name: "killer" },
      );
      await asyncio.wait([...users, killer]);
      for (const task of users) if (!task.cancelled()) task.result();
      if (lock.locked() || limiter.borrowedTokens > 0) throw new Error("something is held still");
      if (!scopes[1]!.cancelCalled && !users[1]!.cancelled() && users[1]!.result().cancelledCaught) {
        throw new Error("the other was cut short");
      }
    };
    await holdsExhaustively(body);
  });

  test("a scope around a group: all of it has ended with it, in every order", async () => {
    const body = async (): Promise<void> => {
      let running = 0;
      const work = async (): Promise<void> => {
        running++;
        try {
          await sleep(0);
          await sleep(0);
        } finally {
          await shielded(() => sleep(0));
          running--;
        }
      };
      const scope = new CancelScope();
      const main = createTask(
        () =>
          scope.run(() =>
            taskGroup(async (group) => {
              group.createTask(work, { name: "a" });
              group.createTask(work, { name: "b" });
              await sleep(0);
            }),
          ),
        { name: "owner" },
      );
      const killer = createTask(async () => scope.cancel(), { name: "killer" });
      await asyncio.wait([main, killer]);
      if (running > 0) throw new Error(`${running} are running still`);
    };
    await holdsExhaustively(body);
  });
});
