/** CPython's test_waitfor in our words. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { play, raisedBy } from "./suite.ts";

const { sleep, waitFor } = asyncio;

test("a task that waits for a coroutine is cancelled: so is the coroutine", async () => {
  const record: string[] = [];
  await play(async () => {
    const task = asyncio.createTask(async () => {
      const slow = asyncio.coroutine(async () => {
        try {
          await sleep(10);
        } finally {
          record.push("cleaned");
        }
      });
      await waitFor(slow(), 5);
    });
    await sleep(1);
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["cleaned"]);
});

test("the time is up: TimeoutError, and the coroutine was cancelled", async () => {
  await play(function* ({ loop }) {
    let heard: unknown;
    const slow = function* () {
      try {
        yield* sleep(10);
      } catch (error) {
        heard = error;
        throw error;
      }
    };
    expect(yield* raisedBy(waitFor(slow(), 1))).toBeInstanceOf(asyncio.TimeoutError);
    expect(heard).toBeInstanceOf(asyncio.CancelledError);
    expect(loop.time()).toBe(1);
  });
});

describe.each([0, -1])("a limit of %d", (limit) => {
  test("gives the result of a future that is done", async () => {
    await play(function* ({ loop }) {
      const future = loop.createFuture<string>();
      future.setResult("done");
      expect(yield* waitFor(future, limit)).toBe("done");
    });
  });

  test("does not start a coroutine", async () => {
    let started = false;
    const reports = await play(async () => {
      const work = asyncio.coroutine(async () => {
        started = true;
      });
      await expect(async () => await waitFor(work(), limit)).rejects.toThrow(asyncio.TimeoutError);
    });
    expect([started, reports]).toEqual([false, []]);
  });

  test("cancels a task that runs, and waits for its cleanup", async () => {
    await play(function* ({ loop }) {
      const record: string[] = [];
      const task = asyncio.createTask(function* () {
        try {
          yield* sleep(10);
        } finally {
          record.push("cleaning");
          yield* sleep(1);
          record.push("cleaned");
        }
      });
      yield* sleep(0);
      const error = yield* raisedBy(waitFor(task, limit));
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect((error as Error).cause).toBeInstanceOf(asyncio.CancelledError);
      expect([task.cancelled(), record, loop.time()]).toEqual([true, ["cleaning", "cleaned"], 1]);
    });
  });
});

test("a task that takes too long is cancelled, and done when TimeoutError comes, its cleanup included", async () => {
  await play(function* ({ loop }) {
    let running = false;
    const task = asyncio.createTask(function* () {
      running = true;
      try {
        yield* sleep(10);
      } finally {
        yield* sleep(2);
        running = false;
      }
    });
    const error = yield* raisedBy(waitFor(task, 1));
    expect(error).toBeInstanceOf(asyncio.TimeoutError);
    expect([task.done(), task.cancelled(), running, loop.time()]).toEqual([true, true, false, 3]);
  });
});

test("without a limit it waits for the result", async () => {
  await play(async () => {
    const work = asyncio.coroutine(async () => await sleep(1000, "done"));
    expect(await waitFor(work(), null)).toBe("done");
  });
});

test("a result that is set in the next turn is the result", async () => {
  await play(function* ({ loop }) {
    const future = loop.createFuture<string>();
    loop.callSoon(() => future.setResult("ok"));
    expect(yield* waitFor(future, 1)).toBe("ok");
  });
});

test("a coroutine that takes the cancellation and returns has its result, with and without a task around it", async () => {
  await play(function* () {
    const stubborn = function* () {
      yield* raisedBy(sleep(10));
      return 42;
    };
    expect(yield* waitFor(stubborn(), 1)).toBe(42);
    expect(yield* waitFor(asyncio.createTask(stubborn()), 1)).toBe(42);
    expect(asyncio.currentTask()!.cancelling()).toBe(0);
  });
});

test("an error in the cleanup comes in place of TimeoutError", async () => {
  await play(function* () {
    const breaks = function* (): asyncio.CoroutineGenerator<void> {
      yield* raisedBy(sleep(10));
      throw new RangeError("cleanup");
    };
    expect(yield* raisedBy(waitFor(breaks(), 1))).toEqual(new RangeError("cleanup"));
    expect(yield* raisedBy(waitFor(asyncio.createTask(breaks()), 1))).toEqual(new RangeError("cleanup"));
  });
});

test.each([null, 60])("with a limit of %s, cancelling the one who waits cancels the task waited for", async (limit) => {
  await play(function* ({ loop }) {
    const task = asyncio.createTask(function* () {
      yield* loop.createFuture();
    });
    const waiting = asyncio.createTask(waitFor(task, limit));
    loop.callSoon(() => waiting.cancel());
    expect(yield* raisedBy(waiting)).toBeInstanceOf(asyncio.CancelledError);
    expect(task.cancelled()).toBe(true);
  });
});

test("cancelled in the turn in which the inner task ends: the outer one is cancelled, the inner one has its result", async () => {
  await play(function* () {
    let reachedEnd = false;
    // oxlint-disable-next-line require-yield
    const inner = asyncio.createTask(function* () {
      return "done";
    });
    const outer = asyncio.createTask(function* () {
      yield* waitFor(inner, 100);
      yield* sleep(1);
      reachedEnd = true;
    });
    yield* sleep(0);
    expect(outer.done()).toBe(false);
    outer.cancel();
    expect(yield* raisedBy(outer)).toBeInstanceOf(asyncio.CancelledError);
    expect([yield* inner, reachedEnd]).toEqual(["done", false]);
  });
});

describe("with shield(), the time is up for the one who waits and not for the task", () => {
  test.each([0, 1])("after %d", async (limit) => {
    await play(function* () {
      const task = asyncio.createTask(sleep(5, "done"));
      const shielded = asyncio.shield(task);
      expect(yield* raisedBy(waitFor(shielded, limit))).toBeInstanceOf(asyncio.TimeoutError);
      expect([task.done(), shielded.cancelled()]).toEqual([false, true]);
      expect(yield* task).toBe("done");
    });
  });

  test("without a limit the result comes through", async () => {
    await play(function* () {
      const task = asyncio.createTask(sleep(5, "done"));
      expect(yield* waitFor(asyncio.shield(task), null)).toBe("done");
    });
  });
});
