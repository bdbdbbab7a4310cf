/** timeout(), timeoutAt() and waitFor(): what is stopped, what is raised, and whose request it was. */

import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, currentTask, sleep, timeout } = asyncio;

describe("timeout()", () => {
  test("a body that ends in time has its result, and leaves no timer", async () => {
    await run(async ({ loop }) => {
      const text: string = await timeout(5, async (deadline) => {
        expect([deadline.when(), deadline.expired()]).toEqual([5, false]);
        await sleep(1);
        return "in time";
      });
      const size: number = await timeout({ milliseconds: 500 }, function* () {
        yield* sleep(0);
        return 5;
      });
      expect([text, size, loop.time()]).toEqual(["in time", 5, 1]);
      expect(loop.statistics().timers - loop.statistics().cancelledTimers).toBe(0);
    });
  });

  test.each<[string, () => asyncio.Coroutine<unknown>, string]>([
    ["timeout", () => timeout(1, async () => await sleep(9)), "timed out after 1 second"],
    ["timeout in units", () => timeout({ minutes: 2 }, () => sleep(900)), "timed out after 120 seconds"],
    ["timeoutAt", () => asyncio.timeoutAt(3, () => sleep(9)), "the deadline passed"],
    [
      "a deadline that was moved",
      () =>
        timeout(1, async (deadline) => {
          deadline.reschedule(2);
          await sleep(9);
        }),
      "the deadline passed",
    ],
    ["waitFor", () => asyncio.waitFor(sleep(9), 0.5), "timed out after 0.5 seconds"],
    ["waitFor, at once", () => asyncio.waitFor(sleep(9), 0), "timed out after 0 seconds"],
    [
      "asCompleted",
      () => {
        const [next] = asyncio.asCompleted([sleep(9)], { timeout: 2 });
        return next!;
      },
      "timed out after 2 seconds",
    ],
  ])("E11: the error says how long it was: %s", async (_name, late, message) => {
    await run(async () => {
      expect(await outcomeOf(late())).toMatchObject({ name: "TimeoutError", message });
    });
  });

  test("a body that is late is cancelled, cleans up, and TimeoutError is raised with the cancellation as its cause", async () => {
    await run(async ({ loop }) => {
      const error = await outcomeOf(
        timeout(1, async () => {
          try {
            await sleep(10);
          } finally {
            await sleep(2);
          }
        }),
      );
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect((error as Error).cause).toBeInstanceOf(asyncio.CancelledError);
      expect(loop.time()).toBe(3);
    });
  });

  test("an error of the body is raised as it is, before the deadline and after", async () => {
    await run(async () => {
      const early = timeout(1, async () => {
        throw new RangeError("early");
      });
      expect(await outcomeOf(early)).toEqual(new RangeError("early"));
      const cleanup = timeout(1, async () => {
        try {
          await sleep(10);
        } catch {
          throw new RangeError("cleanup");
        }
      });
      expect(await outcomeOf(cleanup)).toEqual(new RangeError("cleanup"));
      expect(currentTask()?.cancelling()).toBe(0);
    });
  });

  test("a body that swallows the cancellation has its result, and the deadline says that it passed", async () => {
    await run(async () => {
      const expired = await timeout(1, async (deadline) => {
        await outcomeOf(sleep(10));
        await sleep(1);
        return deadline.expired();
      });
      expect([expired, currentTask()?.cancelling()]).toEqual([true, 0]);
      await sleep(1);
    });
  });

  test("null and infinity are no deadline", async () => {
    await run(async ({ loop }) => {
      await timeout(null, async (deadline) => {
        expect(deadline.when()).toBe(null);
        await sleep(1000);
      });
      await timeout(Infinity, async (deadline) => {
        expect(deadline.when()).toBe(Infinity);
        await sleep(1000);
      });
      expect(loop.time()).toBe(2000);
    });
  });

  test.each([0, -1])(
    "of %s seconds interrupts the first wait, and a body that does not wait not at all",
    async (delay) => {
      await run(async ({ loop }) => {
        expect(await timeout(delay, async () => "no wait")).toBe("no wait");
        expect(await outcomeOf(timeout(delay, () => sleep(5)))).toBeInstanceOf(asyncio.TimeoutError);
        expect(loop.time()).toBe(0);
      });
    },
  );

  test("refuses what is no time, with the value", () => {
    expect(() => timeout(Number.NaN, () => sleep(0))).toThrow(new RangeError("Invalid delay: NaN (not a number)"));
    expect(() => timeout("5" as never, () => sleep(0))).toThrow('received "5"');
    expect(() => asyncio.timeoutAt(-Infinity, () => sleep(0))).toThrow(new RangeError("Invalid when: -Infinity"));
  });

  test("cannot be entered twice, nor outside of a task", async () => {
    await run(async ({ loop }) => {
      const once = timeout(1, () => sleep(0));
      await once;
      expect(String(await outcomeOf(once))).toContain("cannot reuse <coroutine timeout()>");
      const caught: unknown[] = [];
      loop.callSoon(() => {
        const generator = timeout(1, () => sleep(0))._iterator;
        try {
          generator.next();
        } catch (error) {
          caught.push(error);
        }
      });
      await sleep(1);
      expect(caught).toEqual([new asyncio.RuntimeError("Timeout should be used inside a task")]);
    });
  });

  test("timeoutAt() takes a point in time, also one that has passed", async () => {
    await run(async ({ loop }) => {
      await sleep(5);
      expect(await outcomeOf(asyncio.timeoutAt(7, () => sleep(10)))).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(7);
      expect(await outcomeOf(asyncio.timeoutAt(3, () => sleep(10)))).toBeInstanceOf(asyncio.TimeoutError);
      expect(await asyncio.timeoutAt(null, () => sleep(1, "no deadline"))).toBe("no deadline");
      expect(loop.time()).toBe(8);
    });
  });
});

describe("a deadline", () => {
  test("can be moved both ways, and taken away, by its body", async () => {
    await run(async ({ loop }) => {
      await timeout(1, async (deadline) => {
        deadline.reschedule(loop.time() + 5);
        await sleep(2);
        deadline.reschedule(null);
        expect(deadline.when()).toBe(null);
        await sleep(10);
      });
      const late = timeout(100, async (deadline) => {
        deadline.reschedule(loop.time() + 1);
        await sleep(10);
      });
      expect(await outcomeOf(late)).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(13);
    });
  });

  test("moved into the past interrupts the next wait", async () => {
    await run(async ({ loop }) => {
      await sleep(5);
      const late = timeout(null, async (deadline) => {
        deadline.reschedule(1);
        expect(deadline.expired()).toBe(false);
        await sleep(10);
      });
      expect(await outcomeOf(late)).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(5);
    });
  });

  test("can be moved by another task", async () => {
    await run(async ({ loop }) => {
      let deadline!: asyncio.Timeout;
      const task = createTask(() =>
        timeout(null, async (given) => {
          deadline = given;
          await sleep(100);
        }),
      );
      await sleep(1);
      deadline.reschedule(loop.time() + 1);
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.TimeoutError);
      expect(loop.time()).toBe(2);
    });
  });

  test("cannot be moved once its body has ended, or it has passed", async () => {
    await run(async () => {
      let finished!: asyncio.Timeout;
      await timeout(1, async (deadline) => {
        finished = deadline;
      });
      const message = (state: string): string => `Cannot change state of ${state} Timeout`;
      expect(() => finished.reschedule(1)).toThrow(new asyncio.RuntimeError(message("finished")));
      let expired!: asyncio.Timeout;
      await timeout(1, async (deadline) => {
        expired = deadline;
        await outcomeOf(sleep(10));
        expect(() => deadline.reschedule(null)).toThrow(new asyncio.RuntimeError(message("expiring")));
      });
      expect(() => expired.reschedule(1)).toThrow(new asyncio.RuntimeError(message("expired")));
      expect([finished.expired(), expired.expired()]).toEqual([false, true]);
    });
  });

  test("refuses what is no point in time, and stays where it was", async () => {
    await run(async () => {
      await timeout(5, async (deadline) => {
        expect(() => deadline.reschedule({ seconds: 1 } as never)).toThrow(
          new TypeError("Invalid when: expected seconds or null, received { seconds: 1 }"),
        );
        expect(() => deadline.reschedule(Number.NaN)).toThrow(RangeError);
        expect(deadline.when()).toBe(5);
      });
    });
  });

  test("shows its state", async () => {
    await run(async () => {
      const shown: string[] = [];
      let kept!: asyncio.Timeout;
      await timeout(1.23456, async (deadline) => {
        kept = deadline;
        shown.push(inspect(deadline));
        await outcomeOf(sleep(10));
        shown.push(String(deadline));
      });
      shown.push(String(kept));
      await timeout(null, async (deadline) => {
        kept = deadline;
        shown.push(String(deadline));
      });
      shown.push(String(kept));
      expect(shown).toEqual([
        "<Timeout [active] when=1.235>",
        "<Timeout [expiring]>",
        "<Timeout [expired]>",
        "<Timeout [active] when=null>",
        "<Timeout [finished]>",
      ]);
    });
  });
});

describe("nested timeouts", () => {
  test("the inner one is caught by the code around it, and the outer goes on", async () => {
    await run(async ({ loop }) => {
      const text = await timeout(10, async () => {
        expect(await outcomeOf(timeout(1, () => sleep(5)))).toBeInstanceOf(asyncio.TimeoutError);
        await sleep(1);
        return "outer";
      });
      expect([text, loop.time()]).toEqual(["outer", 2]);
    });
  });

  test("the outer one goes through the inner as a cancellation", async () => {
    await run(async () => {
      let inner: unknown;
      const outer = await outcomeOf(
        timeout(1, async () => {
          inner = await outcomeOf(timeout(5, () => sleep(10)));
          throw inner;
        }),
      );
      expect(inner).toBeInstanceOf(asyncio.CancelledError);
      expect(outer).toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test.each([
    ["in async functions", async (body: () => Promise<void>) => await body()],
    ["in a task of its own", async (body: () => Promise<void>) => await createTask(body)],
  ])("expiring at the same instant, the outer one raises, and both say that they expired, %s", async (_name, play) => {
    await run(async () => {
      await play(async () => {
        const deadlines: asyncio.Timeout[] = [];
        let inner: unknown;
        const outer = await outcomeOf(
          timeout(1, async (first) => {
            inner = await outcomeOf(
              timeout(1, async (second) => {
                deadlines.push(first, second);
                await sleep(10);
              }),
            );
            throw inner;
          }),
        );
        expect([inner, outer]).toEqual([expect.any(asyncio.CancelledError), expect.any(asyncio.TimeoutError)]);
        expect(deadlines.map((deadline) => deadline.expired())).toEqual([true, true]);
        expect(currentTask()?.cancelling()).toBe(0);
      });
    });
  });

  test("in a branch of Promise.all a deadline does not touch the sibling", async () => {
    await run(async ({ loop }) => {
      const [late, early, generator] = await Promise.all([
        outcomeOf(timeout(1, () => sleep(10))),
        (async () => {
          await sleep(2);
          return "sibling";
        })(),
        timeout(3, function* () {
          return yield* sleep(2, "another");
        }),
      ]);
      expect(late).toBeInstanceOf(asyncio.TimeoutError);
      expect([early, generator, loop.time()]).toEqual(["sibling", "another", 2]);
      expect(currentTask()?.cancelling()).toBe(0);
    });
  });

  test("two deadlines in branches of Promise.all each stop their own body", async () => {
    await run(async ({ loop }) => {
      const ends: number[] = [];
      const branch = async (limit: number): Promise<unknown> => {
        const outcome = await outcomeOf(timeout(limit, () => sleep(10)));
        ends.push(loop.time());
        return outcome;
      };
      const outcomes = await Promise.all([branch(2), branch(1)]);
      expect(outcomes).toEqual([expect.any(asyncio.TimeoutError), expect.any(asyncio.TimeoutError)]);
      expect(ends).toEqual([1, 2]);
    });
  });
});

/** A task with a deadline at 1, which notes `cancelling()` where the body is interrupted and after the timeout. */
const syntaxes: readonly [string, (counts: number[]) => asyncio.Body<void>][] = [
  [
    "async functions",
    (counts) => async () => {
      try {
        await timeout(1, async () => {
          try {
            await sleep(10);
          } finally {
            counts.push(currentTask()!.cancelling());
          }
        });
      } finally {
        counts.push(currentTask()!.cancelling());
      }
    },
  ],
  [
    "generators",
    (counts) =>
      function* () {
        try {
          yield* timeout(1, function* () {
            try {
              yield* sleep(10);
            } finally {
              counts.push(currentTask()!.cancelling());
            }
          });
        } finally {
          counts.push(currentTask()!.cancelling());
        }
      },
  ],
];

describe.each(syntaxes)("whose request it was, in %s", (_name, make) => {
  test("the deadline's alone: counted in the body, taken back outside", async () => {
    await run(async ({ loop }) => {
      const counts: number[] = [];
      const task = createTask(make(counts));
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.TimeoutError);
      expect([counts, task.cancelling(), loop.time()]).toEqual([[1, 0], 0, 1]);
    });
  });

  test.each([0, 0.5])("an external one at %s, before the deadline: the deadline never comes", async (when) => {
    await run(async ({ loop }) => {
      const counts: number[] = [];
      const task = createTask(make(counts));
      await sleep(when);
      task.cancel("external");
      expect(await outcomeOf(task)).toEqual(new asyncio.CancelledError("external"));
      expect([counts, task.cancelling(), loop.time()]).toEqual([[1, 1], 1, when]);
    });
  });

  test.each(["before", "after"])("an external one at the instant of the deadline, %s it, goes on", async (order) => {
    await run(async ({ loop }) => {
      const counts: number[] = [];
      let task!: asyncio.Task<void>;
      const strike = (): void => void task.cancel("external");
      if (order === "before") loop.callAt(1, strike);
      task = createTask(make(counts));
      await sleep(0);
      if (order === "after") loop.callAt(1, strike);
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
      expect([counts, task.cancelling(), task.cancelled(), loop.time()]).toEqual([[2, 1], 1, true, 1]);
    });
  });
});

describe("uncancel() in the body of a timeout", () => {
  test.each([
    [
      "async functions",
      async () => {
        await timeout(2, async () => {
          if ((await outcomeOf(sleep(10))) instanceof asyncio.CancelledError) currentTask()!.uncancel();
          await sleep(10);
        });
      },
    ],
    [
      "generators",
      function* (): asyncio.CoroutineGenerator<void> {
        yield* timeout(2, function* () {
          try {
            yield* sleep(10);
          } catch {
            currentTask()!.uncancel();
          }
          yield* sleep(10);
        });
      },
    ],
  ])("takes an external request back, and the deadline is the deadline's, in %s", async (_name, body) => {
    await run(async ({ loop }) => {
      const task = createTask(body as asyncio.Body<void>);
      await sleep(1);
      task.cancel();
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.TimeoutError);
      expect([loop.time(), task.cancelling()]).toEqual([2, 0]);
    });
  });

  test("a request swallowed before the timeout does not disturb it", async () => {
    await run(async () => {
      const task = createTask(async () => {
        await outcomeOf(sleep(10));
        return await outcomeOf(timeout(1, () => sleep(10)));
      });
      await sleep(0);
      task.cancel();
      expect(await task).toBeInstanceOf(asyncio.TimeoutError);
      expect(task.cancelling()).toBe(1);
    });
  });
});

describe("waitFor()", () => {
  test("gives the result of a coroutine, a task, a future, a generator object and a promise", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      loop.callLater(1, () => future.setResult("future"));
      function* generator(): asyncio.CoroutineGenerator<number> {
        yield* sleep(1);
        return 5;
      }
      const texts: string[] = [
        await asyncio.waitFor(sleep(1, "coroutine"), 2),
        await asyncio.waitFor(
          createTask(() => sleep(1, "task")),
          2,
        ),
        await asyncio.waitFor(future, { seconds: 2 }),
        await asyncio.waitFor(Promise.resolve("promise"), null),
      ];
      const size: number = await asyncio.waitFor(generator(), 2);
      expect([texts, size]).toEqual([["coroutine", "task", "future", "promise"], 5]);
    });
  });

  test("a coroutine runs in the task that waits, a task in its own", async () => {
    await run(async () => {
      const who = asyncio.coroutine(async () => currentTask()?.getName());
      expect(await asyncio.waitFor(who(), 1)).toBe(currentTask()?.getName());
      expect(await asyncio.waitFor(createTask(who(), { name: "own" }), 1)).toBe("own");
    });
  });

  test("cancels a task that is late, waits for its cleanup, and raises TimeoutError", async () => {
    await run(async ({ loop }) => {
      const task = createTask(async () => {
        try {
          await sleep(10);
        } finally {
          await sleep(2);
        }
      });
      expect(await outcomeOf(asyncio.waitFor(task, 1))).toBeInstanceOf(asyncio.TimeoutError);
      expect([task.cancelled(), loop.time()]).toEqual([true, 3]);
    });
  });

  test("cancels a future that is late, and a promise's, whose late error is reported", async () => {
    const reports = await run(async ({ loop }) => {
      const future = loop.createFuture();
      expect(await outcomeOf(asyncio.waitFor(future, 1))).toBeInstanceOf(asyncio.TimeoutError);
      expect(future.cancelled()).toBe(true);
      let reject!: (error: unknown) => void;
      const promise = new Promise<void>((_resolve, no) => (reject = no));
      expect(await outcomeOf(asyncio.waitFor(promise, 1))).toBeInstanceOf(asyncio.TimeoutError);
      reject(new Error("too late"));
      await sleep(1);
    });
    expect(reports.map((report) => report.message)).toEqual(["A promise failed after its future was cancelled"]);
  });

  test("has the result of one that swallows the cancellation, and the error of one that fails in it", async () => {
    await run(async () => {
      const stubborn = asyncio.coroutine(async () => {
        await outcomeOf(sleep(10));
        return "all the same";
      });
      const failing = asyncio.coroutine(async () => {
        try {
          await sleep(10);
        } catch {
          throw new RangeError("cleanup");
        }
      });
      for (const limit of [1, 0]) {
        const [result, error] = [createTask(stubborn()), createTask(failing())];
        await sleep(0);
        expect(await outcomeOf(asyncio.waitFor(result, limit))).toBe("all the same");
        expect(await outcomeOf(asyncio.waitFor(error, limit))).toEqual(new RangeError("cleanup"));
      }
    });
  });

  test("raises the CancelledError of a task that somebody else has cancelled", async () => {
    await run(async ({ loop }) => {
      const task = createTask(() => sleep(10));
      loop.callLater(1, () => task.cancel("somebody"));
      expect(await outcomeOf(asyncio.waitFor(task, 5))).toEqual(new asyncio.CancelledError("somebody"));
    });
  });

  test.each([0, -1])("with a limit of %s takes what is done, and starts nothing", async (limit) => {
    let ran = false;
    const work = asyncio.coroutine(async () => {
      ran = true;
    });
    await run(async ({ loop }) => {
      const done = loop.createFuture<string>();
      done.setResult("done");
      expect(await asyncio.waitFor(done, limit)).toBe("done");
      expect(await outcomeOf(asyncio.waitFor(work(), limit))).toBeInstanceOf(asyncio.TimeoutError);
      const error = await outcomeOf(asyncio.waitFor(createTask(work()), limit));
      expect((error as Error).cause).toBeInstanceOf(asyncio.CancelledError);
    });
    expect(ran).toBe(false);
  });

  test("with a limit of zero, cancelled while it waits for the cleanup, leaves the task alone", async () => {
    await run(async () => {
      const work = createTask(async () => {
        try {
          await sleep(10);
        } finally {
          await sleep(5);
        }
      });
      await sleep(1);
      const waiting = createTask(() => asyncio.waitFor(work, 0));
      await sleep(1);
      waiting.cancel();
      expect(await outcomeOf(waiting)).toBeInstanceOf(asyncio.CancelledError);
      expect([work.done(), String(work)]).toEqual([false, expect.not.stringContaining("release")]);
      await outcomeOf(work);
    });
  });

  test("refuses what cannot be waited for, and a limit that is none", async () => {
    await run(async ({ loop }) => {
      expect(String(await outcomeOf(asyncio.waitFor(5 as never, 1)))).toContain("is required: received 5");
      expect(() => asyncio.waitFor(loop.createFuture(), Number.NaN)).toThrow("Invalid timeout: NaN");
    });
  });
});
