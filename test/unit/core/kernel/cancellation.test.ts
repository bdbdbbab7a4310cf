/** Cancelling nests of both syntaxes, at odd instants, with and without debug mode: nothing is lost, nothing leaks. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run as runProgram } from "../../virtual.ts";

const { sleep } = asyncio;
const { currentTask } = asyncio;

describe.each([{ debug: false }, { debug: true }])("debug: $debug", ({ debug }) => {
  const run = (main: Parameters<typeof runProgram>[0]): ReturnType<typeof runProgram> => runProgram(main, { debug });

  test("reaches every leaf of async in generator in async, and each level cleans up once its leaves have", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const leaf = (name: string) => async (): Promise<void> => {
        try {
          await sleep(10);
        } catch (error) {
          record.push(`${name} ${(error as Error).message} in ${currentTask()?.getName()}`);
          await sleep(1);
          record.push(`${name} clean at ${loop.time()}`);
          throw error;
        }
      };
      const inner = asyncio.coroutine(async () => {
        const wrapped = asyncio.coroutine(function* () {
          yield* asyncio.coroutine(leaf("c"))();
        });
        await Promise.all([leaf("a")(), asyncio.coroutine(leaf("b"))(), wrapped()]);
      });
      const middle = asyncio.coroutine(function* () {
        try {
          yield* inner();
        } finally {
          yield* sleep(1);
          record.push(`middle clean at ${loop.time()}`);
        }
      });
      const task = asyncio.createTask(async () => await middle(), { name: "T" });
      await sleep(1);
      task.cancel("stop");
      await asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
      expect(task.cancelling()).toBe(1);
      const { tasks, timers, cancelledTimers, ready } = loop.statistics();
      expect({ tasks, left: timers - cancelledTimers, ready }).toEqual({ tasks: 1, left: 0, ready: 0 });
    });
    expect(record.slice(0, 3).toSorted()).toEqual(["a stop in T", "b stop in T", "c stop in T"]);
    expect(record.slice(3).toSorted()).toEqual(["a clean at 2", "b clean at 2", "c clean at 2", "middle clean at 3"]);
    expect(record.at(-1)).toBe("middle clean at 3");
  });

  test("a second request during the cleanup interrupts the cleanup, and both are counted", async () => {
    const record: string[] = [];
    await run(async () => {
      const task = asyncio.createTask(async () => {
        try {
          await sleep(10);
        } finally {
          try {
            await sleep(10);
          } catch (error) {
            record.push((error as Error).message);
          }
        }
      });
      await sleep(1);
      task.cancel("first");
      await sleep(1);
      task.cancel("second");
      await asyncio.gather(task, { returnExceptions: true });
      expect([task.cancelled(), task.cancelling()]).toEqual([true, 2]);
    });
    expect(record).toEqual(["second"]);
  });

  test("one future awaited in several branches of a task, in both syntaxes: each branch hears once", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture();
      let heard = 0;
      const branch = async (): Promise<void> => {
        try {
          await future;
        } catch {
          heard++;
        }
      };
      const generator = asyncio.coroutine(function* () {
        try {
          yield* future;
        } catch {
          heard++;
        }
      });
      const task = asyncio.createTask(async () => {
        await Promise.all([branch(), generator(), branch()]);
        currentTask()?.uncancel();
        await sleep(1);
        return "went on";
      });
      await sleep(1);
      task.cancel();
      expect(await task).toBe("went on");
      expect([heard, future.cancelled()]).toEqual([3, true]);
    });
  });

  test.each([
    ["an async function", async (): Promise<void> => await sleep(0)],
    [
      "a generator",
      function* (): asyncio.CoroutineGenerator<void> {
        yield* sleep(0);
      },
    ],
    [
      "a generator in an async function",
      async (): Promise<void> =>
        await asyncio.coroutine(function* () {
          yield* sleep(0);
        })(),
    ],
  ])("uncancel() before the delivery takes the request back, in %s at sleep(0)", async (_name, wait) => {
    await run(async () => {
      const undone = asyncio.createTask(wait as () => Promise<void>);
      await sleep(0);
      undone.cancel();
      undone.uncancel();
      await undone;
      const cancelled = asyncio.createTask(wait as () => Promise<void>);
      await sleep(0);
      cancelled.cancel("now");
      await asyncio.gather(cancelled, { returnExceptions: true });
      expect([undone.cancelled(), cancelled.cancelled()]).toEqual([false, true]);
    });
  });

  test("the losers of a Promise.race are cancelled with the task, those of an ended task when the program ends", async () => {
    const record: string[] = [];
    const loser = async (name: string): Promise<void> => {
      try {
        await sleep(50);
      } catch {
        record.push(name);
      }
    };
    await run(async ({ loop }) => {
      const task = asyncio.createTask(async () => {
        await Promise.race([sleep(1), loser("with the task")]);
        await sleep(100);
      });
      await asyncio.createTask(async () => await Promise.race([sleep(1), loser("at the end")]));
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      expect(record).toEqual(["with the task"]);
      expect(loop.statistics().tasks).toBe(1);
    });
    expect(record).toEqual(["with the task", "at the end"]);
  });

  test("an async generator in `for await` cleans up, with awaits", async () => {
    const record: unknown[] = [];
    async function* count(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) {
          await sleep(1);
          yield i;
        }
      } finally {
        await sleep(1);
        record.push("clean");
      }
    }
    await run(async () => {
      const task = asyncio.createTask(async () => {
        for await (const i of count()) record.push(i);
      });
      await sleep(2.5);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    });
    expect(record).toEqual([0, 1, "clean"]);
  });

  test("from a callback of a user's promise inside of the task, which then throws", async () => {
    await run(async () => {
      const task = asyncio.createTask(async () => {
        const failing = Promise.resolve().then(() => {
          currentTask()?.cancel("from then");
          throw new Error("handled");
        });
        await failing.catch(() => {});
        await sleep(1);
      });
      await asyncio.gather(task, { returnExceptions: true });
      expect(() => task.result()).toThrow(new asyncio.CancelledError("from then"));
    });
  });

  test("eager tasks: one cancels itself, one fails at once, one makes eager children", async () => {
    await run(async ({ loop }) => {
      const options = { eagerStart: true };
      const name = (): string | undefined => currentTask()?.getName();
      const itself = asyncio.createTask(async () => {
        currentTask()?.cancel();
        await sleep(0);
      }, options);
      const atOnce = asyncio.createTask(function* (): asyncio.CoroutineGenerator<void> {
        yield* [];
        throw new Error("at once");
      }, options);
      const parent = asyncio.createTask(
        async () => {
          const child = asyncio.createTask(async () => [name(), await sleep(1), name()], { ...options, name: "child" });
          return [name(), ...(await child), name()];
        },
        { ...options, name: "parent" },
      );
      expect(await parent).toEqual(["parent", "child", undefined, "child", "parent"]);
      await asyncio.gather(itself, { returnExceptions: true });
      expect([itself.cancelled(), String(atOnce.exception())]).toEqual([true, "Error: at once"]);
      expect(loop.statistics().tasks).toBe(1);
    });
  });
});
