import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

/** A loop that does not run: enough for what needs no turn. */
function idleLoop(): asyncio.BaseEventLoop {
  return asyncio.newEventLoop();
}

test("a pending future refuses to tell a result or an exception", () => {
  const future = idleLoop().createFuture();
  expect(future.done()).toBe(false);
  expect(() => future.result()).toThrow(asyncio.InvalidStateError);
  expect(() => future.exception()).toThrow("Exception is not set: the future is pending");
});

test("a future is completed once", () => {
  const future = idleLoop().createFuture<number>();
  future.setResult(1);
  expect([future.done(), future.result(), future.exception(), future.cancelled()]).toEqual([true, 1, null, false]);
  expect(() => future.setResult(2)).toThrow("invalid state: <Future finished result=1>");
  expect(() => future.setException(new Error("late"))).toThrow(asyncio.InvalidStateError);
  expect(future.cancel()).toBe(false);
});

test("setException() takes any value, and makes an instance of a class", () => {
  const loop = idleLoop();
  const byClass = loop.createFuture();
  byClass.setException(TypeError);
  expect(byClass.exception()).toBeInstanceOf(TypeError);
  const byValue = loop.createFuture();
  byValue.setException("a string");
  expect(byValue.exception()).toBe("a string");
  expect(() => byValue.result()).toThrow("a string");
});

test("a cancelled future raises CancelledError with the message it was given", () => {
  const future = idleLoop().createFuture();
  expect(future.cancel("why")).toBe(true);
  expect(future.cancelled()).toBe(true);
  expect(() => future.result()).toThrow(new asyncio.CancelledError("why"));
  expect(() => future.exception()).toThrow(new asyncio.CancelledError("why"));
  expect(() => future.setResult()).toThrow("invalid state: <Future cancelled>");
});

test("callbacks run in the next turn, in the order they were added, and late ones after them", async () => {
  await run(async ({ loop }) => {
    const record: string[] = [];
    const future = loop.createFuture();
    future.addDoneCallback(() => record.push("a"));
    future.addDoneCallback(() => record.push("b"));
    future.setResult();
    future.addDoneCallback(() => record.push("late"));
    expect(record).toEqual([]);
    await sleep(0);
    expect(record).toEqual(["a", "b", "late"]);
  });
});

test("a callback receives the future, and one that throws is reported and stops nobody", async () => {
  const reports = await run(async ({ loop }) => {
    const record: unknown[] = [];
    const future = loop.createFuture();
    future.addDoneCallback(function failing() {
      throw new Error("callback");
    });
    future.addDoneCallback((done) => record.push(done === future));
    future.setResult();
    await sleep(0);
    expect(record).toEqual([true]);
  });
  expect(reports.map((report) => report.message)).toEqual(["Exception in callback failing()"]);
});

test("removeDoneCallback() takes all equal callbacks out and says how many", async () => {
  await run(async ({ loop }) => {
    const record: string[] = [];
    const twice = (): void => void record.push("twice");
    const future = loop.createFuture();
    future.addDoneCallback(twice);
    future.addDoneCallback(() => record.push("other"));
    future.addDoneCallback(twice);
    expect(future.removeDoneCallback(twice)).toBe(2);
    expect(future.removeDoneCallback(twice)).toBe(0);
    future.setResult();
    await sleep(0);
    expect(record).toEqual(["other"]);
  });
});

test("a callback runs in the context of its registration, or in the one given", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  await run(async ({ loop }) => {
    const record: string[] = [];
    const future = loop.createFuture();
    const context = asyncio.copyContext();
    context.run(() => variable.set("given"));
    variable.set("registered");
    future.addDoneCallback(() => record.push(variable.get()));
    future.addDoneCallback(() => record.push(variable.get()), { context });
    variable.set("later");
    future.setResult();
    await sleep(0);
    expect(record).toEqual(["registered", "given"]);
  });
});

test("several tasks may wait for one future, in both syntaxes", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture<string>();
    const tasks = [
      asyncio.createTask(async () => `${await future} async`),
      asyncio.createTask(function* () {
        return `${yield* future} generator`;
      }),
    ];
    await sleep(0);
    future.setResult("shared");
    expect(await asyncio.gather(tasks)).toEqual(["shared async", "shared generator"]);
  });
});

test("a failure that nobody asks for is reported when the loop closes; asking for it is enough", async () => {
  const reports = await run(async ({ loop }) => {
    const [lost, asked, awaited, silenced] = [1, 2, 3, 4].map(() => loop.createFuture());
    for (const future of [lost, asked, awaited, silenced]) future?.setException(new Error("failed"));
    asked?.exception();
    await expect(Promise.resolve(awaited)).rejects.toThrow("failed");
    silenced!.logTraceback = false;
    await sleep(0);
  });
  expect(reports.map((report) => report.message)).toEqual(["Future exception was never retrieved"]);
  expect(Object.keys(reports[0]!).toSorted()).toEqual(["exception", "future", "message"]);
});

test("logTraceback can only be switched off", () => {
  const future = idleLoop().createFuture();
  expect(() => (future.logTraceback = true)).toThrow(RangeError);
});

test("a future shows its state, its outcome and its callbacks", () => {
  const loop = idleLoop();
  const future = loop.createFuture<string>();
  expect(String(future)).toBe("<Future pending>");
  future.addDoneCallback(function first() {});
  future.addDoneCallback(function second() {});
  expect(String(future)).toBe("<Future pending cb=[first(), second()]>");
  future.addDoneCallback(function third() {});
  expect(inspect(future)).toBe("<Future pending cb=[first(), <1 more>, third()]>");
  future.setResult("x".repeat(60));
  expect(String(future)).toBe("<Future finished result='xxxxxxxxxxxx...xxxxxxxxxxxxx'>");
  const failed = loop.createFuture();
  failed.setException(new TypeError("bad"));
  expect(String(failed)).toBe("<Future finished exception=TypeError('bad')>");
  failed.exception();
});

test("in debug mode a future knows where it was made", () => {
  const loop = idleLoop();
  loop.setDebug(true);
  expect(String(loop.createFuture())).toMatch(/^<Future pending created at .*futures\.test\.ts:\d+:\d+>$/);
});

test("awaiting a future outside of any task works, and is nobody's to cancel", async () => {
  const loop = idleLoop();
  const future = loop.createFuture<string>();
  const waiting = (async () => await future)();
  loop.callSoon(() => future.setResult("outside"));
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  await loop.runUntilComplete(() => sleep(0));
  expect(await waiting).toBe("outside");
});

test("a future without a loop needs a running one", () => {
  expect(() => new asyncio.Future()).toThrow("no running event loop: call this from inside asyncio.run(...)");
});

test("isFuture() knows futures and tasks from promises", async () => {
  await run(async ({ loop }) => {
    const task = asyncio.createTask(() => sleep(0));
    expect([loop.createFuture(), task, Promise.resolve(), null].map(asyncio.isFuture)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(loop.createFuture().getLoop()).toBe(loop);
    await task;
  });
});

// CPython: InvalidStateError, and "Future exception was never retrieved" for the first.
test("setException() on a failed future does not silence its first exception", async () => {
  const reports = await run(async ({ loop }) => {
    const future = loop.createFuture();
    future.setException(new Error("first"));
    expect(() => future.setException(new Error("second"))).toThrow(asyncio.InvalidStateError);
  });
  expect(reports.map((report) => String(report.exception))).toEqual(["Error: first"]);
});

// CPython: cancel() of a done future clears its log flag.
test("cancel() on a failed future silences it, however long ago it failed", async () => {
  const reports = await run(async ({ loop }) => {
    const future = loop.createFuture();
    future.setException(new Error("first"));
    for (let i = 0; i < 5; i++) await sleep(1);
    future.cancel();
  });
  expect(reports).toEqual([]);
});

// CPython formats a done callback without its arguments: `cb=[name() at file:line]`.
test("in debug mode, a future shows its callbacks without showing itself in them", async () => {
  await run(
    async ({ loop }) => {
      const future = loop.createFuture();
      future.addDoneCallback(() => {}); // with two of them String(future) takes for ever
      expect(String(future).length).toBeLessThan(300);
      future.cancel();
    },
    { debug: true },
  );
});

// The kernel's own future is fed to `then`: its callbacks run inside of a turn with nothing around them.
test("an error in a callback given to then() goes to the exception handler, and the loop goes on", async () => {
  const reports = await run(async ({ loop }) => {
    const future = loop.createFuture();
    future.then(
      () => {
        throw new Error("callback");
      },
      () => {},
    );
    loop.callLater(1, () => future.setResult());
    await sleep(2);
  });
  expect(reports.map((report) => String(report.exception))).toEqual(["Error: callback"]);
});

test("C8: then() with one callback passes the failure on to who chains", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    const heard: unknown[] = [];
    future.then(() => {}).catch((error: unknown) => heard.push(String(error)));
    loop.callLater(1, () => future.cancel());
    await sleep(2);
    expect(heard).toEqual(["CancelledError"]);
  });
});

// CPython: the task that got the foreign future fails; the future is as good as before.
test("a future that a task of another loop was refused can still be awaited in its own loop", async () => {
  const [own, other] = [new asyncio.BaseEventLoop(new VirtualHost()), new asyncio.BaseEventLoop(new VirtualHost())];
  const future = own.createFuture<number>();
  const wait = function* (): asyncio.CoroutineGenerator<number> {
    return yield* future;
  };
  await expect(other.runUntilComplete(wait())).rejects.toThrow("attached to a different loop");
  own.callLater(1, () => future.setResult(5));
  expect(await own.runUntilComplete(wait())).toBe(5);
});
