import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

/** What the library logged in a test. */
let logged: string[] = [];

function captureLog(): void {
  const keep = (message: string): void => void logged.push(message);
  asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
}

afterEach(() => {
  asyncio.setLogger(null);
  logged = [];
});

const virtualLoop = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());

describe("misuse of a loop names the cure", () => {
  test("after close()", async () => {
    const loop = virtualLoop();
    loop.close();
    loop.close();
    expect(loop.isClosed()).toBe(true);
    expect(() => loop.callSoon(() => {})).toThrow("Event loop is closed");
    expect(() => loop.callLater(1, () => {})).toThrow("Event loop is closed");
    expect(() => loop.createTask(() => sleep(0))).toThrow("Event loop is closed");
    await expect(loop.runForever()).rejects.toThrow("Event loop is closed");
    await expect(loop.runUntilComplete(() => sleep(0))).rejects.toThrow("Event loop is closed");
  });

  test("while it runs", async () => {
    await run(async ({ loop }) => {
      expect(() => loop.close()).toThrow("Cannot close a running event loop: stop() it first");
      await expect(loop.runForever()).rejects.toThrow("This event loop is already running");
      await expect(virtualLoop().runForever()).rejects.toThrow(
        "Cannot run the event loop while another loop is running",
      );
      await expect(asyncio.run(async () => {})).rejects.toThrow(
        "asyncio.run() cannot be called from a running event loop",
      );
      await expect(new asyncio.Runner().run(async () => {})).rejects.toThrow("Runner.run() cannot be called");
    });
  });

  test("with callbacks and times that are none", () => {
    const loop = virtualLoop();
    expect(() => loop.callSoon(5 as never)).toThrow("a callable object was expected by callSoon(), received");
    expect(() => loop.callSoon(undefined as never)).toThrow("received undefined");
    expect(() => loop.callLater(NaN, () => {})).toThrow("Invalid delay: NaN (not a number)");
    expect(() => loop.callLater("1" as never, () => {})).toThrow('received "1"');
    expect(() => loop.callAt(NaN, () => {})).toThrow("Invalid when: NaN");
    expect(() => loop.callAt({ seconds: 1 } as never, () => {})).toThrow("Invalid when: expected seconds");
    loop.setDebug(true);
    expect(() => loop.callSoon(async function task() {})).toThrow(
      "coroutines cannot be used with callSoon(): use createTask(task)",
    );
    expect(() => loop.setExceptionHandler(5 as never)).toThrow("A callable object or null is expected: received 5");
  });
});

describe("callbacks", () => {
  test("run in order with their arguments, and a cancelled one does not", async () => {
    const record: unknown[] = [];
    await run(async ({ loop }) => {
      loop.callSoon((...args: unknown[]) => record.push(args), 1, "two");
      const handle = loop.callSoon(() => record.push("never"));
      loop.callSoonThreadsafe(() => record.push("last"));
      handle.cancel();
      handle.cancel();
      expect(handle.cancelled()).toBe(true);
      await sleep(0);
    });
    expect(record).toEqual([[1, "two"], "last"]);
  });

  test("wake a loop that sleeps, and so does an earlier timer", async () => {
    const loop = asyncio.newEventLoop();
    const record: string[] = [];
    loop.callLater(60, () => record.push("never"));
    setTimeout(() => {
      loop.callLater(0.001, () => {
        record.push("timer");
        setTimeout(() => loop.callSoonThreadsafe(() => loop.stop()), 1);
      });
    }, 1);
    await loop.runForever();
    expect(record).toEqual(["timer"]);
    loop.close();
  });

  test("no task is current in a callback, and its context may be given", async () => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
    const record: unknown[] = [];
    await run(async ({ loop }) => {
      const context = new asyncio.Context();
      const note = (): void => {
        record.push(asyncio.currentTask(), variable.get());
        variable.set("set in callback");
      };
      variable.set("set in task");
      const handle = loop.callSoon({ context }, note);
      expect(handle.getContext()).toBe(context);
      loop.callLater(0, { context }, note);
      loop.callAt(0, { context }, note);
      await sleep(1);
      expect([variable.get(), context.get(variable)]).toEqual(["set in task", "set in callback"]);
    });
    expect(record).toEqual([null, "unset", null, "set in callback", null, "set in callback"]);
  });

  test("show themselves, with arguments and place in debug mode", () => {
    const loop = virtualLoop();
    expect(String(loop.callSoon(function later(_text: string) {}, "x"))).toBe("<Handle later()>");
    expect(inspect(loop.callAt(5, function later() {}))).toBe("<TimerHandle when=5 later()>");
    loop.setDebug(true);
    const handle = loop.callSoon(function later(_text: string) {}, "x");
    expect(String(handle)).toMatch(/^<Handle later\('x'\) created at .*loop\.test\.ts:\d+:\d+>$/);
    handle.cancel();
    expect(String(handle)).toMatch(/^<Handle cancelled later\('x'\) created at/);
    loop.setDebug(false);
    const plain = loop.callSoon(() => {});
    plain.cancel();
    expect(String(plain)).toBe("<Handle cancelled>");
    loop.setDebug(true);
    const timer = loop.callAt(5, () => {});
    expect(timer.when()).toBe(5);
    timer.cancel();
    expect(String(timer)).toMatch(/^<TimerHandle cancelled when=5 anonymous\(\) created at/);
  });
});

describe("the exception handler", () => {
  test("receives what a callback throws; one that throws itself falls back to the log", async () => {
    captureLog();
    const loop = virtualLoop();
    const handler = (): void => {
      throw new Error("handler broke");
    };
    loop.setExceptionHandler(handler);
    expect(loop.getExceptionHandler()).toBe(handler);
    loop.callSoon(function failing() {
      throw new Error("callback broke");
    });
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("Unhandled error in exception handler\ncontext: Exception in callback failing()");
    expect(logged[0]).toContain("Error: handler broke");
  });

  test("by default writes CPython's report, with causes and the errors of a group", () => {
    captureLog();
    const loop = virtualLoop();
    const cause = new TypeError("root");
    loop.defaultExceptionHandler({
      message: "It broke",
      exception: new AggregateError([new Error("one"), "two"], "several", { cause }),
      extra: "text",
      another: 5,
      sourceTraceback: ["made (file:1:2)"],
      handleTraceback: ["scheduled (file:3:4)"],
    });
    const [text = ""] = logged;
    expect(text).toMatch(
      /^It broke\nanother: 5\nextra: text\nObject created at \(most recent call first\):\n {2}made \(file:1:2\)\n/,
    );
    expect(text).toContain("Handle created at (most recent call first):\n  scheduled (file:3:4)");
    expect(text).toContain("AggregateError: several");
    expect(text).toContain("[1] Error: one");
    expect(text).toContain("[2] 'two'");
    expect(text).toContain("caused by: TypeError: root");
  });

  test("without a message, and with a log that throws", () => {
    captureLog();
    const loop = virtualLoop();
    loop.callExceptionHandler({ message: "" });
    expect(logged).toEqual(["Unhandled exception in event loop"]);
    let calls = 0;
    const failOnce = (message: string): void => {
      calls++;
      if (calls === 1) throw new Error("disk full");
      logged.push(message);
    };
    asyncio.setLogger({ debug: failOnce, info: failOnce, warning: failOnce, error: failOnce });
    loop.callExceptionHandler({ message: "lost?" });
    expect(logged[1]).toContain("Exception in default exception handler");
    expect(logged[1]).toContain("disk full");
  });

  test("runs in the context of the handle that failed", async () => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
    const seen: string[] = [];
    await run(async ({ loop }) => {
      loop.setExceptionHandler(() => void seen.push(variable.get()));
      variable.set("of the handle");
      loop.callSoon(() => {
        throw new Error("callback");
      });
      variable.set("later");
      await sleep(0);
    });
    expect(seen).toEqual(["of the handle"]);
  });
});

describe("KeyboardInterrupt and SystemExit leave the loop at once", () => {
  test.each([
    ["a callback", (loop: asyncio.BaseEventLoop, fail: () => never) => void loop.callSoon(fail)],
    [
      "a generator task",
      (loop: asyncio.BaseEventLoop, fail: () => never) =>
        void loop.createTask(function* () {
          yield* sleep(0);
          fail();
        }),
    ],
    [
      "an async task",
      (loop: asyncio.BaseEventLoop, fail: () => never) =>
        void loop.createTask(async () => {
          await sleep(0);
          fail();
        }),
    ],
    [
      "an awaited coroutine",
      (loop: asyncio.BaseEventLoop, fail: () => never) => {
        const inner = asyncio.coroutine(function* () {
          yield* sleep(0);
          fail();
        });
        loop.createTask(async () => await inner());
      },
    ],
  ])("raised in %s", async (_name, start) => {
    const loop = virtualLoop();
    start(loop, () => {
      throw new asyncio.SystemExit(3);
    });
    await expect(loop.runForever()).rejects.toMatchObject({ exitCode: 3 });
    expect(loop.isRunning()).toBe(false);
    let ranAfterwards = false;
    loop.callSoon(() => (ranAfterwards = true));
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    expect(ranAfterwards).toBe(true);
  });

  test("raised by an exception handler, or by the log", async () => {
    const exit = new asyncio.SystemExit(5);
    const fail = (): never => {
      throw exit;
    };
    const loop = virtualLoop();
    loop.setExceptionHandler(fail);
    loop.callSoon(() => {
      throw new Error("callback");
    });
    await expect(loop.runForever()).rejects.toBe(exit);
    loop.setExceptionHandler(null);
    asyncio.setLogger({ debug: fail, info: fail, warning: fail, error: fail });
    expect(() => loop.callExceptionHandler({ message: "to the log" })).toThrow(exit);
  });

  test("raised in the cleanup of a task while run() shuts down", async () => {
    const exit = new asyncio.SystemExit(6);
    const program = asyncio.run(
      async () => {
        asyncio.createTask(async () => {
          try {
            await sleep(100);
          } catch {
            throw exit;
          }
        });
        await sleep(0);
      },
      { loopFactory: virtualLoop },
    );
    await expect(program).rejects.toBe(exit);
  });

  test("run() raises it, and the main task's other end does not matter", async () => {
    await expect(
      asyncio.run(async () => {
        await sleep(0);
        throw new asyncio.KeyboardInterrupt();
      }),
    ).rejects.toBeInstanceOf(asyncio.KeyboardInterrupt);
  });
});

describe("what was forgotten is reported when the loop closes", () => {
  test("a pending task", async () => {
    const loop = virtualLoop();
    const reports: asyncio.ExceptionContext[] = [];
    loop.setExceptionHandler((_loop, context) => void reports.push(context));
    const task = loop.createTask(() => sleep(100), { name: "left" });
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    loop.close();
    expect(reports.map((report) => [report.message, report.task === task])).toEqual([
      ["Task was destroyed but it is pending!", true],
    ]);
  });

  test("a coroutine that was never awaited; one that was closed is not missed", async () => {
    const work = asyncio.coroutine(async function forgotten() {});
    const reports = await run(async () => {
      work();
      void sleep(1);
      work().close();
      await sleep(0);
    });
    expect(reports.map((report) => report.message)).toEqual([
      "coroutine 'forgotten' was never awaited",
      "coroutine 'sleep' was never awaited",
    ]);
  });

  test("in debug mode, with the place where it was made", async () => {
    const reports = await run(async () => void sleep(1), { debug: true });
    expect(reports[0]?.sourceTraceback?.[0]).toContain("loop.test.ts");
  });

  test("a coroutine that waited for its turn is not", async () => {
    const reports = await run(async () => {
      const nap = sleep(1);
      await sleep(5);
      await nap;
    });
    expect(reports).toEqual([]);
  });

  test("an await of an async function that outlived everything is ended", async () => {
    let error: unknown;
    const loop = virtualLoop();
    const stray = async (): Promise<void> => {
      try {
        await sleep(100);
      } catch (caught) {
        error = caught;
      }
    };
    await loop.runUntilComplete(async () => void stray());
    loop.close();
    await Promise.resolve();
    await Promise.resolve();
    expect(error).toEqual(new asyncio.CancelledError("the event loop is closed"));
  });
});

test("a coroutine that is collected unawaited is reported before the loop closes", async () => {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run the tests with --expose-gc");
  const messages: string[] = [];
  await asyncio.run(async () => {
    const loop = asyncio.getRunningLoop();
    loop.setExceptionHandler((_loop, context) => void messages.push(context.message));
    const forget = (): void => {
      void sleep(1);
      const future = loop.createFuture();
      future.setException(new Error("nobody asks"));
    };
    forget();
    for (let i = 0; i < 10_000 && messages.length < 2; i++) {
      gc();
      await sleep(0.001);
    }
    expect(messages.toSorted()).toEqual([
      "Future exception was never retrieved",
      "coroutine 'sleep' was never awaited",
    ]);
  });
  expect(messages).toHaveLength(2);
});

test("debug mode reports callbacks and steps that take long", async () => {
  captureLog();
  let now = 0;
  class SlowHost extends VirtualHost {
    override now(): number {
      return super.now() + now;
    }
  }
  const loop = new asyncio.BaseEventLoop(new SlowHost());
  loop.setDebug(true);
  loop.slowCallbackDuration = 0.5;
  await loop.runUntilComplete(
    asyncio.coroutine(async function main() {
      loop.callSoon(function slow() {
        now += 0.75;
      });
      await sleep(0);
      now += 0.6;
      await sleep(0);
    })(),
  );
  expect(logged).toHaveLength(2);
  expect(logged[0]).toMatch(/^Executing <Handle slow\(\) created at .*> took 0\.750 seconds$/);
  expect(logged[1]).toMatch(/^Executing <await of .*> took 0\.600 seconds$/);
});

test("an instrument hears of turns, tasks and steps, in both syntaxes", async () => {
  const steps = async (work: asyncio.CoroutineLike<unknown>): Promise<string[]> => {
    const loop = virtualLoop();
    const heard: string[] = [];
    let turns = 0;
    const instrument: asyncio.Instrument = {
      turnStarted: () => void turns++,
      taskCreated: (task) => heard.push(`created ${task.name}`),
      stepStarted: () => heard.push("step"),
      stepEnded: () => heard.push("waits"),
      taskDone: (task) => heard.push(`done ${task.cancelled()}`),
    };
    loop.addInstrument(instrument);
    await loop.runUntilComplete(() => asyncio.createTask(work, { name: "t", eagerStart: true }));
    expect(turns).toBe(loop.statistics().turns);
    loop.removeInstrument(instrument);
    return heard.slice(heard.indexOf("created t"));
  };
  const expected = ["created t", "step", "waits", "waits", "step", "waits"];
  const inAsync = await steps(async () => await sleep(0));
  const inGenerators = await steps(function* () {
    yield* sleep(0);
  });
  expect(inAsync.filter((word) => word === "step" || word === "waits").slice(0, 5)).toEqual(
    inGenerators.filter((word) => word === "step" || word === "waits").slice(0, 5),
  );
  expect(inAsync.slice(0, 3)).toEqual(expected.slice(0, 3));
  expect(inAsync).toContain("done false");
});

test("an instrument hears who has woken a task", async () => {
  const loop = virtualLoop();
  const heard: string[] = [];
  const future = loop.createFuture();
  loop.addInstrument({
    taskReady: (task, by) => void heard.push(`${task.name} by ${by?.name ?? "nobody"}`),
  });
  await loop.runUntilComplete(async () => {
    asyncio.currentTask()!.setName("main");
    const waiter = asyncio.createTask(async () => await future, { name: "waiter" });
    await sleep(1);
    future.setResult();
    await waiter;
  });
  // `main` had no name yet when it was made.
  expect(heard.slice(1)).toEqual([
    "waiter by main", // made
    "main by nobody", // its timer
    "waiter by main", // the future
    "main by waiter", // its end
  ]);
});

test("an instrument that throws is reported, and hears no more; the others do, and the loop goes on", async () => {
  const loop = virtualLoop();
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  let thrown = 0;
  let steps = 0;
  loop.addInstrument({
    stepStarted() {
      thrown++;
      throw new Error("of the tool");
    },
    stepEnded: () => void thrown++,
  });
  loop.addInstrument({ stepStarted: () => void steps++ });
  await loop.runUntilComplete(async () => await sleep(1));
  expect(reports.map(({ message, exception }) => [message, String(exception)])).toEqual([
    ["An instrument has thrown, and hears no more", "Error: of the tool"],
  ]);
  expect([thrown, steps]).toEqual([1, 2]);
});

test("runUntilComplete() takes a future, and a loop that is stopped first says so", async () => {
  const loop = virtualLoop();
  const future = loop.createFuture<number>();
  loop.callLater(1, () => future.setResult(5));
  expect(await loop.runUntilComplete(future)).toBe(5);
  loop.callSoon(() => loop.stop());
  await expect(loop.runUntilComplete(loop.createFuture())).rejects.toThrow(
    "Event loop stopped before Future completed.",
  );
});

test("a deadlock is an error that draws the tasks", async () => {
  const message = await asyncio
    .run(
      async () => {
        const loop = asyncio.getRunningLoop();
        const door = loop.createFuture();
        const inner = asyncio.coroutine(function* knock() {
          yield* door;
        });
        const a = asyncio.createTask(async () => await inner(), { name: "a" });
        const b = asyncio.createTask(async () => await asyncio.gather(a, door), { name: "b" });
        await Promise.all([a, b, new Promise(() => {})]);
      },
      { loopFactory: virtualLoop },
    )
    .then(
      () => "",
      (error: unknown) => (error instanceof asyncio.DeadlockError ? error.message : String(error)),
    );
  expect(message.replaceAll(/Task-\d+/g, "main").split("\n")).toEqual([
    "deadlock: 3 tasks still wait, and nothing is left that could wake the loop",
    "Task 'main' in anonymous()",
    "  waits for Task 'a' in anonymous()",
    "    waits for <Future pending cb=[Task.wakeup(), childDone()]>",
    "  waits for Task 'b' in anonymous()",
    "    waits for <_GatheringFuture pending cb=[await]>",
    "      waits for Task 'a' in anonymous() (see above)",
    "      waits for <Future pending cb=[Task.wakeup(), childDone()]> (see above)",
    "(The clock is virtual: a promise, a timer or a socket outside of the loop does not wake it.)",
  ]);
});

test("a loop shows itself, and `using` closes it", async () => {
  let kept: asyncio.BaseEventLoop;
  {
    using loop = virtualLoop();
    kept = loop;
    expect(inspect(loop)).toBe("<EventLoop running=false closed=false debug=false>");
  }
  expect(String(kept)).toBe("<EventLoop running=false closed=true debug=false>");
});

test("two loops run side by side, each with its own tasks", async () => {
  const record: string[] = [];
  const program = (name: string) => async (): Promise<void> => {
    const loop = asyncio.getRunningLoop();
    for (let i = 0; i < 3; i++) {
      await sleep(0.001);
      expect(asyncio.getRunningLoop()).toBe(loop);
      record.push(name);
    }
  };
  await Promise.all([asyncio.run(program("a")), asyncio.run(program("b"))]);
  expect(record.toSorted()).toEqual(["a", "a", "a", "b", "b", "b"]);
});

test("tasks that hand work to each other do not keep I/O and promises waiting", async () => {
  await asyncio.run(async () => {
    const seen = { io: false, promise: false };
    const busyUntil = function* (what: "io" | "promise", limit: number) {
      for (let i = 0; i < limit && !seen[what]; i++) yield* sleep(0);
    };
    setTimeout(() => (seen.io = true), 0);
    await asyncio.createTask(busyUntil("io", 1_000_000));
    void (async () => {
      for (let i = 0; i < 10; i++) await Promise.resolve();
      seen.promise = true;
    })();
    await asyncio.createTask(busyUntil("promise", 1_000));
    expect(seen).toEqual({ io: true, promise: true });
  });
});
