import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

function* waiting() {
  yield* sleep(10);
}

describe("a task in a generator coroutine", () => {
  test("is cancelled before its first step: the body never runs", async () => {
    let ran = false;
    await run(function* () {
      const task = asyncio.createTask(function* () {
        ran = true;
        yield* sleep(0);
      });
      task.cancel();
      yield* asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    });
    expect(ran).toBe(false);
  });

  test("is cancelled while it waits, cleans up with more waits, and leaves no timer", async () => {
    const record: string[] = [];
    await run(function* ({ loop }) {
      const task = asyncio.createTask(function* () {
        try {
          yield* sleep(10);
        } finally {
          yield* sleep(1);
          record.push("cleaned");
        }
      });
      yield* sleep(1);
      task.cancel("why");
      yield* asyncio.gather([task], { returnExceptions: true });
      expect(() => task.result()).toThrow(new asyncio.CancelledError("why"));
      expect(loop.statistics().timers - loop.statistics().cancelledTimers).toBe(0);
    });
    expect(record).toEqual(["cleaned"]);
  });

  test("that ends with another error while it is cancelled has that error", async () => {
    await run(function* () {
      const task = asyncio.createTask(function* () {
        try {
          yield* sleep(10);
        } catch {
          throw new RangeError("cleanup failed");
        }
      });
      yield* sleep(0);
      task.cancel();
      yield* sleep(1);
      expect(task.exception()).toEqual(new RangeError("cleanup failed"));
    });
  });

  test("that throws CancelledError by itself is cancelled, with nobody having asked", async () => {
    await run(function* () {
      const task = asyncio.createTask(function* (): asyncio.CoroutineGenerator<void> {
        yield* sleep(0);
        throw new asyncio.CancelledError("spontaneous");
      });
      yield* sleep(1);
      expect([task.cancelled(), task.cancelling()]).toEqual([true, 0]);
      expect(() => task.result()).toThrow(new asyncio.CancelledError("spontaneous"));
      expect(() => task.result()).toThrow(new asyncio.CancelledError());
    });
  });
});

describe("mistakes in a generator coroutine are thrown at the line that made them", () => {
  test.each([
    ["a coroutine without the star", () => sleep(1), "yield was used instead of yield*"],
    ["a future without the star", () => asyncio.getRunningLoop().createFuture(), "yield was used instead of yield*"],
    ["a generator without the star", () => waiting(), "yield was used instead of yield*"],
    ["a promise", () => Promise.resolve(), "write yield* asyncio.fromPromise(promise)"],
    ["a number", () => 5, "Task got bad yield: 5"],
    ["null", () => null, "Task got bad yield: null"],
  ])("yield of %s", async (_name, make, message) => {
    await run(async () => {
      const task = asyncio.createTask(function* (): asyncio.CoroutineGenerator<string> {
        try {
          yield make() as unknown as asyncio.Suspension;
        } catch (error) {
          return String(error);
        }
        return "nothing thrown";
      });
      const text = await task;
      expect(text).toContain("RuntimeError");
      expect(text).toContain(message);
    });
  });

  test("a bare yield gives way for one turn", async () => {
    await run(async ({ loop }) => {
      const before = loop.statistics().turns;
      const task = asyncio.createTask(function* () {
        yield undefined as unknown as asyncio.Suspension;
        return loop.statistics().turns - before;
      });
      expect(await task).toBe(2);
    });
  });

  test("a task that waits for itself", async () => {
    await run(async () => {
      const task: asyncio.Task<void> = asyncio.createTask(function* (): asyncio.CoroutineGenerator<void> {
        yield* task;
      });
      await expect(Promise.resolve(task)).rejects.toThrow("Task cannot await on itself");
    });
  });

  test("a future of another loop", async () => {
    const other = asyncio.newEventLoop();
    const future = other.createFuture();
    await run(async () => {
      const task = asyncio.createTask(function* () {
        yield* future;
      });
      await expect(Promise.resolve(task)).rejects.toThrow(/^Task .* got Future .* attached to a different loop$/);
    });
    other.close();
  });

  test("a coroutine that was awaited before", async () => {
    await run(async () => {
      const nap = sleep(0);
      await nap;
      const task = asyncio.createTask(function* () {
        yield* nap;
      });
      await expect(Promise.resolve(task)).rejects.toThrow("cannot reuse <coroutine sleep()>");
    });
  });

  test("a coroutine that yields something hostile gets a RuntimeError", async () => {
    await run(async () => {
      const hostile = new Proxy(
        {},
        {
          getPrototypeOf(): never {
            throw new Error("trap");
          },
        },
      );
      const task = asyncio.createTask(function* () {
        yield hostile;
      } as never);
      const [error] = await asyncio.gather(task, { returnExceptions: true });
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
    });
  });
});

describe("createTask() refuses what cannot run, and names the cure", () => {
  test.each([
    ["a promise", () => Promise.resolve(), "pass the function: createTask(() => work())"],
    ["a future", () => asyncio.getRunningLoop().createFuture(), "use ensureFuture(future), or await it"],
    ["a number", () => 5, "a coroutine or a function was expected"],
    ["nothing", () => undefined, "a coroutine or a function was expected"],
  ])("%s", async (_name, make, cure) => {
    await run(async () => {
      expect(() => asyncio.createTask(make() as never)).toThrow(cure);
    });
  });

  test("outside of a loop", () => {
    expect(() => asyncio.createTask(waiting)).toThrow("no running event loop");
  });
});

test("frames of coroutine() functions are resumed directly, whatever their depth, and errors climb through them", async () => {
  const record: string[] = [];
  const nested: (depth: number) => asyncio.Coroutine<number> = asyncio.coroutine(function* (depth: number) {
    if (depth === 0) {
      yield* sleep(0);
      throw new RangeError("bottom");
    }
    try {
      return yield* nested(depth - 1);
    } catch (error) {
      record.push(`${depth}: ${String(error)}`);
      if (depth === 3) return 42;
      throw error;
    }
  });
  await run(async () => {
    expect(await asyncio.createTask(nested(5))).toBe(42);
  });
  expect(record).toEqual(["1: RangeError: bottom", "2: RangeError: bottom", "3: RangeError: bottom"]);
});

test("ten thousand nested coroutines do not overflow the stack", async () => {
  const nested: (depth: number) => asyncio.Coroutine<number> = asyncio.coroutine(function* (depth: number) {
    if (depth === 0) {
      yield* sleep(0);
      return 0;
    }
    return 1 + (yield* nested(depth - 1));
  });
  await run(function* () {
    expect(yield* nested(10_000)).toBe(10_000);
  });
});

test("a task shows its state, its name, its coroutine and what it waits for", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    const task = asyncio.createTask(
      function* worker() {
        yield* future;
        return 5;
      },
      { name: "w" },
    );
    expect(String(task)).toBe("<Task pending name='w' coro=<worker() running>>");
    await sleep(0);
    expect(inspect(task)).toBe(
      "<Task pending name='w' coro=<worker() running> wait_for=<Future pending cb=[Task.wakeup()]>>",
    );
    const cancelled = asyncio.createTask(waiting, { name: "c" });
    await sleep(0);
    cancelled.cancel();
    expect(String(cancelled)).toBe("<Task cancelling name='c' coro=<waiting() running> wait_for=<Future cancelled>>");
    future.setResult();
    await sleep(1);
    expect(String(task)).toBe("<Task finished name='w' coro=<worker() done> result=5>");
    expect(String(cancelled)).toBe("<Task cancelled name='c' coro=<waiting() done>>");
  });
});

test("an async task shows what its await waits for", async () => {
  await run(async () => {
    const task = asyncio.createTask(
      async function work() {
        await Promise.all([sleep(5), sleep(6)]);
      },
      { name: "a" },
    );
    await sleep(1);
    expect(String(task)).toBe(
      "<Task pending name='a' coro=<work() running> wait_for=<Future pending cb=[await]> and <Future pending cb=[await]>>",
    );
    task.cancel();
  });
});

test("tasks that wait for each other in a circle can be shown", async () => {
  await run(async () => {
    const tasks: asyncio.Task<void>[] = [];
    for (const other of [1, 0]) {
      tasks.push(
        asyncio.createTask(function* (): asyncio.CoroutineGenerator<void> {
          yield* tasks[other]!;
        }),
      );
    }
    await sleep(0);
    await sleep(0);
    expect(String(tasks[0])).toContain("...");
    tasks[0]!.cancel();
    await asyncio.gather(tasks, { returnExceptions: true });
    expect(tasks.map((task) => task.cancelled())).toEqual([true, true]);
  });
});

test("a circle of async tasks, through gather, is cancelled too", async () => {
  const reports = await run(async ({ loop }) => {
    const tasks: asyncio.Task<unknown>[] = [];
    const waitForFirst = async (): Promise<void> => void (await tasks[0]);
    tasks.push(
      loop.createTask(async () => {
        await Promise.resolve();
        tasks.push(loop.createTask(waitForFirst), loop.createTask(waitForFirst));
        await asyncio.gather(tasks.slice(1));
      }),
    );
    await sleep(1);
    tasks[0]!.cancel("round");
    await asyncio.gather(tasks, { returnExceptions: true });
    expect(tasks.map((task) => task.cancelled())).toEqual([true, true, true]);
  });
  expect(reports).toEqual([]);
});

test("a future iterated outside of a task says so instead of going round for ever", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture<number>();
    expect(() => [...(future as unknown as Iterable<unknown>)]).toThrow("was iterated outside of a task");
    const [itself] = loop.createFuture() as unknown as Iterable<unknown>;
    expect(itself).toBeInstanceOf(asyncio.Future);
  });
});

test("names: counted by default, set by option and by setName, whatever the value", async () => {
  await run(async () => {
    const task = asyncio.createTask(waiting);
    expect(task.getName()).toMatch(/^Task-\d+$/);
    task.setName(7);
    expect(task.name).toBe("7");
    task.name = "seven";
    expect(task.getName()).toBe("seven");
    task.cancel();
  });
});

test("setResult() and setException() are not for tasks", async () => {
  await run(async () => {
    const task = asyncio.createTask(waiting);
    expect(() => task.setResult()).toThrow("Task does not support setResult operation");
    expect(() => task.setException(new Error("no"))).toThrow("Task does not support setException operation");
    task.cancel();
  });
});

test("getStack() and printStack() show the coroutines under way, or the error", async () => {
  const inner = asyncio.coroutine(function* inner() {
    yield* sleep(1);
    throw new Error("broke");
  });
  await run(async () => {
    const task = asyncio.createTask(
      function* outer() {
        yield* inner();
      },
      { name: "t" },
    );
    await sleep(0.5);
    expect(task.getStack()).toEqual([{ name: "outer()" }, { name: "inner()" }]);
    expect(task.getStack({ limit: 1 })).toEqual([{ name: "inner()" }]);
    const written: string[] = [];
    const write = (text: string): void => void written.push(text);
    task.printStack({ write });
    await asyncio.gather(task, { returnExceptions: true });
    task.printStack({ write });
    const fine = asyncio.createTask(async () => {});
    await fine;
    fine.printStack({ write });
    expect(written[0]).toMatch(
      /^Stack for <Task pending name='t'.*> \(most recent call last\):\n {2}in outer\(\)\n {2}in inner\(\)$/,
    );
    expect(written[1]).toMatch(/^Traceback for <Task finished name='t'.*> \(most recent call last\):\nError: broke/);
    expect(written[2]).toMatch(/^No stack for <Task finished/);
  });
});

describe("eager start", () => {
  test("takes the first step at once, as the task, and puts the caller back", async () => {
    await run(async () => {
      const caller = asyncio.currentTask()?.getName();
      const seen: (string | undefined)[] = [];
      const task = asyncio.createTask(
        async () => {
          seen.push(asyncio.currentTask()?.getName());
          await sleep(0);
          seen.push(asyncio.currentTask()?.getName());
        },
        { eagerStart: true, name: "eager" },
      );
      expect(seen).toEqual(["eager"]);
      expect(asyncio.currentTask()?.getName()).toBe(caller);
      await task;
      expect(seen).toEqual(["eager", "eager"]);
    });
  });

  test("of a generator that never waits ends within createTask, and lets its coroutine go", async () => {
    await run(async () => {
      const task = asyncio.createTask(
        // oxlint-disable-next-line require-yield
        function* () {
          return "at once";
        },
        { eagerStart: true },
      );
      expect([task.done(), task.result(), task.getCoro()]).toEqual([true, "at once", null]);
    });
  });

  test("by factory, for every task of the loop, with a task class of one's own", async () => {
    class Special<T> extends asyncio.Task<T> {}
    await run(async ({ loop }) => {
      loop.setTaskFactory(asyncio.createEagerTaskFactory((coroutine, options) => new Special(coroutine, options)));
      let ran = false;
      const task = asyncio.createTask(async () => void (ran = true));
      expect(ran).toBe(true);
      expect(task).toBeInstanceOf(Special);
      expect(loop.getTaskFactory()).not.toBeNull();
      loop.setTaskFactory(null);
      expect(() => loop.setTaskFactory(5 as never)).toThrow("task factory must be a callable or null: received 5");
      await task;
    });
  });
});

describe("signals", () => {
  test("a task's signal is aborted when the task is cancelled, and fresh after the cancellation was taken back", async () => {
    await run(async () => {
      let first: AbortSignal | undefined;
      const task = asyncio.createTask(async () => {
        const self = asyncio.currentTask()!;
        first = self.signal;
        expect(first.aborted).toBe(false);
        try {
          await sleep(10);
        } catch {
          expect(first.aborted).toBe(true);
          expect(self.signal).toBe(first);
          self.uncancel();
        }
        return self.signal.aborted;
      });
      await sleep(1);
      task.cancel("stop");
      expect(first?.reason).toEqual(new asyncio.CancelledError("stop"));
      expect(await task).toBe(false);
    });
  });

  test("a signal asked for after the cancellation is aborted already", async () => {
    await run(async () => {
      const task = asyncio.createTask(waiting);
      await sleep(0);
      task.cancel();
      expect(task.signal.aborted).toBe(true);
    });
  });

  test("an AbortSignal cancels a task, and is let go when the task ends", async () => {
    await run(async () => {
      const controller = new AbortController();
      const task = asyncio.createTask(waiting, { signal: controller.signal });
      const quick = asyncio.createTask(() => sleep(0), { signal: controller.signal });
      await quick;
      controller.abort(new Error("user left"));
      await asyncio.gather([task], { returnExceptions: true });
      expect(() => task.result()).toThrow(new asyncio.CancelledError("user left"));
      expect(quick.cancelled()).toBe(false);
    });
  });

  test("a signal without a reason cancels without a message", async () => {
    await run(async () => {
      const signal = { aborted: true, reason: undefined, addEventListener() {}, removeEventListener() {} };
      const task = asyncio.createTask(waiting, { signal });
      await asyncio.gather([task], { returnExceptions: true });
      expect(() => task.result()).toThrow(new asyncio.CancelledError());
    });
  });

  test("a signal that is aborted already cancels the task before its first step", async () => {
    await run(async () => {
      const task = asyncio.createTask(waiting, { signal: AbortSignal.abort("gone") });
      await asyncio.gather([task], { returnExceptions: true });
      expect(() => task.result()).toThrow(new asyncio.CancelledError("gone"));
    });
  });
});

test("a Task can be made by its class, and prints its stack to standard error by default", async () => {
  const written: unknown[] = [];
  const { error } = console;
  console.error = (text: unknown) => void written.push(text);
  try {
    await run(async () => {
      const task = new asyncio.Task(waiting(), { name: "made" });
      task.printStack();
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
    });
  } finally {
    console.error = error;
  }
  expect(written[0]).toContain(
    "Stack for <Task pending name='made' coro=<generator() running>> (most recent call last):",
  );
});

test("allTasks() lists what has not ended, in the order of making", async () => {
  await run(async ({ loop }) => {
    const [a, b] = [asyncio.createTask(waiting), asyncio.createTask(waiting)];
    const [, first, second] = asyncio.allTasks();
    expect([first === a, second === b]).toEqual([true, true]);
    a.cancel();
    await sleep(0);
    await sleep(0);
    expect(asyncio.allTasks(loop).has(a)).toBe(false);
    expect(loop.statistics().tasks).toBe(2);
  });
});

test("debug mode reports a task that swallowed its cancellation", async () => {
  const reports = await run(
    async () => {
      const task = asyncio.createTask(async () => {
        try {
          await sleep(10);
        } catch {}
      });
      await sleep(1);
      task.cancel();
      await task;
    },
    { debug: true },
  );
  expect(reports.map((report) => report.message.split(":")[0])).toEqual(["Task swallowed CancelledError"]);
});

test("cancelling() and uncancel() count, and do not go below zero", async () => {
  await run(async () => {
    const task = asyncio.createTask(waiting);
    task.cancel();
    task.cancel();
    expect([task.cancelling(), task.uncancel(), task.uncancel(), task.uncancel()]).toEqual([2, 1, 0, 0]);
    await task;
    expect(task.cancelled()).toBe(false);
  });
});

test("a task that could not be made is not left behind", async () => {
  await run(async ({ loop }) => {
    const signal = new AbortController() as never; // the controller instead of its signal
    expect(() => asyncio.createTask(() => sleep(1), { signal })).toThrow(TypeError);
    expect(loop.statistics().tasks).toBe(1);
  });
});
