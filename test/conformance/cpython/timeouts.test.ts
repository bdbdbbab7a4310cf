/** CPython's test_timeouts in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { kinds, play, raisedBy } from "./suite.ts";

const { sleep, timeout, timeoutAt } = asyncio;

/** Time that passes while a step computes. */
class BusyHost extends VirtualHost {
  #spent = 0;

  override now(): number {
    return super.now() + this.#spent;
  }

  compute(seconds: number): void {
    this.#spent += seconds;
  }
}

describe.each([
  { how: "timeout()", inSeconds: timeout },
  {
    how: "timeoutAt()",
    inSeconds: <T>(delay: number, body: asyncio.TimeoutBody<T>) =>
      timeoutAt(asyncio.getRunningLoop().time() + delay, body),
  },
])("$how", ({ inSeconds }) => {
  test("the deadline passes: TimeoutError, expired, and when() tells the deadline", async () => {
    await play(function* ({ loop }) {
      yield* sleep(5);
      let deadline: asyncio.Timeout | undefined;
      const error = yield* raisedBy(
        inSeconds(2, (inside) => {
          deadline = inside;
          return sleep(10);
        }),
      );
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect([deadline!.expired(), deadline!.when(), loop.time()]).toEqual([true, 7, 7]);
    });
  });

  test("the body ends in time: its result, and nothing has expired", async () => {
    await play(async ({ loop }) => {
      const [deadline, result] = await inSeconds(10, async (inside) => [inside, await sleep(1, "done")] as const);
      expect([result, deadline.expired(), deadline.when(), loop.time()]).toEqual(["done", false, 10, 1]);
      await sleep(20);
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
    });
  });
});

test.each([timeout, timeoutAt])("without a deadline nothing expires", async (within) => {
  await play(function* () {
    const deadline = yield* within(null, function* (inside) {
      yield* sleep(10);
      return inside;
    });
    expect([deadline.expired(), deadline.when()]).toEqual([false, null]);
  });
});

test("an inner deadline passes, and then the outer one while the body copes with that", async () => {
  const record: string[] = [];
  await play(async ({ loop }) => {
    const deadlines: asyncio.Timeout[] = [];
    try {
      await timeout(3, async (outer) => {
        deadlines.push(outer);
        try {
          await timeout(1, async (inner) => {
            deadlines.push(inner);
            await sleep(10);
          });
        } catch (error) {
          record.push((error as Error).name);
          await sleep(10);
        }
        record.push("never");
      });
    } catch (error) {
      record.push((error as Error).name);
    }
    expect(deadlines.map((deadline) => deadline.expired())).toEqual([true, true]);
    expect(loop.time()).toBe(3);
  });
  expect(record).toEqual(["TimeoutError", "TimeoutError"]);
});

test("what the body waits for hears of the deadline as a cancellation", async () => {
  await play(function* () {
    let heard: unknown;
    const error = yield* raisedBy(
      timeout(1, function* () {
        heard = yield* raisedBy(sleep(10));
        throw heard;
      }),
    );
    expect(heard).toBeInstanceOf(asyncio.CancelledError);
    expect(error).toBeInstanceOf(asyncio.TimeoutError);
    expect((error as Error).cause).toBe(heard);
  });
});

test.each([
  { delay: 0, pause: 10 },
  { delay: 0, pause: 0 },
  { delay: -11, pause: 0 },
])("a deadline of $delay stops a sleep of $pause at once", async ({ delay, pause }) => {
  await play(function* ({ loop }) {
    yield* sleep(20);
    let deadline: asyncio.Timeout | undefined;
    const error = yield* raisedBy(
      timeout(delay, function* (inside) {
        deadline = inside;
        yield* sleep(pause);
      }),
    );
    expect(error).toBeInstanceOf(asyncio.TimeoutError);
    expect([deadline!.when(), deadline!.expired(), loop.time()]).toEqual([20 + delay, true, 20]);
  });
});

test("an error of the body passes as it is, before the deadline and after it", async () => {
  await play(function* () {
    const expired: boolean[] = [];
    const early = yield* raisedBy(
      timeout(1, function* (deadline): asyncio.CoroutineGenerator<void> {
        yield* sleep(0);
        expired.push(deadline.expired());
        throw new RangeError("early");
      }),
    );
    expect(early).toEqual(new RangeError("early"));
    const late = yield* raisedBy(
      timeout(1, function* (deadline): asyncio.CoroutineGenerator<void> {
        yield* raisedBy(sleep(10));
        expired.push(deadline.expired());
        throw new RangeError("late");
      }),
    );
    expect(late).toEqual(new RangeError("late"));
    expect(expired).toEqual([false, true]);
    expect(asyncio.currentTask()!.cancelling()).toBe(0);
  });
});

test("a cancellation that is not the deadline's passes as it is", async () => {
  await play(function* () {
    let deadline: asyncio.Timeout | undefined;
    const error = yield* raisedBy(
      timeout(10, function* (inside) {
        deadline = inside;
        asyncio.currentTask()!.cancel();
        yield* sleep(10);
      }),
    );
    expect(error).toBeInstanceOf(asyncio.CancelledError);
    expect(deadline!.expired()).toBe(false);
    expect(asyncio.currentTask()!.uncancel()).toBe(0);
  });
});

test("the task in which a deadline passes is not cancelled", async () => {
  await play(async () => {
    const task = asyncio.createTask(async () => {
      await expect(async () => await timeout(1, async () => await sleep(10))).rejects.toThrow(asyncio.TimeoutError);
      return "went on";
    });
    expect(await task).toBe("went on");
    expect([task.cancelled(), task.done(), task.cancelling()]).toEqual([false, true, 0]);
  });
});

describe("the loop is busy", () => {
  test("past the inner and the outer deadline: the outer one raises, once", async () => {
    const host = new BusyHost();
    const loop = new asyncio.BaseEventLoop(host);
    await loop.runUntilComplete(function* () {
      const record: unknown[] = [];
      const error = yield* raisedBy(
        timeout(2, function* () {
          try {
            yield* timeout(1, function* () {
              host.compute(5);
              yield* sleep(10);
            });
          } catch (passed) {
            record.push((passed as Error).name);
            throw passed;
          }
        }),
      );
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect(record).toEqual(["CancelledError"]);
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
    });
    loop.close();
  });

  test("past the inner deadline only: the outer one stops what comes after", async () => {
    const host = new BusyHost();
    const loop = new asyncio.BaseEventLoop(host);
    await loop.runUntilComplete(function* () {
      const error = yield* raisedBy(
        timeout(10, function* () {
          const inner = yield* raisedBy(
            timeout(1, function* () {
              host.compute(5);
              yield* sleep(10);
            }),
          );
          expect(inner).toBeInstanceOf(asyncio.TimeoutError);
          expect(loop.time()).toBe(5);
          yield* sleep(100);
        }),
      );
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(10);
    });
    loop.close();
  });
});

test("reschedule() moves the deadline, takes it away, and brings one in the past at once", async () => {
  await play(function* ({ loop }) {
    const error = yield* raisedBy(
      timeout(10, function* (deadline) {
        deadline.reschedule(null);
        expect(deadline.when()).toBe(null);
        yield* sleep(20);
        deadline.reschedule(loop.time() + 5);
        expect(deadline.when()).toBe(25);
        yield* sleep(4);
        deadline.reschedule(loop.time() + 5);
        yield* sleep(100);
      }),
    );
    expect([error instanceof asyncio.TimeoutError, loop.time()]).toEqual([true, 29]);
    const past = yield* raisedBy(
      timeout(null, function* (deadline) {
        deadline.reschedule(-1);
        yield* sleep(0);
      }),
    );
    expect([past instanceof asyncio.TimeoutError, loop.time()]).toEqual([true, 29]);
  });
});

test("a timeout shows its state, and cannot be moved when it is expiring, expired or finished", async () => {
  await play(function* () {
    let deadline!: asyncio.Timeout;
    yield* raisedBy(
      timeout(1.23456, function* (inside) {
        deadline = inside;
        expect(String(deadline)).toBe("<Timeout [active] when=1.235>");
        yield* raisedBy(sleep(10));
        expect(String(deadline)).toBe("<Timeout [expiring]>");
        expect(() => deadline.reschedule(100)).toThrow(
          new asyncio.RuntimeError("Cannot change state of expiring Timeout"),
        );
        throw new asyncio.CancelledError();
      }),
    );
    expect(String(deadline)).toBe("<Timeout [expired]>");
    expect(() => deadline.reschedule(100)).toThrow(new asyncio.RuntimeError("Cannot change state of expired Timeout"));
    yield* timeout(null, function* (inside) {
      deadline = inside;
      expect(String(deadline)).toBe("<Timeout [active] when=null>");
      yield* sleep(0);
    });
    expect(String(deadline)).toBe("<Timeout [finished]>");
    expect(() => deadline.reschedule(100)).toThrow(new asyncio.RuntimeError("Cannot change state of finished Timeout"));
  });
});

test("a deadline around the cleanup that another deadline caused", async () => {
  await play(async ({ loop }) => {
    const inner: unknown[] = [];
    const outer = timeout(1, async () => {
      try {
        await sleep(10);
      } finally {
        try {
          await timeout(2, async () => await sleep(10));
        } catch (error) {
          inner.push((error as Error).name);
        }
      }
    });
    await expect(async () => await outer).rejects.toThrow(asyncio.TimeoutError);
    expect([inner, loop.time()]).toEqual([["TimeoutError"], 3]);
  });
});

test("a deadline passes in the cleanup of a cancelled task: TimeoutError, and the request stays counted", async () => {
  await play(function* () {
    const task = asyncio.currentTask()!;
    task.cancel();
    yield* raisedBy(sleep(1));
    const error = yield* raisedBy(timeout(0, () => sleep(1)));
    expect(error).toBeInstanceOf(asyncio.TimeoutError);
    expect(task.cancelling()).toBe(1);
    task.uncancel();
  });
});

test("cancelled again within a deadline in the cleanup: CancelledError", async () => {
  await play(function* () {
    const task = asyncio.currentTask()!;
    task.cancel();
    yield* raisedBy(sleep(1));
    const error = yield* raisedBy(
      timeout(1, function* () {
        task.cancel();
        yield* sleep(2);
      }),
    );
    expect(error).toBeInstanceOf(asyncio.CancelledError);
    expect(task.cancelling()).toBe(2);
    task.uncancel();
    task.uncancel();
  });
});

test("a deadline around a group whose task breaks in its cleanup: the errors come, the deadline's request is gone", async () => {
  await play(function* () {
    let deadline!: asyncio.Timeout;
    const error = yield* raisedBy(
      timeout(1, function* (inside) {
        deadline = inside;
        yield* asyncio.taskGroup(function* (group) {
          group.createTask(function* () {
            try {
              yield* sleep(2);
            } finally {
              // oxlint-disable-next-line no-unsafe-finally -- that is the situation.
              throw new TypeError("cleanup");
            }
          });
          try {
            yield* sleep(0);
            throw new RangeError("body");
          } finally {
            yield* sleep(5);
          }
        });
      }),
    );
    expect(kinds(error)).toEqual(["TypeError"]);
    expect([deadline.expired(), asyncio.currentTask()!.cancelling()]).toEqual([true, 0]);
    yield* sleep(1);
  });
});
