/** CPython's test_futures in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { play, raisedBy, settle } from "./suite.ts";

const { createTask, sleep } = asyncio;

test("a future is pending at first; without a loop given or running it cannot be made", async () => {
  expect(() => new asyncio.Future()).toThrow(asyncio.RuntimeError);
  const other = new asyncio.BaseEventLoop(new VirtualHost());
  expect(new asyncio.Future({ loop: other }).getLoop()).toBe(other);
  await play(function* ({ loop }) {
    const future = new asyncio.Future<number>();
    expect(future.getLoop()).toBe(loop);
    expect([future.done(), future.cancelled()]).toEqual([false, false]);
    future.cancel();
    expect([future.done(), future.cancelled()]).toEqual([true, true]);
    yield* sleep(0);
  });
});

test("cancel() works once; a cancelled future refuses result, exception and their setters", async () => {
  await play(async ({ loop }) => {
    const future = loop.createFuture<number>();
    expect([future.cancel(), future.cancel(), future.cancelled(), future.done()]).toEqual([true, false, true, true]);
    expect(() => future.result()).toThrow(asyncio.CancelledError);
    expect(() => future.exception()).toThrow(asyncio.CancelledError);
    expect(() => future.setResult(1)).toThrow(asyncio.InvalidStateError);
    expect(() => future.setException(new Error("late"))).toThrow(asyncio.InvalidStateError);
  });
});

test("a future with a result refuses another, a failed one too, and cancel() says no", async () => {
  await play(async ({ loop }) => {
    const good = loop.createFuture<number>();
    expect(() => good.result()).toThrow(asyncio.InvalidStateError);
    expect(() => good.exception()).toThrow(asyncio.InvalidStateError);
    good.setResult(42);
    expect([good.result(), good.exception(), good.cancelled(), good.cancel()]).toEqual([42, null, false, false]);
    const bad = loop.createFuture<number>();
    const error = new RangeError("bad");
    bad.setException(error);
    expect(() => bad.result()).toThrow(error);
    expect([bad.exception(), bad.cancel(), bad.done()]).toEqual([error, false, true]);
    for (const future of [good, bad]) {
      expect(() => future.setResult(1)).toThrow(asyncio.InvalidStateError);
      expect(() => future.setException(error)).toThrow(asyncio.InvalidStateError);
    }
    const ofClass = loop.createFuture();
    ofClass.setException(RangeError);
    expect(ofClass.exception()).toBeInstanceOf(RangeError);
  });
});

test("awaited twice, a future gives the same result; a failed one fails each time", async () => {
  await play(function* ({ loop }) {
    const future = loop.createFuture<string>();
    loop.callSoon(() => future.setResult("done"));
    expect([yield* future, yield* future]).toEqual(["done", "done"]);
    const failed = loop.createFuture();
    failed.setException(new RangeError("failed"));
    expect(yield* raisedBy(failed)).toBe(yield* raisedBy(failed));
  });
});

test("iterated by hand it hands itself over, once; an error thrown in comes out", async () => {
  await play(async ({ loop }) => {
    const future = loop.createFuture<number>();
    const iterator = future[Symbol.iterator]();
    const step = iterator.next();
    expect([step.done, (step.value as unknown) === future]).toEqual([false, true]);
    expect(() => iterator.throw!(new RangeError("in"))).toThrow(new RangeError("in"));
    future.setResult(42);
    expect(future[Symbol.iterator]().next()).toEqual({ done: true, value: 42 });
  });
});

test("the message of cancel() is in the error, and cannot be changed afterwards", async () => {
  await play(function* ({ loop }) {
    const future = loop.createFuture();
    future.cancel("my message");
    future.cancel("another");
    expect(yield* raisedBy(future)).toEqual(new asyncio.CancelledError("my message"));
    expect(() => future.exception()).toThrow(new asyncio.CancelledError("my message"));
  });
});

describe("a failure that nobody asks for", () => {
  test.each<{ what: string; ask: (future: asyncio.Future<unknown>) => unknown; told: number }>([
    { what: "nothing", ask: () => null, told: 1 },
    { what: "exception()", ask: (future) => future.exception(), told: 0 },
    { what: "result()", ask: (future) => expect(() => future.result()).toThrow(), told: 0 },
    { what: "cancel()", ask: (future) => future.cancel(), told: 0 },
    { what: "logTraceback", ask: (future) => (future.logTraceback = false), told: 0 },
  ])("after $what is reported $told times", async ({ ask, told }) => {
    for (const debug of [false, true]) {
      const reports: asyncio.ExceptionContext[] = [];
      const loop = new asyncio.BaseEventLoop(new VirtualHost());
      loop.setDebug(debug);
      loop.setExceptionHandler((_loop, context) => void reports.push(context));
      const error = new RangeError("nobody asked");
      const future = loop.createFuture();
      future.setException(error);
      ask(future);
      await loop.runUntilComplete(settle());
      loop.close();
      expect(reports).toHaveLength(told);
      if (told === 0) continue;
      expect(reports[0]).toMatchObject({ message: "Future exception was never retrieved", exception: error });
      expect(reports[0]!.sourceTraceback === undefined).toBe(!debug);
    }
  });

  test("a result, a cancellation and a pending future are nothing to report", async () => {
    const reports = await play(async ({ loop }) => {
      loop.createFuture<number>().setResult(1);
      loop.createFuture().cancel();
      loop.createFuture();
    });
    expect(reports).toEqual([]);
  });
});

describe("callbacks", () => {
  test("run in order when it is done, cancelled or failed, each with the future", async () => {
    await play(async ({ loop }) => {
      for (const complete of [
        (future: asyncio.Future<number>) => future.setResult(1),
        (future: asyncio.Future<number>) => future.setException(new RangeError("failed")),
        (future: asyncio.Future<number>) => void future.cancel(),
      ]) {
        const future = loop.createFuture<number>();
        const record: unknown[] = [];
        future.addDoneCallback((done) => record.push(1, done === future));
        future.addDoneCallback((done) => record.push(2, done === future));
        complete(future);
        future.logTraceback = false;
        expect(record).toEqual([]);
        await sleep(0);
        expect(record).toEqual([1, true, 2, true]);
      }
    });
  });

  test.each([
    { out: [0], left: [1, 2] },
    { out: [0, 1], left: [2] },
    { out: [2], left: [0, 1] },
    { out: [0, 1, 2], left: [] },
  ])("taken out: $out, left: $left", async ({ out, left }) => {
    await play(async ({ loop }) => {
      const future = loop.createFuture();
      const record: number[] = [];
      const callbacks = [0, 1, 2].map((number) => () => void record.push(number));
      for (const callback of callbacks) future.addDoneCallback(callback);
      for (const number of out) expect(future.removeDoneCallback(callbacks[number]!)).toBe(1);
      for (const number of out) expect(future.removeDoneCallback(callbacks[number]!)).toBe(0);
      future.setResult();
      await manyTurns();
      expect(record).toEqual(left);
    });
  });

  test("added and taken out by a callback, they follow the state at that time", async () => {
    await play(async ({ loop }) => {
      const future = loop.createFuture();
      const record: string[] = [];
      const late = () => void record.push("late");
      future.addDoneCallback(() => {
        record.push("first");
        future.addDoneCallback(late);
        expect(future.removeDoneCallback(second)).toBe(0);
      });
      const second = () => void record.push("second");
      future.addDoneCallback(second);
      future.setResult();
      await manyTurns();
      expect(record).toEqual(["first", "second", "late"]);
    });
  });
});

async function manyTurns(): Promise<void> {
  for (let i = 0; i < 5; i++) await sleep(0);
}

test("a subclass is a future like any other, and shows its own name", async () => {
  class Tagged<T> extends asyncio.Future<T> {
    readonly tag = "tagged";
  }
  await play(async () => {
    const future = new Tagged<number>();
    createTask(async () => future.setResult(7));
    expect([await future, future.tag, asyncio.isFuture(future)]).toEqual([7, "tagged", true]);
    expect(String(future)).toBe("<Tagged finished result=7>");
  });
});

test("an error keeps its own stack through every await", async () => {
  await play(async ({ loop }) => {
    const future = loop.createFuture();
    const error = new RangeError("origin");
    const { stack } = error;
    future.setException(error);
    for (let i = 0; i < 3; i++) await expect(async () => await future).rejects.toBe(error);
    expect(error.stack).toBe(stack);
  });
});
