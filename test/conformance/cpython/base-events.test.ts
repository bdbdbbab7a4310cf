/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** The part of CPython's test_base_events that is about the loop, in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { failAfter } from "./suite.ts";

const { sleep } = asyncio;

const newLoop = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());

/** Runs what is ready, once. */
async function runOnce(loop: asyncio.BaseEventLoop): Promise<void> {
  loop.stop();
  await loop.runForever();
}

test("close() once and twice; a closed loop runs nothing more", async () => {
  const loop = newLoop();
  const future = loop.createFuture();
  expect([loop.isClosed(), loop.isRunning()]).toEqual([false, false]);
  loop.close();
  loop.close();
  expect(loop.isClosed()).toBe(true);
  await expect(loop.runForever()).rejects.toThrow(asyncio.RuntimeError);
  await expect(loop.runUntilComplete(future)).rejects.toThrow("Event loop is closed");
});

test("callSoon(), callLater() and callAt() give handles: the place in line, the time, and a way back", async () => {
  const loop = newLoop();
  const record: unknown[] = [];
  const handle = loop.callSoon((...args) => record.push(args), 1, "two");
  expect(handle.cancelled()).toBe(false);
  const [later, at] = [loop.callLater(10, () => record.push("later")), loop.callAt(5, () => record.push("at"))];
  expect([later.when(), at.when(), loop.statistics().timers]).toEqual([10, 5, 2]);
  loop.callLater({ seconds: 1 }, () => record.push("never")).cancel();
  await loop.runUntilComplete(sleep(10));
  await runOnce(loop);
  expect([record, loop.time()]).toEqual([[[1, "two"], "at", "later"], 10]);
  loop.close();
});

test("timers of the past fire in the order of their times, in the next turn", async () => {
  const loop = newLoop();
  const record: number[] = [];
  for (const delay of [-1, -2, 0, -3]) loop.callLater(delay, () => record.push(delay));
  await runOnce(loop);
  expect(record).toEqual([-3, -2, -1, 0]);
  loop.close();
});

test("debug mode is switched on and off", () => {
  const loop = newLoop();
  expect(loop.getDebug()).toBe(false);
  loop.setDebug(true);
  expect([loop.getDebug(), String(loop)]).toEqual([true, "<EventLoop running=false closed=false debug=true>"]);
  loop.setDebug(false);
  expect(loop.getDebug()).toBe(false);
  loop.close();
});

test("a callback of a timer schedules another callback: it runs in the turn after", async () => {
  const loop = newLoop();
  const record: unknown[] = [];
  loop.callLater(0, () => {
    record.push("timer");
    loop.callSoon(() => record.push("soon"));
  });
  await runOnce(loop);
  expect(record).toEqual(["timer"]);
  await runOnce(loop);
  expect(record).toEqual(["timer", "soon"]);
  loop.close();
});

test("runUntilComplete() refuses what is no work", async () => {
  const loop = newLoop();
  for (const work of ["blah", 1, null]) await expect(loop.runUntilComplete(work as never)).rejects.toThrow(TypeError);
  loop.close();
});

test("runUntilComplete() of a future of another loop is an error", async () => {
  const [loop, other] = [1, 2].map(() => new asyncio.BaseEventLoop(new VirtualHost()));
  await expect(loop!.runUntilComplete(other!.createFuture())).rejects.toThrow(RangeError);
  loop!.close();
  other!.close();
});

test("runs on after a run that an error left: nothing of that run stops the next one", async () => {
  const loop = newLoop();
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await expect(loop.runUntilComplete(failAfter(0, new asyncio.KeyboardInterrupt()))).rejects.toBeInstanceOf(
    asyncio.KeyboardInterrupt,
  );
  let called = false;
  loop.callLater(5, () => {
    called = true;
    loop.stop();
  });
  await loop.runForever();
  expect(called).toBe(true);
  await expect(loop.runUntilComplete(failAfter(0, new RangeError("main")))).rejects.toThrow("main");
  loop.close();
  expect(reports).toEqual([]);
});

test("setExceptionHandler() and setTaskFactory() take a function or null, and give it back", () => {
  const loop = newLoop();
  expect([loop.getExceptionHandler(), loop.getTaskFactory()]).toEqual([null, null]);
  const handler = (): void => {};
  loop.setExceptionHandler(handler);
  expect(loop.getExceptionHandler()).toBe(handler);
  expect(() => loop.setExceptionHandler("spam" as never)).toThrow(TypeError);
  loop.setExceptionHandler(null);
  expect(loop.getExceptionHandler()).toBe(null);
  loop.setTaskFactory(asyncio.eagerTaskFactory);
  expect(loop.getTaskFactory()).toBe(asyncio.eagerTaskFactory);
  expect(() => loop.setTaskFactory(1 as never)).toThrow(TypeError);
  loop.setTaskFactory(null);
  expect(loop.getTaskFactory()).toBe(null);
  loop.close();
});

test("a task factory gets loop, coroutine and options, and its task is the one that is given out", async () => {
  class MyTask<T> extends asyncio.Task<T> {}
  const loop = newLoop();
  const seen: unknown[] = [];
  loop.setTaskFactory((factoryLoop, coroutine, options) => {
    seen.push(factoryLoop === loop, asyncio.isCoroutine(coroutine), options.name);
    return new MyTask(coroutine, { ...options, loop: factoryLoop });
  });
  const task = loop.createTask(async () => "done", { name: "named" });
  expect([task instanceof MyTask, task.getName(), await loop.runUntilComplete(task)]).toEqual([true, "named", "done"]);
  loop.setTaskFactory(null);
  const plain = loop.createTask(async () => "plain", { name: "plain name" });
  expect([plain instanceof MyTask, plain.getName(), await loop.runUntilComplete(plain)]).toEqual([
    false,
    "plain name",
    "plain",
  ]);
  expect(seen).toEqual([true, true, "named"]);
  loop.close();
});

test("what needs a running loop says so, and what it was given can still be run", async () => {
  const loop = newLoop();
  const coroutine = sleep(1, "still there");
  expect(() => asyncio.shield(coroutine)).toThrow("no running event loop");
  expect(() => asyncio.asCompleted([coroutine])).toThrow("no running event loop");
  expect(() => asyncio.gather(coroutine)).toThrow("no running event loop");
  expect(() => asyncio.createTask(coroutine)).toThrow("no running event loop");
  expect(await loop.runUntilComplete(coroutine)).toBe("still there");
  loop.close();
});
