import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep, gather } = asyncio;

test("gather() returns results in the order given, in every form of call", async () => {
  await run(async () => {
    expect(await gather(sleep(2, "a"), sleep(1, "b"))).toEqual(["a", "b"]);
    expect(await gather([sleep(2, "a"), sleep(1, "b")])).toEqual(["a", "b"]);
    expect(await gather(Promise.resolve(1), sleep(0, 2))).toEqual([1, 2]);
    expect(await gather([], { returnExceptions: true })).toEqual([]);
    expect(await gather()).toEqual([]);
  });
});

test("gather() runs the same awaitable once", async () => {
  let calls = 0;
  const work = asyncio.coroutine(async () => ++calls);
  await run(async () => {
    const call = work();
    expect(await gather(call, call)).toEqual([1, 1]);
  });
});

test("the first failure is raised, and the others go on", async () => {
  await run(async () => {
    const slow = asyncio.createTask(() => sleep(5, "slow"));
    const failing = asyncio.createTask(async () => {
      await sleep(1);
      throw new Error("first");
    });
    await expect(Promise.resolve(gather(slow, failing))).rejects.toThrow("first");
    expect(slow.done()).toBe(false);
    expect(await slow).toBe("slow");
  });
});

test("a later failure, after gather() has failed, counts as retrieved", async () => {
  const failAfter = asyncio.coroutine(async (delay: number) => {
    await sleep(delay);
    throw new Error(`after ${delay}`);
  });
  const reports = await run(async () => {
    await expect(Promise.resolve(gather(failAfter(1), failAfter(2)))).rejects.toThrow("after 1");
    await sleep(5);
  });
  expect(reports).toEqual([]);
});

test("returnExceptions puts errors in the list, and a cancelled child stays as it was", async () => {
  await run(async () => {
    const cancelled = asyncio.createTask(() => sleep(5));
    await sleep(0);
    cancelled.cancel("child");
    const failed = Promise.reject(new RangeError("promise"));
    const outcomes = await gather([cancelled, failed, sleep(0, "fine")], { returnExceptions: true });
    expect(outcomes[0]).toBeInstanceOf(asyncio.CancelledError);
    expect(outcomes.slice(1)).toEqual([new RangeError("promise"), "fine"]);
    expect(() => cancelled.result()).toThrow("child");
  });
});

test("cancelling gather() cancels every child and waits for their cleanup", async () => {
  const record: string[] = [];
  const worker = asyncio.coroutine(async (name: string) => {
    try {
      await sleep(10);
    } finally {
      await sleep(1);
      record.push(name);
    }
  });
  await run(async ({ loop }) => {
    const task = asyncio.createTask(async () => await gather(worker("a"), worker("b")));
    await sleep(1);
    task.cancel();
    await gather(task, { returnExceptions: true });
    expect([task.cancelled(), loop.time()]).toEqual([true, 2]);
  });
  expect(record).toEqual(["a", "b"]);
});

test("a cancelled gather() raises even if every child finished regardless", async () => {
  const stubborn = asyncio.coroutine(async () => {
    try {
      await sleep(5);
    } catch {}
    return "finished";
  });
  await run(async () => {
    const future = gather([stubborn(), stubborn()], { returnExceptions: true });
    await sleep(1);
    expect(future.cancel()).toBe(true);
    await expect(Promise.resolve(future)).rejects.toBeInstanceOf(asyncio.CancelledError);
    expect(future.cancel()).toBe(false);
  });
});

test("gather() of bare async calls is cancelled, and so is what they wait for", async () => {
  const record: string[] = [];
  const worker = async (name: string): Promise<void> => {
    try {
      await sleep(10);
    } catch (error) {
      record.push(`${name}: ${String(error)}`);
      throw error;
    }
  };
  const reports = await run(async () => {
    const task = asyncio.createTask(async () => await gather(worker("a"), worker("b")));
    await sleep(1);
    task.cancel("stop");
    await gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["a: CancelledError: stop", "b: CancelledError: stop"]);
  expect(reports).toEqual([]);
});

test("gather() refuses what cannot be waited for, with the value", async () => {
  await run(async () => {
    expect(() => gather(5 as never)).toThrow("A future, a coroutine or a promise is required: received 5");
    expect(() => gather([() => 1] as never)).toThrow(TypeError);
  });
});

test("shield() lets work go on when its waiter is cancelled", async () => {
  await run(async () => {
    const inner = asyncio.createTask(() => sleep(5, "saved"));
    const waiter = asyncio.createTask(async () => await asyncio.shield(inner));
    await sleep(1);
    waiter.cancel();
    await gather(waiter, { returnExceptions: true });
    expect([waiter.cancelled(), inner.cancelled()]).toEqual([true, false]);
    expect(await inner).toBe("saved");
  });
});

test("shield() passes on result, error and cancellation of what it protects", async () => {
  await run(async ({ loop }) => {
    const [fine, failing, cancelled, done] = [1, 2, 3, 4].map(() => loop.createFuture<number>());
    done?.setResult(4);
    expect(asyncio.shield(done!) === done).toBe(true);
    const outers = [fine, failing, cancelled].map((future) => asyncio.shield(future!));
    fine?.setResult(1);
    failing?.setException(new Error("inner"));
    cancelled?.cancel();
    const outcomes = await gather(outers, { returnExceptions: true });
    expect(outcomes).toEqual([1, new Error("inner"), expect.any(asyncio.CancelledError)]);
  });
});

test("an error after the last waiter of shield() left is reported once", async () => {
  const reports = await run(async () => {
    const inner = asyncio.createTask(async () => {
      await sleep(5);
      throw new RangeError("late");
    });
    const waiters = [1, 2].map(() => asyncio.createTask(async () => await asyncio.shield(inner)));
    await sleep(1);
    for (const waiter of waiters) waiter.cancel();
    await sleep(10);
    expect(inner.exception()).toEqual(new RangeError("late"));
  });
  expect(reports.map((report) => report.message)).toEqual(["RangeError exception in shielded future"]);
});

test("shield() reports a failure that is no Error by its type", async () => {
  const reports = await run(async ({ loop }) => {
    const inner = loop.createFuture();
    const outer = asyncio.shield(inner);
    outer.cancel();
    await sleep(0);
    inner.setException("a string");
    await sleep(1);
  });
  expect(reports.map((report) => report.message)).toEqual(["string exception in shielded future"]);
});

test("fromPromise() gives a promise's result or error, and awaiting it is cancelled at once", async () => {
  await run(async ({ loop }) => {
    expect(await asyncio.fromPromise(Promise.resolve(1))).toBe(1);
    await expect(Promise.resolve(asyncio.fromPromise(Promise.reject(new Error("no"))))).rejects.toThrow("no");
    const never = asyncio.createTask(async () => await asyncio.fromPromise(new Promise(() => {})));
    await sleep(1);
    never.cancel();
    await gather(never, { returnExceptions: true });
    expect([never.cancelled(), loop.time()]).toEqual([true, 1]);
  });
});

test("fromPromise() with a function aborts its signal, and an abort is no error to report", async () => {
  const reports = await run(async () => {
    let signal: AbortSignal | undefined;
    const future = asyncio.fromPromise(
      (given) =>
        new Promise<void>((_resolve, reject) => {
          signal = given;
          given.addEventListener("abort", () => reject(given.reason));
        }),
    );
    expect(future.cancel("enough")).toBe(true);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toEqual(new asyncio.CancelledError("enough"));
    expect(future.cancel()).toBe(false);
    await sleep(0);
  });
  expect(reports).toEqual([]);
});

test("an error of a promise that comes after its future was cancelled is reported", async () => {
  const reports = await run(async () => {
    let fail: (error: unknown) => void = () => {};
    const future = asyncio.fromPromise(new Promise((_resolve, reject) => (fail = reject)));
    future.cancel();
    fail(new Error("too late"));
    await sleep(0);
    asyncio.fromPromise(Promise.resolve(1)).cancel();
    await sleep(0);
  });
  expect(reports.map((report) => report.message)).toEqual(["A promise failed after its future was cancelled"]);
});

test("a promise rejected with CancelledError is a cancelled future", async () => {
  await run(async () => {
    const future = asyncio.fromPromise(Promise.reject(new asyncio.CancelledError("from afar")));
    await gather(future, { returnExceptions: true });
    expect(future.cancelled()).toBe(true);
  });
});

test("ensureFuture() leaves futures as they are and refuses one of another loop", async () => {
  const other = asyncio.newEventLoop();
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    expect(asyncio.ensureFuture(future) === future).toBe(true);
    expect(asyncio.ensureFuture(future, { loop }) === future).toBe(true);
    expect(() => asyncio.ensureFuture(future, { loop: other })).toThrow("belongs to a different loop");
    expect(await asyncio.ensureFuture(sleep(0, "task"))).toBe("task");
    expect(await asyncio.ensureFuture(Promise.resolve("promise"), { loop })).toBe("promise");
    expect(() => asyncio.ensureFuture({} as never)).toThrow("is required: received {}");
  });
  other.close();
});

test("a cancelled task passes the cancellation on to any thenable's future", async () => {
  await run(async () => {
    const thenable = { then: (resolve: (value: string) => void) => resolve("thenable") };
    expect(await asyncio.ensureFuture(thenable as PromiseLike<string>)).toBe("thenable");
    const task = asyncio.createTask(() => thenable as PromiseLike<string>);
    expect(await task).toBe("thenable");
  });
});
