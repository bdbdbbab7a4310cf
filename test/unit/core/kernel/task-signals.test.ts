/** C2: whoever asks, the signal hears. C3: what foreign code makes of the abort is the cancellation. */

import { EventEmitter, getEventListeners, once } from "node:events";
import * as timers from "node:timers/promises";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep, timeout, waitFor, createTask, taskGroup, coroutine } = asyncio;

function signal(): AbortSignal {
  return asyncio.currentTask()!.signal;
}

/** Foreign work that can only be stopped by its signal; it says so in an error of its own, as Node's functions do. */
function foreign(stop: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void =>
      reject(Object.assign(new Error("The operation was aborted", { cause: stop.reason }), { name: "AbortError" }));
    if (stop.aborted) abort();
    else stop.addEventListener("abort", abort);
  });
}

describe("C2: the signal of the running code is aborted", () => {
  test("by a deadline, in async functions and in generators", async () => {
    await run(async ({ loop }) => {
      await expect(timeout(0.1, () => foreign(signal()))).rejects.toBeInstanceOf(asyncio.TimeoutError);
      const inGenerator = timeout(0.1, function* () {
        return yield* asyncio.fromPromise(foreign(signal()));
      });
      await expect(inGenerator).rejects.toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBeCloseTo(0.2);
    });
  });

  test("by waitFor, around a coroutine", async () => {
    await run(async () => {
      const work = coroutine(async () => await foreign(signal()));
      await expect(waitFor(work(), 0.1)).rejects.toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test.each([
    ["async functions", async () => await foreign(signal())],
    [
      "generators",
      function* () {
        return yield* asyncio.fromPromise(foreign(signal()));
      },
    ],
  ])("by a group that fails, in %s, and there is one error in the group", async (_name, work) => {
    await run(async () => {
      const failing = async (): Promise<never> => {
        await sleep(0.1);
        throw new RangeError("no such page");
      };
      const group = taskGroup(async (tasks) => {
        tasks.createTask(failing);
        tasks.createTask(work as () => Promise<never>);
        await foreign(signal());
      });
      await expect(group).rejects.toMatchObject({ errors: [new RangeError("no such page")] });
    });
  });

  test("by a request to any scope around it, and by no other's", async () => {
    await run(async () => {
      const heard: Record<string, boolean> = {};
      let [task, outer, inner]: (AbortSignal | null)[] = [null, null, null];
      const work = createTask(async () => {
        task = signal();
        await timeout(0.3, async () => {
          outer = signal();
          const failed = timeout(0.1, async () => {
            inner = signal();
            await sleep(5);
          });
          await expect(failed).rejects.toBeInstanceOf(asyncio.TimeoutError);
          Object.assign(heard, { task: task!.aborted, outer: outer.aborted, inner: inner!.aborted });
          await sleep(5);
        });
      });
      await expect(work).rejects.toBeInstanceOf(asyncio.TimeoutError);
      expect(heard).toEqual({ task: false, outer: false, inner: true });
      expect([task!.aborted, outer!.aborted]).toEqual([false, true]);
    });
  });

  test("the same, where a generator has its deadlines inside of one task", async () => {
    await run(function* () {
      const signals: AbortSignal[] = [signal()];
      const names = (): boolean[] => signals.map(({ aborted }) => aborted);
      let seen: boolean[] = [];
      try {
        yield* timeout(0.3, function* () {
          signals.push(signal());
          try {
            yield* timeout(0.1, function* () {
              signals.push(signal());
              yield* sleep(5);
            });
          } catch {
            seen = names();
          }
          yield* sleep(5);
        });
      } catch {
        expect(names()).toEqual([false, true, true]);
      }
      expect(seen).toEqual([false, false, true]);
      expect(signal()).toBe(signals[0]);
    });
  });

  test("of the task, from outside, by cancel(), while a deadline is around the code", async () => {
    await run(async () => {
      let inner: AbortSignal | null = null;
      const task = createTask(() =>
        timeout(5, async () => {
          inner = signal();
          await foreign(inner);
        }),
      );
      const own = task.signal;
      await sleep(0.1);
      task.cancel("enough");
      expect([own.aborted, inner!.aborted, String(own.reason)]).toEqual([true, true, "CancelledError: enough"]);
      await asyncio.wait([task]);
      expect(task.cancelled()).toBe(true);
    });
  });

  test("in code that a helper has asked it for", async () => {
    await run(async () => {
      const helper = coroutine(async () => signal());
      const late = timeout(0.1, async () => await foreign(await helper()));
      await expect(late).rejects.toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test("before it is asked for, if the request was made already", async () => {
    await run(async () => {
      const seen: boolean[] = [];
      const late = timeout(0.1, async () => {
        try {
          await sleep(5);
        } finally {
          seen.push(signal().aborted);
        }
      });
      await expect(late).rejects.toBeInstanceOf(asyncio.TimeoutError);
      expect([...seen, signal().aborted]).toEqual([true, false]);
    });
  });
});

describe("C3: an error that says aborted, and whose cause is our request, is that cancellation", () => {
  const works: Record<string, (stop: AbortSignal) => Promise<unknown>> = {
    "an AbortError": foreign,
    "timers/promises": (stop) => timers.setTimeout(60_000, null, { signal: stop }),
    "events.once": (stop) => once(new EventEmitter(), "never", { signal: stop }),
    "the reason itself": (stop) =>
      new Promise((_resolve, reject) => stop.addEventListener("abort", () => reject(stop.reason as Error))),
    "an error that only says so, as axios'": (stop) =>
      foreign(stop).catch(() =>
        Promise.reject(Object.assign(new Error("canceled"), { name: "CanceledError", code: "ERR_CANCELED" })),
      ),
    "an error around it": (stop) =>
      foreign(stop).catch((error: unknown) => Promise.reject(new Error("request failed", { cause: error }))),
  };

  test.each(Object.entries(works))("%s", async (_name, work) => {
    await run(async () => {
      const task = createTask(async () => await work(signal()));
      await sleep(0.1);
      task.cancel("enough");
      await asyncio.wait([task]);
      expect(task.cancelled()).toBe(true);
      await expect(timeout(0.1, async () => await work(signal()))).rejects.toBeInstanceOf(asyncio.TimeoutError);
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
    });
  });

  test("isCancelled and rethrowIfCancelled know it", async () => {
    await run(async () => {
      const seen: unknown[] = [];
      const task = createTask(async () => {
        try {
          await foreign(signal());
        } catch (error) {
          seen.push((error as Error).name, asyncio.isCancelled(error), asyncio.isException(error));
          asyncio.rethrowIfCancelled(error);
          seen.push("went on");
        }
      });
      await sleep(0.1);
      task.cancel();
      await asyncio.wait([task]);
      expect(seen).toEqual(["AbortError", true, false]);
    });
  });

  test("an abort of the user's own is an error as any other", async () => {
    await run(async () => {
      const controller = new AbortController();
      const task = createTask(async () => await foreign(controller.signal));
      await sleep(0.1);
      controller.abort();
      await asyncio.wait([task]);
      expect([task.cancelled(), (task.exception() as Error).name]).toEqual([false, "AbortError"]);
    });
  });

  test("an error that says so where no signal of ours told it to is an error", async () => {
    await run(async () => {
      const task = createTask(async () => {
        await sleep(0.1);
        throw new DOMException("by somebody else", "AbortError");
      });
      await asyncio.wait([task]);
      expect([task.cancelled(), String(task.exception())]).toEqual([false, "AbortError: by somebody else"]);
    });
  });

  test("an error that is about somebody else's cancellation is an error", async () => {
    await run(async () => {
      const other = createTask(() => sleep(5));
      const task = createTask(async () => {
        try {
          await other;
        } catch (error) {
          throw new Error("the other gave up", { cause: error });
        }
      });
      await sleep(0.1);
      other.cancel();
      await asyncio.wait([task]);
      expect(task.cancelled()).toBe(false);
      expect(String(task.exception())).toBe("Error: the other gave up");
    });
  });
});

describe("C9, C10: a signal of the user's", () => {
  test("C9: has no listener left when the tasks that it was given to have ended", async () => {
    await run(async () => {
      const controller = new AbortController();
      const composed = AbortSignal.any([controller.signal]);
      const tasks = [1, 2].map((delay) => createTask(() => sleep(delay), { signal: composed }));
      expect(getEventListeners(composed, "abort")).toHaveLength(1);
      await tasks[0];
      expect(getEventListeners(composed, "abort")).toHaveLength(1);
      await tasks[1];
      expect(getEventListeners(composed, "abort")).toHaveLength(0);
      const again = createTask(() => sleep(5), { signal: composed });
      controller.abort();
      await asyncio.wait([again]);
      expect(again.cancelled()).toBe(true);
    });
  });

  test.each([
    ["an error", new RangeError("the client went away")],
    ["a value", "the client went away"],
  ])("C10: its reason, %s, is the cause of the CancelledError", async (_name, reason) => {
    await run(async () => {
      const controller = new AbortController();
      const seen: unknown[] = [];
      const note = (error: unknown): void => void seen.push((error as Error).message, (error as Error).cause);
      const inAsync = async (): Promise<void> => {
        await sleep(5).catch(note);
      };
      const inGenerator = function* (): asyncio.CoroutineGenerator<void> {
        try {
          yield* sleep(5);
        } catch (error) {
          note(error);
        }
      };
      const tasks = [inAsync, inGenerator].map((work) => createTask(work, { signal: controller.signal }));
      await sleep(0.1);
      controller.abort(reason);
      await asyncio.gather(tasks, { returnExceptions: true });
      expect(seen).toEqual(["the client went away", reason, "the client went away", reason]);
    });
  });
});
