/** Async functions as coroutines: the rules of the design, one test a rule. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

/** A promise that nobody but the test settles, and that the library knows nothing of. */
function deferred<T = void>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

test("nothing runs until a coroutine is awaited, and awaiting it needs no turn if it does not wait", async () => {
  const record: string[] = [];
  const work = asyncio.coroutine(async (name: string) => {
    record.push(name);
    return name;
  });
  await run(async ({ loop }) => {
    const call = work("called");
    await sleep(0);
    expect(record).toEqual([]);
    const { turns } = loop.statistics();
    expect(await call).toBe("called");
    expect(loop.statistics().turns).toBe(turns);
  });
});

test("a coroutine is awaited once; the second time gets the cure", async () => {
  const work = asyncio.coroutine(async function work() {
    return 1;
  });
  await run(async () => {
    const call = work();
    await call;
    await expect(Promise.resolve(call)).rejects.toThrow("cannot reuse <coroutine work()>: call the function again");
  });
});

test("cancel() throws at the await, cleanup may await, and the task ends when it has cleaned up", async () => {
  const record: string[] = [];
  await run(async ({ loop }) => {
    const task = asyncio.createTask(async () => {
      try {
        await sleep(10);
      } catch (error) {
        record.push(`caught ${String(error)} at ${loop.time()}`);
        await sleep(2);
        record.push(`cleaned at ${loop.time()}`);
        throw error;
      }
    });
    await sleep(1);
    expect(task.cancel("enough")).toBe(true);
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
    expect(task.cancel()).toBe(false);
  });
  expect(record).toEqual(["caught CancelledError: enough at 1", "cleaned at 3"]);
});

test("a swallowed cancellation lets the function finish, and the count tells of it", async () => {
  await run(async () => {
    const task = asyncio.createTask(async () => {
      try {
        await sleep(10);
      } catch {
        return asyncio.currentTask()?.cancelling();
      }
      return null;
    });
    await sleep(0);
    task.cancel();
    expect(await task).toBe(1);
    expect(task.cancelled()).toBe(false);
  });
});

test("cancelled before the first step, the function is never called", async () => {
  let called = false;
  await run(async () => {
    const task = asyncio.createTask(async () => {
      called = true;
    });
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(called).toBe(false);
});

test("every await of a task is cancelled: Promise.all inside one task", async () => {
  const record: string[] = [];
  const branch = async (name: string): Promise<void> => {
    try {
      await sleep(10);
    } finally {
      record.push(`${name} cancelled`);
      await sleep(1);
      record.push(`${name} cleaned`);
    }
  };
  await run(async ({ loop }) => {
    const task = asyncio.createTask(async () => {
      await Promise.all([branch("a"), branch("b"), branch("c")]);
    });
    await sleep(1);
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    await sleep(2);
    expect(task.cancelled()).toBe(true);
    expect(loop.statistics().timers).toBe(0);
  });
  expect(record).toEqual(["a cancelled", "b cancelled", "c cancelled", "a cleaned", "b cleaned", "c cleaned"]);
});

test("cancelled while it awaits a bare promise, the function hears of it at its next wait on one of ours", async () => {
  const gate = deferred();
  const record: string[] = [];
  await run(async () => {
    const task = asyncio.createTask(async () => {
      await gate.promise;
      record.push("promise done");
      await sleep(0);
      record.push("never");
    });
    await sleep(1);
    task.cancel("late");
    await sleep(1);
    expect(task.done()).toBe(false);
    gate.resolve();
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["promise done"]);
});

test("cancelled while it awaits a bare promise, a function that returns without another wait is cancelled all the same", async () => {
  const gate = deferred();
  await run(async () => {
    const task = asyncio.createTask(async () => {
      await gate.promise;
      return 1;
    });
    await sleep(1);
    task.cancel();
    gate.resolve();
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
});

test("cancelled while it awaits a bare promise that then fails, the function's error wins", async () => {
  const gate = deferred();
  await run(async () => {
    const task = asyncio.createTask(async () => await gate.promise);
    await sleep(1);
    task.cancel();
    gate.reject(new Error("own"));
    await expect(Promise.resolve(task)).rejects.toThrow("own");
    expect(task.cancelled()).toBe(false);
  });
});

test("uncancel() takes a request back that was not delivered", async () => {
  const gate = deferred();
  await run(async () => {
    const task = asyncio.createTask(async () => {
      await gate.promise;
      asyncio.currentTask()?.uncancel();
      await sleep(0);
      return "went on";
    });
    await sleep(1);
    task.cancel();
    gate.resolve();
    expect(await task).toBe("went on");
  });
});

test("a task that cancels itself is cancelled at its next wait that really waits", async () => {
  const record: string[] = [];
  await run(async ({ loop }) => {
    const done = loop.createFuture<number>();
    done.setResult(1);
    const task = asyncio.createTask(async () => {
      asyncio.currentTask()?.cancel("self");
      record.push(`done future: ${await done}`);
      try {
        await sleep(0);
        record.push("never");
      } catch (error) {
        record.push(String(error));
      }
      await sleep(0);
      record.push("the next wait passes");
    });
    await task;
  });
  expect(record).toEqual(["done future: 1", "CancelledError: self", "the next wait passes"]);
});

test("two requests before the function runs are one exception, and both are counted", async () => {
  const record: unknown[] = [];
  await run(async () => {
    const task = asyncio.createTask(async () => {
      for (let i = 0; i < 2; i++) {
        try {
          await sleep(5);
          record.push("slept");
        } catch (error) {
          record.push(String(error), asyncio.currentTask()?.cancelling());
        }
      }
    });
    await sleep(0);
    task.cancel("first");
    task.cancel("second");
    await task;
  });
  expect(record).toEqual(["CancelledError: first", 2, "slept"]);
});

test("a result that is ready when the cancellation comes is lost, as in CPython", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture<string>();
    const record: string[] = [];
    const task = asyncio.createTask(async () => {
      try {
        record.push(await future);
      } catch (error) {
        record.push(String(error));
        throw error;
      }
    });
    await sleep(0);
    future.setResult("ready");
    task.cancel("same instant");
    await asyncio.gather(task, { returnExceptions: true });
    expect(record).toEqual(["CancelledError: same instant"]);
  });
});

test("currentTask() and names are the task's in nested async functions and in awaited coroutines", async () => {
  const name = (): string | undefined => asyncio.currentTask()?.getName();
  const inner = asyncio.coroutine(function* () {
    yield* sleep(0);
    return name();
  });
  const nested = async (): Promise<unknown> => {
    await sleep(0);
    return name();
  };
  await run(async () => {
    const task = asyncio.createTask(async () => [name(), await nested(), await inner(), name()], { name: "one" });
    expect(await task).toEqual(["one", "one", "one", "one"]);
    expect(asyncio.allTasks().size).toBe(1);
  });
});

test("currentTask() and getRunningLoop() hold after a bare promise and after a timer of JavaScript's", async () => {
  await asyncio.run(async () => {
    const task = asyncio.currentTask();
    const loop = asyncio.getRunningLoop();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(asyncio.currentTask()).toBe(task);
    expect(asyncio.getRunningLoop()).toBe(loop);
    await sleep(0);
    expect(asyncio.currentTask()).toBe(task);
  });
});

test("a variable set inside an awaited coroutine stays set outside; one set in another task does not", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  const setIt = asyncio.coroutine(async (value: string) => {
    await sleep(0);
    variable.set(value);
    await sleep(0);
  });
  await run(async () => {
    await setIt("here");
    expect(variable.get()).toBe("here");
    await asyncio.createTask(setIt("elsewhere"));
    expect(variable.get()).toBe("here");
    await Promise.resolve();
    expect(variable.get()).toBe("here");
  });
});

test("an awaited coroutine runs in the same task, and cancelling the task reaches into it", async () => {
  const record: string[] = [];
  const inner = asyncio.coroutine(function* () {
    try {
      yield* sleep(10);
    } catch (error) {
      record.push(`inner ${String(error)}`);
      yield* sleep(1);
      record.push("inner cleaned");
      throw error;
    }
  });
  await run(async () => {
    const task = asyncio.createTask(async () => {
      try {
        await inner();
      } finally {
        record.push("outer");
      }
    });
    await sleep(1);
    task.cancel("deep");
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["inner CancelledError: deep", "inner cleaned", "outer"]);
});

test("a request to cancel that an awaited coroutine did not see goes to the function's next wait", async () => {
  const record: string[] = [];
  const inner = asyncio.coroutine(function* () {
    yield* sleep(0);
    asyncio.currentTask()?.cancel("from inside");
    return "inner done";
  });
  await run(async () => {
    const task = asyncio.createTask(async () => {
      record.push(await inner());
      await sleep(0);
      record.push("never");
    });
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["inner done"]);
});

test("an awaited coroutine that is cancelled and goes on hears of the next request too", async () => {
  const record: string[] = [];
  const stubborn = asyncio.coroutine(function* () {
    for (let i = 0; i < 2; i++) {
      try {
        yield* sleep(10);
      } catch (error) {
        record.push(String(error));
      }
    }
    return "done";
  });
  await run(async () => {
    const task = asyncio.createTask(async () => await stubborn());
    await sleep(1);
    task.cancel("one");
    await sleep(1);
    expect(String(task)).toContain("wait_for=<Future pending cb=[Task.wakeup()]>");
    task.cancel("two");
    expect(await task).toBe("done");
  });
  expect(record).toEqual(["CancelledError: one", "CancelledError: two"]);
});

test("an undelivered request is taken back in every await of the task", async () => {
  const gate = deferred();
  await run(async ({ loop }) => {
    const done = loop.createFuture<number>();
    const task = asyncio.createTask(async () => {
      const values = await Promise.all([done, gate.promise]);
      return values[0];
    });
    await sleep(0);
    await sleep(0);
    done.setResult(5);
    task.cancel();
    task.uncancel();
    gate.resolve();
    expect(await task).toBe(5);
  });
});

test("an error of an awaited coroutine is thrown at the await", async () => {
  const failing = asyncio.coroutine(function* () {
    yield* sleep(0);
    throw new RangeError("inner");
  });
  await run(async () => {
    await expect(Promise.resolve(failing())).rejects.toThrow(new RangeError("inner"));
  });
});

test("a bare async call that nobody awaits is cancelled with its task", async () => {
  const record: string[] = [];
  const background = async (): Promise<void> => {
    try {
      await sleep(10);
    } catch (error) {
      record.push(String(error));
    }
  };
  await run(async () => {
    const task = asyncio.createTask(async () => {
      void background();
      await sleep(20);
    });
    await sleep(1);
    task.cancel("all");
    await asyncio.gather(task, { returnExceptions: true });
  });
  expect(record).toEqual(["CancelledError: all"]);
});

test("a bare async call in a generator coroutine is cancelled with the task too", async () => {
  const record: string[] = [];
  const background = async (): Promise<void> => {
    try {
      await sleep(10);
    } catch (error) {
      record.push(String(error));
    }
  };
  await run(async () => {
    const task = asyncio.createTask(function* () {
      void background();
      yield* sleep(20);
    });
    await sleep(1);
    task.cancel("all");
    await asyncio.gather(task, { returnExceptions: true });
  });
  expect(record).toEqual(["CancelledError: all"]);
});

test("a bare async call that outlives its task goes on, and is cancelled when the program ends", async () => {
  const record: string[] = [];
  const background = async (): Promise<void> => {
    try {
      await sleep(1);
      record.push("went on");
      await sleep(100);
    } catch (error) {
      record.push(String(error));
    }
  };
  await run(async () => {
    const task = asyncio.createTask(async () => {
      void background();
      await sleep(0);
    });
    await task;
    await sleep(2);
    expect(record).toEqual(["went on"]);
  });
  expect(record).toEqual(["went on", "CancelledError"]);
});

test("debug mode reports a wait that outlives its task", async () => {
  const reports = await run(
    async () => {
      const background = async (): Promise<void> => {
        await sleep(0);
        await sleep(1);
      };
      await asyncio.createTask(async () => void background());
      await sleep(2);
    },
    { debug: true },
  );
  expect(reports.map((report) => report.message)).toContain(
    "An async function outlived its task: await it, or make it a task of its own",
  );
});

test("awaiting the task itself is an error that says so", async () => {
  await run(async () => {
    const task: asyncio.Task<void> = asyncio.createTask(async () => await task);
    await expect(Promise.resolve(task)).rejects.toThrow("Task cannot await on itself");
  });
});

test("awaiting a future of another loop is an error that says so", async () => {
  const other = asyncio.newEventLoop();
  const future = other.createFuture();
  await run(async () => {
    await expect(Promise.resolve(future)).rejects.toThrow("attached to a different loop");
  });
  other.close();
});

test("a coroutine awaited outside of any loop names the cure", async () => {
  await expect(Promise.resolve(sleep(1))).rejects.toThrow(
    "no running event loop: call this from inside asyncio.run(...)",
  );
});

test("each kind of coroutine is awaited once", async () => {
  await run(async () => {
    for (const nap of [sleep(0), sleep(1), asyncio.coroutine(async () => {})()]) {
      await nap;
      await expect(Promise.resolve(nap)).rejects.toThrow("cannot reuse");
    }
  });
});

test("a coroutine awaited in a callback names the cure", async () => {
  await run(async ({ loop }) => {
    let message = "";
    loop.callSoon(async () => {
      try {
        await sleep(1);
      } catch (error) {
        message = String(error);
      }
    });
    await sleep(1);
    expect(message).toContain("use loop.createTask(fn)");
  });
});

test("a function that returns no awaitable is an error that says so", async () => {
  await run(async () => {
    const task = asyncio.createTask((() => 5) as unknown as () => Promise<number>);
    await expect(Promise.resolve(task)).rejects.toThrow("it returned 5, no awaitable");
  });
});

test("a function that throws before it returns a promise fails its task", async () => {
  await run(async () => {
    const task = asyncio.createTask((): Promise<void> => {
      throw new RangeError("at once");
    });
    await expect(Promise.resolve(task)).rejects.toThrow("at once");
  });
});

test("a plain function may return a coroutine, a generator or a future", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture<number>();
    future.setResult(3);
    expect(await asyncio.createTask(() => sleep(0, 1))).toBe(1);
    expect(
      await asyncio.createTask(() =>
        (function* () {
          return yield* sleep(0, 2);
        })(),
      ),
    ).toBe(2);
    expect(await asyncio.createTask(() => future)).toBe(3);
  });
});

test("a request taken back inside of a deadline does not disarm the deadline", async () => {
  await run(async ({ loop }) => {
    const task = asyncio.createTask(async () => {
      await asyncio.timeout(1, async () => {
        try {
          await sleep(10);
        } catch {
          expect(asyncio.currentTask()?.cancelling()).toBe(1);
          expect(asyncio.currentTask()?.uncancel()).toBe(0);
        }
        await sleep(10); // the deadline passes here
      });
    });
    await sleep(0.5);
    task.cancel();
    await expect(Promise.resolve(task)).rejects.toBeInstanceOf(asyncio.TimeoutError);
    expect([loop.time(), task.cancelling()]).toEqual([1, 0]);
  });
});

test("a request taken back inside of a group does not come back after it", async () => {
  await run(async () => {
    const task = asyncio.createTask(async () => {
      try {
        await asyncio.taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(2);
            throw new RangeError("child");
          });
          try {
            await sleep(10);
          } catch {
            asyncio.currentTask()?.uncancel();
          }
          await sleep(10);
        });
      } catch (error) {
        expect(error).toBeInstanceOf(asyncio.ExceptionGroup);
      }
      await sleep(0);
      return "went on";
    });
    await sleep(1);
    task.cancel();
    expect(await task).toBe("went on");
  });
});

test("from outside, a deadline's request counts for as long as its body has not ended", async () => {
  await run(async () => {
    const task = asyncio.createTask(async () => {
      await asyncio.timeout(1, async () => {
        try {
          await sleep(60);
        } finally {
          await sleep(1);
        }
      });
    });
    await sleep(1.5);
    expect(task.cancelling()).toBe(1);
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelling()).toBe(0);
  });
});

// Each level is a call on the stack; CPython's limit is a thousand too. Generator coroutines have none (tasks.test.ts).
test("cancel() reaches through a thousand nested async coroutines", async () => {
  await run(async () => {
    const nest = asyncio.coroutine(async (depth: number): Promise<void> => {
      if (depth === 0) await sleep(100);
      else await nest(depth - 1);
    });
    const task = asyncio.createTask(nest(1000));
    await sleep(1);
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
});
