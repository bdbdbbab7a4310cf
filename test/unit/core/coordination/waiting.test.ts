/** wait(), asCompleted() and staggeredRace(): several at once. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, sleep, wait, asCompleted, staggeredRace } = asyncio;
const { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION } = asyncio;

/** Tasks that end after so many seconds, with that number; those below zero fail. */
function tasks(...seconds: number[]): asyncio.Task<number>[] {
  return seconds.map((delay) =>
    createTask(async () => {
      await sleep(Math.abs(delay));
      if (delay < 0) throw new RangeError(`after ${-delay}`);
      return delay;
    }),
  );
}

describe("wait()", () => {
  test("waits for all, failed and cancelled ones too, and raises nothing", async () => {
    await run(async ({ loop }) => {
      const all = tasks(1, -2, 3);
      loop.callLater(1, () => all[2]?.cancel());
      const { done, pending } = await wait(all);
      const results: (number | null)[] = [...done].map((task) =>
        task.cancelled() ? null : task.exception() === null ? task.result() : -1,
      );
      expect([results, pending.size, loop.time()]).toEqual([[1, -1, null], 0, 2]);
    });
  });

  test("FIRST_COMPLETED: returns with all that are done by then, in the order given", async () => {
    await run(async ({ loop }) => {
      const all = tasks(5, 1, 1);
      const { done, pending } = await wait(all, { returnWhen: FIRST_COMPLETED });
      expect([[...done].map((task) => all.indexOf(task)), [...pending].map((task) => all.indexOf(task))]).toEqual([
        [1, 2],
        [0],
      ]);
      expect(loop.time()).toBe(1);
      await wait(pending);
    });
  });

  test("FIRST_EXCEPTION: returns at the first failure; a cancelled one is none", async () => {
    await run(async ({ loop }) => {
      const all = tasks(1, -3, 9);
      const cancelled = createTask(() => sleep(10));
      loop.callLater(2, () => cancelled.cancel());
      const { done, pending } = await wait([...all, cancelled], { returnWhen: FIRST_EXCEPTION });
      expect([done.size, pending.size, loop.time()]).toEqual([3, 1, 3]);
      await wait(pending, { returnWhen: FIRST_EXCEPTION });
      expect(loop.time()).toBe(9);
    });
  });

  test("with a limit returns what is done by then, cancels nothing, and leaves no timer", async () => {
    await run(async ({ loop }) => {
      const all = tasks(1, 5);
      const { done, pending } = await wait(all, { timeout: { seconds: 2 } });
      expect([done.size, pending.size, loop.time()]).toEqual([1, 1, 2]);
      await wait(all, { timeout: 100, returnWhen: ALL_COMPLETED });
      expect([loop.time(), loop.statistics().timers - loop.statistics().cancelledTimers]).toEqual([5, 0]);
      expect((await wait(all, { timeout: null })).done.size).toBe(2);
    });
  });

  test("with a limit of zero looks around once", async () => {
    await run(async ({ loop }) => {
      const { done, pending } = await wait(tasks(1), { timeout: 0 });
      expect([done.size, pending.size, loop.time()]).toEqual([0, 1, 0]);
      await wait(pending);
    });
  });

  test("takes any iterable of futures, each once", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      future.setResult("done");
      const { done } = await wait(new Set([future, future]));
      const results: string[] = [...done].map((each) => each.result());
      expect(results).toEqual(["done"]);
      expect((await wait([future, future])).done.size).toBe(1);
    });
  });

  test("leaves no callback on what goes on", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture();
      await wait([future], { timeout: 1 });
      expect(String(future)).toBe("<Future pending>");
    });
  });

  test("refuses coroutines, generator objects and promises, with what to write instead", async () => {
    await run(async () => {
      const coroutine = sleep(1);
      expect(() => wait([coroutine] as never)).toThrow("Passing coroutines is forbidden, use tasks explicitly.");
      expect(() => wait(coroutine as never)).toThrow(TypeError);
      expect(() => wait(tasks(0)[0] as never)).toThrow("expect a list of futures, not <Task pending");
      expect(() => wait([Promise.resolve()] as never)).toThrow(
        "A future is required: received <Promise>; use ensureFuture",
      );
      expect(() => wait([5] as never)).toThrow("received 5");
      coroutine.close();
    });
  });

  test("refuses to wait for nothing, an unknown returnWhen, and a limit that is none", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture();
      expect(() => wait([])).toThrow(new RangeError("Set of Tasks/Futures is empty."));
      expect(() => wait([future], { returnWhen: "SOME" as never })).toThrow("Invalid returnWhen value: 'SOME'");
      expect(() => wait([future], { timeout: Number.NaN })).toThrow("Invalid timeout: NaN");
    });
  });
});

describe("asCompleted()", () => {
  test("with `for` gives a coroutine for each, in the order in which they are done", async () => {
    await run(async () => {
      const results: number[] = [];
      for (const next of asCompleted(tasks(3, 1, 2))) results.push(await next);
      expect(results).toEqual([1, 2, 3]);
    });
  });

  test("with `for await` gives the very tasks that were passed in", async () => {
    await run(async () => {
      const all = tasks(3, 1, 2);
      const seen: number[] = [];
      for await (const [task] of asCompleted(all)) {
        const result: number = task.result();
        expect(all.includes(task as asyncio.Task<number>)).toBe(true);
        seen.push(result);
      }
      expect(seen).toEqual([1, 2, 3]);
    });
  });

  test("runs coroutines, generator objects and promises at once, the same one given twice once", async () => {
    await run(async ({ loop }) => {
      const coroutine = sleep(2, "coroutine");
      function* generator(): asyncio.CoroutineGenerator<string> {
        return yield* sleep(1, "generator");
      }
      const results: string[] = [];
      for (const next of asCompleted([coroutine, coroutine, generator(), Promise.resolve("promise")])) {
        results.push(await next);
      }
      expect([results, loop.time()]).toEqual([["promise", "generator", "coroutine"], 2]);
    });
  });

  test("raises the error of one, and goes on with the next", async () => {
    await run(async () => {
      const outcomes: unknown[] = [];
      for (const next of asCompleted(tasks(-2, 1, 3))) outcomes.push(await outcomeOf(next));
      expect(outcomes).toEqual([1, new RangeError("after 2"), 3]);
    });
  });

  test("in generators", async () => {
    await run(function* () {
      const results: number[] = [];
      for (const next of asCompleted(tasks(2, 1))) results.push(yield* next);
      expect(results).toEqual([1, 2]);
    });
  });

  test("with a limit raises TimeoutError for each that is late, and cancels nothing", async () => {
    await run(async ({ loop }) => {
      const all = tasks(1, 5, 6);
      const outcomes: unknown[] = [];
      for (const next of asCompleted(all, { timeout: 2 })) outcomes.push(await outcomeOf(next));
      expect(outcomes).toEqual([1, expect.any(asyncio.TimeoutError), expect.any(asyncio.TimeoutError)]);
      expect([loop.time(), all.map((task) => task.done())]).toEqual([2, [true, false, false]]);
      await wait(all);
    });
  });

  test("with `for await` and a limit raises TimeoutError", async () => {
    await run(async ({ loop }) => {
      const all = tasks(1, 5);
      const collect = asyncio.coroutine(async () => {
        for await (const [task] of asCompleted(all, { timeout: { seconds: 2 } })) expect(task.result()).toBe(1);
      });
      expect(await outcomeOf(collect())).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(2);
      await wait(all);
    });
  });

  test("one that is done at the instant of the limit is late", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      loop.callAt(1, () => future.setResult("just"));
      const [next] = asCompleted([future], { timeout: 1 });
      expect(await outcomeOf(next!)).toBeInstanceOf(asyncio.TimeoutError);
      expect(future.result()).toBe("just");
    });
  });

  test("takes its timer away when all are done", async () => {
    await run(async ({ loop }) => {
      for (const next of asCompleted(tasks(1, 2), { timeout: 100 })) await next;
      expect(loop.statistics().timers - loop.statistics().cancelledTimers).toBe(0);
    });
  });

  test("the coroutines may be awaited at once, and in any order", async () => {
    await run(async () => {
      const nexts = [...asCompleted(tasks(2, 1))];
      expect(await asyncio.gather(nexts)).toEqual([1, 2]);
    });
  });

  test("of nothing gives nothing", async () => {
    await run(async () => {
      expect([...asCompleted([], { timeout: 1 })]).toEqual([]);
      for await (const _ of asCompleted([])) throw new Error("not reached");
    });
  });

  test("refuses a single future or coroutine, and what cannot be waited for", async () => {
    await run(async () => {
      const [task] = tasks(0);
      const coroutine = sleep(0);
      expect(() => asCompleted(task as never)).toThrow("expect an iterable of futures, not <Task pending");
      expect(() => asCompleted(coroutine as never)).toThrow(TypeError);
      expect(() => asCompleted([5] as never)).toThrow("is required: received 5");
      expect(() => asCompleted([task!], { timeout: Number.NaN })).toThrow("Invalid timeout: NaN");
      coroutine.close();
    });
  });
});

describe("staggeredRace()", () => {
  const failing = (seconds: number) => async (): Promise<never> => {
    await sleep(seconds);
    throw new RangeError(`after ${seconds}`);
  };

  test("starts the attempts one after the other, and the first to succeed wins", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const attempt = (name: string, seconds: number) => async (): Promise<string> => {
        record.push(`${name} at ${loop.time()}`);
        await sleep(seconds);
        return name;
      };
      const result = await staggeredRace([attempt("a", 10), attempt("b", 2), attempt("c", 10)], 1.5);
      const winner: string | undefined = result.winner;
      expect([winner, result.index, result.exceptions.length]).toEqual(["b", 1, 3]);
      expect(result.exceptions[0]).toBeInstanceOf(asyncio.CancelledError);
      expect(loop.time()).toBe(3.5);
    });
    expect(record).toEqual(["a at 0", "b at 1.5", "c at 3"]);
  });

  test("a failure starts the next at once", async () => {
    await run(async ({ loop }) => {
      const result = await staggeredRace([failing(1), () => sleep(1, "second")], 100);
      expect([result, loop.time()]).toEqual([
        { winner: "second", index: 1, exceptions: [new RangeError("after 1"), null] },
        2,
      ]);
    });
  });

  test("without a delay each waits for the one before to fail", async () => {
    await run(async ({ loop }) => {
      const result = await staggeredRace<string>([failing(3), failing(2), () => sleep(1, "third")], null);
      expect([result.winner, loop.time()]).toEqual(["third", 6]);
    });
  });

  test("when all fail there is no winner", async () => {
    await run(async () => {
      const result = await staggeredRace([failing(1), failing(1)], 1);
      expect(result).toEqual({
        winner: undefined,
        index: null,
        exceptions: [new RangeError("after 1"), new RangeError("after 1")],
      });
    });
  });

  test("of no attempts has no winner", async () => {
    await run(async () => {
      expect(await staggeredRace([], 1)).toEqual({ winner: undefined, index: null, exceptions: [] });
    });
  });

  test("takes attempts from an iterator as it needs them; an error of that is raised", async () => {
    const record: string[] = [];
    await run(async () => {
      function* attempts(): Generator<asyncio.Body<string>> {
        record.push("first taken");
        yield () => sleep(1, "first");
        record.push("second taken");
        yield () => sleep(1, "second");
      }
      expect((await staggeredRace(attempts(), 5)).winner).toBe("first");
      function* broken(): Generator<asyncio.Body<string>> {
        yield () => sleep(2, "first");
        throw new RangeError("iterator");
      }
      expect(await outcomeOf(staggeredRace(broken(), 1))).toEqual(new RangeError("iterator"));
    });
    expect(record).toEqual(["first taken"]);
  });

  test("waits for the cleanup of the losers", async () => {
    await run(async ({ loop }) => {
      const slow = async (): Promise<string> => {
        try {
          return await sleep(100, "slow");
        } finally {
          await sleep(3);
        }
      };
      expect((await staggeredRace([slow, () => sleep(1, "fast")], 1)).winner).toBe("fast");
      expect(loop.time()).toBe(5);
    });
  });

  test("a loser that swallows its cancellation does not replace the winner", async () => {
    await run(async () => {
      const stubborn = async (): Promise<string> => {
        await outcomeOf(sleep(100));
        return "stubborn";
      };
      const result = await staggeredRace([stubborn, () => sleep(1, "first")], 1);
      expect(result).toEqual({ winner: "first", index: 1, exceptions: [null, null] });
    });
  });

  test("cancelled, cancels and awaits every attempt, with the message", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const attempt = (name: string) => async (): Promise<void> => {
        try {
          await sleep(100);
        } catch (error) {
          record.push(`${name}: ${(error as Error).message}`);
          await sleep(1);
          throw error;
        }
      };
      const race = createTask(staggeredRace([attempt("a"), attempt("b"), attempt("c")], 2));
      await sleep(3);
      race.cancel("stop");
      expect(await outcomeOf(race)).toBeInstanceOf(asyncio.CancelledError);
      expect([loop.time(), loop.statistics().tasks]).toEqual([4, 1]);
    });
    expect(record).toEqual(["a: stop", "b: stop"]);
  });

  test("takes generators as attempts", async () => {
    await run(async () => {
      const result = await staggeredRace(
        [
          function* () {
            return yield* sleep(1, 5);
          },
        ],
        { milliseconds: 250 },
      );
      expect(result.winner).toBe(5);
    });
  });

  test("with eager tasks", async () => {
    await run(async ({ loop }) => {
      loop.setTaskFactory(asyncio.eagerTaskFactory);
      const result = await staggeredRace<string>([failing(0), async () => "at once", () => sleep(1, "late")], 1);
      expect([result.winner, result.index, result.exceptions.slice(1, 2)]).toEqual(["at once", 1, [null]]);
    });
  });

  test("a SystemExit of an attempt leaves the loop", async () => {
    const exit = new asyncio.SystemExit(3);
    const program = run(async () => {
      await staggeredRace(
        [
          async () => {
            await sleep(1);
            throw exit;
          },
        ],
        null,
      );
    });
    await expect(program).rejects.toBe(exit);
  });
});
