/** taskGroup(): everybody has ended before the code goes on, and nobody's error is lost. */

import { inspect } from "node:util";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, currentTask, sleep, taskGroup } = asyncio;

/** Fails after `seconds`. */
function failing(seconds: number, text: string): () => Promise<never> {
  return async () => {
    await sleep(seconds);
    throw new RangeError(text);
  };
}

/** Waits for long; notes that it was cancelled in `record`, after a cleanup of `seconds`. */
function waiting(record: string[], name: string, seconds: number = 0): () => Promise<void> {
  return async () => {
    try {
      await sleep(100);
    } finally {
      if (seconds > 0) await sleep(seconds);
      record.push(name);
    }
  };
}

/** The messages of the errors in a group, with those of groups in it. */
function messages(error: unknown): unknown {
  if (!(error instanceof asyncio.BaseExceptionGroup)) return (error as Error).message;
  return error.exceptions.map(messages);
}

describe("a group in which nothing fails", () => {
  test("waits for its tasks, and has the result of its body, in both syntaxes", async () => {
    await run(async ({ loop }) => {
      const tasks = await taskGroup(async (group) => {
        const number: asyncio.Task<number> = group.createTask(() => sleep(2, 2));
        const text: asyncio.Task<string> = group.createTask(sleep(1, "1"), { name: "named" });
        return { number, text };
      });
      expect([tasks.number.result(), tasks.text.result(), tasks.text.getName()]).toEqual([2, "1", "named"]);
      const size: number = await taskGroup(function* (group) {
        group.createTask(() => sleep(1));
        yield* sleep(0);
        return 5;
      });
      expect([size, loop.time()]).toEqual([5, 3]);
    });
  });

  test("may be empty, and then takes no turn", async () => {
    await run(async ({ loop }) => {
      const { turns } = loop.statistics();
      expect(await taskGroup(async () => "empty")).toBe("empty");
      expect(loop.statistics().turns).toBe(turns);
    });
  });

  test("takes tasks from its tasks, also when its body has ended", async () => {
    const record: string[] = [];
    await run(async () => {
      await taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(1);
          group.createTask(async () => {
            await sleep(1);
            record.push("grandchild");
          });
        });
      });
      record.push("after");
    });
    expect(record).toEqual(["grandchild", "after"]);
  });

  test("is not disturbed by a task that is cancelled alone, or that swallows its cancellation", async () => {
    await run(async () => {
      await taskGroup(async (group) => {
        const one = group.createTask(() => sleep(10));
        const other = group.createTask(() => sleep(2, "other"));
        await sleep(1);
        one.cancel();
        expect(await other).toBe("other");
        expect(one.cancelled()).toBe(true);
      });
      expect(currentTask()?.cancelling()).toBe(0);
    });
  });

  test("nests, and two may run side by side in one task", async () => {
    await run(async ({ loop }) => {
      const record: string[] = [];
      const branch = async (name: string, seconds: number): Promise<void> => {
        await taskGroup(async (outer) => {
          outer.createTask(() => sleep(seconds));
          await taskGroup(async (inner) => void inner.createTask(() => sleep(seconds / 2)));
          record.push(`${name} inner at ${loop.time()}`);
        });
        record.push(`${name} outer at ${loop.time()}`);
      };
      await Promise.all([branch("a", 5), branch("b", 2)]);
      expect(record).toEqual(["b inner at 1", "b outer at 2", "a inner at 2.5", "a outer at 5"]);
    });
  });
});

describe("errors", () => {
  test("a failing task stops the others and the body, and is raised in a group when they have cleaned up", async () => {
    const record: string[] = [];
    await run(async ({ loop }) => {
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(failing(1, "child"));
          group.createTask(waiting(record, "sibling", 2));
          await waiting(record, "body")();
        }),
      );
      expect(error).toBeInstanceOf(asyncio.ExceptionGroup);
      expect((error as Error).message).toBe("unhandled errors in a TaskGroup");
      expect([messages(error), record, loop.time()]).toEqual([["child"], ["body", "sibling"], 3]);
      expect(currentTask()?.cancelling()).toBe(0);
    });
  });

  test("a failing body stops the tasks", async () => {
    const record: string[] = [];
    await run(async () => {
      const error = await outcomeOf(
        taskGroup(function* (group): asyncio.CoroutineGenerator<void> {
          group.createTask(waiting(record, "task"));
          yield* sleep(1);
          throw new RangeError("body");
        }),
      );
      expect([messages(error), record]).toEqual([["body"], ["task"]]);
    });
  });

  test("a body that fails alone is in a group too", async () => {
    await run(async () => {
      const error = await outcomeOf(taskGroup(failing(0, "alone")));
      expect([error, messages(error)]).toEqual([expect.any(asyncio.ExceptionGroup), ["alone"]]);
    });
  });

  test("stand in the group in the order they happened, the body's last", async () => {
    await run(async () => {
      const failingCleanup = (seconds: number, text: string) => async (): Promise<void> => {
        try {
          await sleep(100);
        } finally {
          await failing(seconds, text)();
        }
      };
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(failingCleanup(3, "third"));
          group.createTask(failingCleanup(2, "second"));
          group.createTask(failing(1, "first"));
          group.createTask(failing(1, "in the same turn"));
          try {
            await sleep(100);
          } catch {
            throw new RangeError("body");
          }
        }),
      );
      expect(messages(error)).toEqual(["first", "in the same turn", "second", "third", "body"]);
    });
  });

  test("of nested groups nest", async () => {
    await run(async () => {
      const error = await outcomeOf(
        taskGroup(async (outer) => {
          outer.createTask(failing(1, "outer"));
          await taskGroup(async (inner) => {
            inner.createTask(async () => {
              try {
                await sleep(100);
              } catch {
                throw new RangeError("inner");
              }
            });
          });
        }),
      );
      expect(messages(error)).toEqual(["outer", ["inner"]]);
      expect(currentTask()?.cancelling()).toBe(0);
    });
  });

  test("of one of two groups side by side leave the other alone", async () => {
    await run(async () => {
      const [error, fine] = await Promise.all([
        outcomeOf(taskGroup(async (group) => void group.createTask(failing(1, "child")))),
        outcomeOf(
          taskGroup(async (group) => {
            const task = group.createTask(() => sleep(2, "fine"));
            await sleep(3);
            return task.result();
          }),
        ),
      ]);
      expect([messages(error), fine]).toEqual([["child"], "fine"]);
    });
  });

  test("that are no Error objects are raised as they are", async () => {
    await run(async () => {
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(async () => {
            // oxlint-disable-next-line typescript/only-throw-error -- what JavaScript lets through
            throw "a string" as unknown;
          });
        }),
      );
      expect((error as asyncio.ExceptionGroup).exceptions).toEqual(["a string"]);
    });
  });

  test("an error in a body that does not wait is raised when it has ended", async () => {
    await run(async () => {
      let open!: () => void;
      const gate = new Promise<void>((resolve) => (open = resolve));
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(failing(0, "child"));
          group.createTask(async () => {
            await outcomeOf(sleep(1));
            open();
          });
          await gate; // a bare promise hears of no cancellation
          return "swallowed";
        }),
      );
      expect([messages(error), currentTask()?.cancelling()]).toEqual([["child"], 0]);
    });
  });
});

describe("a cancellation from outside", () => {
  test("stops tasks and body, and goes on as it came", async () => {
    const record: string[] = [];
    await run(async () => {
      const task = createTask(() =>
        taskGroup(async (group) => {
          group.createTask(waiting(record, "task", 2));
          await waiting(record, "body")();
        }),
      );
      await sleep(1);
      task.cancel("external");
      expect(await outcomeOf(task)).toEqual(new asyncio.CancelledError("external"));
      expect([record, task.cancelling()]).toEqual([["body", "task"], 1]);
    });
  });

  test("while the group waits for its tasks", async () => {
    const record: string[] = [];
    await run(async () => {
      const task = createTask(() => taskGroup(async (group) => void group.createTask(waiting(record, "task", 2))));
      await sleep(1);
      task.cancel("external");
      await sleep(1);
      task.cancel("again");
      expect(await outcomeOf(task)).toEqual(new asyncio.CancelledError("external"));
      expect([record, task.cancelling()]).toEqual([["task"], 2]);
    });
  });

  test.each([
    [
      "async functions",
      (fail: () => Promise<void>) => async () => {
        const error = await outcomeOf(taskGroup(async (group) => void group.createTask(fail)));
        expect(messages(error)).toEqual(["child"]);
        await sleep(1);
      },
    ],
    [
      "generators",
      (fail: () => Promise<void>) =>
        function* (): asyncio.CoroutineGenerator<void> {
          try {
            yield* taskGroup(function* (group) {
              group.createTask(fail);
              yield* sleep(0);
            });
          } catch (error) {
            expect(messages(error)).toEqual(["child"]);
          }
          yield* sleep(1);
        },
    ],
  ])("together with an error of a task: the error first, the request at the next wait, in %s", async (_name, make) => {
    await run(async ({ loop }) => {
      const task = createTask(
        make(async () => {
          await sleep(1);
          task.cancel("external");
          throw new RangeError("child");
        }) as asyncio.Body<void>,
      );
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
      expect([task.cancelled(), task.cancelling(), loop.time()]).toEqual([true, 1, 1]);
    });
  });

  test("together with an error of a task, and no wait after it: the task ends cancelled", async () => {
    await run(async () => {
      const task: asyncio.Task<unknown> = createTask(async () => {
        const error = await outcomeOf(
          taskGroup(async (group) => {
            group.createTask(async () => {
              await sleep(1);
              task.cancel("external");
              throw new RangeError("child");
            });
          }),
        );
        return messages(error);
      });
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
    });
  });
});

describe("cancel()", () => {
  test("ends body and tasks without an error", async () => {
    const record: string[] = [];
    await run(async () => {
      const result = await taskGroup(async (group) => {
        group.createTask(waiting(record, "task", 1));
        await sleep(1);
        group.cancel();
        group.cancel();
        expect(currentTask()?.cancelling()).toBe(1);
        await waiting(record, "body")();
        return "not reached";
      });
      expect([result, record, currentTask()?.cancelling()]).toEqual([undefined, ["body", "task"], 0]);
      await sleep(1);
    });
  });

  test("called by a task, it ends the task too, at its next wait", async () => {
    const record: string[] = [];
    await run(async () => {
      await taskGroup(async (group) => {
        group.createTask(async () => {
          group.cancel();
          record.push("goes on");
          await sleep(0);
          record.push("not reached");
        });
        group.createTask(waiting(record, "sibling"));
      });
    });
    expect(record).toEqual(["goes on"]);
  });

  test("in a body that does not wait any more takes nothing along", async () => {
    await run(async () => {
      expect(await taskGroup(async (group) => (group.cancel(), "result"))).toBe("result");
      expect(currentTask()?.cancelling()).toBe(0);
      await sleep(1);
    });
  });

  test("while the group waits for its tasks, and after its end, when it does nothing", async () => {
    await run(async ({ loop }) => {
      let kept!: asyncio.TaskGroup;
      await taskGroup(async (group) => {
        kept = group;
        group.createTask(() => sleep(100));
        loop.callLater(1, () => group.cancel());
      });
      expect(loop.time()).toBe(1);
      kept.cancel();
      expect(currentTask()?.cancelling()).toBe(0);
      await sleep(1);
    });
  });

  test("does not hide the errors of a cleanup, nor those of the body", async () => {
    await run(async () => {
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(100);
            } catch {
              throw new RangeError("cleanup");
            }
          });
          await sleep(0);
          group.cancel();
          throw new RangeError("body");
        }),
      );
      expect([messages(error), currentTask()?.cancelling()]).toEqual([["cleanup", "body"], 0]);
    });
  });

  test("together with a cancellation from outside: that goes on", async () => {
    await run(async () => {
      const task = createTask(() =>
        taskGroup(async (group) => {
          group.cancel();
          currentTask()!.cancel("external");
          await sleep(1);
        }),
      );
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
      expect(task.cancelling()).toBe(1);
    });
  });

  // CPython 3.15 loses it: once it is aborting, `__aexit__` swallows every CancelledError.
  test("a cancellation from outside that comes while a cancelled group waits for its tasks is not lost", async () => {
    await run(async () => {
      const task = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(10);
            } finally {
              await sleep(3);
            }
          });
          await sleep(1);
          group.cancel();
        });
        await sleep(100);
        return "never heard of it";
      });
      await sleep(2);
      expect(task.cancel("external")).toBe(true);
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
    });
  });
});

describe("createTask()", () => {
  test("is refused when the group has ended, and the coroutine is not missed", async () => {
    const reports = await run(async () => {
      let kept!: asyncio.TaskGroup;
      await taskGroup(async (group) => void (kept = group));
      expect(() => kept.createTask(sleep(1))).toThrow(new asyncio.RuntimeError("<TaskGroup> is finished"));
    });
    expect(reports).toEqual([]);
  });

  test("is refused when the group is ending", async () => {
    const reports = await run(async () => {
      const refused: unknown[] = [];
      await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(failing(0, "child"));
          try {
            await sleep(10);
          } finally {
            try {
              group.createTask(sleep(1));
            } catch (error) {
              refused.push(error);
            }
          }
        }),
      );
      const message = "<TaskGroup errors=1 cancelling> is shutting down";
      expect(refused).toEqual([new asyncio.RuntimeError(message)]);
    });
    expect(reports).toEqual([]);
  });

  test("refuses a promise", async () => {
    await run(async () => {
      await taskGroup(async (group) => {
        expect(() => group.createTask(Promise.resolve() as never)).toThrow(TypeError);
      });
    });
  });

  test("needs a task around", async () => {
    await run(async ({ loop }) => {
      const caught: unknown[] = [];
      loop.callSoon(() => {
        try {
          taskGroup(async () => {})._iterator.next();
        } catch (error) {
          caught.push(error);
        }
      });
      await sleep(1);
      expect(caught).toEqual([new asyncio.RuntimeError("TaskGroup cannot determine the parent task")]);
    });
  });
});

describe("eager tasks", () => {
  const runEagerly = (main: () => Promise<void>): ReturnType<typeof run> =>
    run(async ({ loop }) => {
      loop.setTaskFactory(asyncio.eagerTaskFactory);
      await main();
    });

  test("that end at once, or fail at once", async () => {
    await runEagerly(async () => {
      // oxlint-disable-next-line require-yield -- it ends without waiting
      const atOnce = asyncio.coroutine(function* (): asyncio.CoroutineGenerator<string> {
        return "at once";
      });
      expect(await taskGroup(async (group) => group.createTask(atOnce()).result())).toBe("at once");
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(async () => {
            throw new RangeError("at once");
          });
          await sleep(10);
        }),
      );
      expect(messages(error)).toEqual(["at once"]);
    });
  });

  test("one that cancels its group before it waits is cancelled with it", async () => {
    await runEagerly(async () => {
      const tasks: asyncio.Task<void>[] = [];
      await taskGroup(async (group) => {
        tasks.push(
          group.createTask(async () => {
            group.cancel();
            await sleep(100);
          }),
        );
      });
      expect(tasks[0]?.cancelled()).toBe(true);
    });
  });

  test("one whose eager child fails is stopped", async () => {
    const record: string[] = [];
    await runEagerly(async () => {
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(async () => {
            group.createTask(async () => {
              throw new RangeError("grandchild");
            });
            await waiting(record, "child")();
          });
        }),
      );
      expect([messages(error), record]).toEqual([["grandchild"], ["child"]]);
    });
  });
});

describe("KeyboardInterrupt and SystemExit", () => {
  test.each([
    ["KeyboardInterrupt", new asyncio.KeyboardInterrupt()],
    ["SystemExit", new asyncio.SystemExit(3)],
  ])("%s of the body is raised as it is, when the tasks have ended", async (_name, exit) => {
    const record: string[] = [];
    await run(async () => {
      const error = await outcomeOf(
        taskGroup(async (group) => {
          group.createTask(waiting(record, "task", 1));
          group.createTask(failing(0, "hidden"));
          await sleep(0);
          throw exit;
        }),
      );
      expect([error === exit, record]).toEqual([true, ["task"]]);
    });
  });

  test("of a task leaves the loop, and the group ends in the shutdown", async () => {
    const record: string[] = [];
    const exit = new asyncio.KeyboardInterrupt();
    const program = run(async () => {
      try {
        await taskGroup(async (group) => {
          group.createTask(waiting(record, "sibling"));
          group.createTask(async () => {
            await sleep(1);
            throw exit;
          });
          await waiting(record, "body")();
        });
      } catch (error) {
        record.push(error === exit ? "the group raised it" : String(error));
        throw error;
      }
    });
    await expect(program).rejects.toBe(exit);
    expect(record.slice(0, 2).toSorted()).toEqual(["body", "sibling"]);
    expect(record.at(-1)).toBe("the group raised it");
  });
});

test("a group shows its state", async () => {
  await run(async () => {
    const shown: string[] = [];
    let kept!: asyncio.TaskGroup;
    await outcomeOf(
      taskGroup(async (group) => {
        kept = group;
        shown.push(String(group));
        group.createTask(failing(0, "child"));
        group.createTask(waiting([], "sibling", 1));
        shown.push(inspect(group));
        await outcomeOf(sleep(100));
        shown.push(String(group));
      }),
    );
    shown.push(String(kept));
    expect(shown).toEqual([
      "<TaskGroup entered>",
      "<TaskGroup tasks=2 entered>",
      "<TaskGroup tasks=1 errors=1 cancelling>",
      "<TaskGroup errors=1 cancelling>",
    ]);
  });
});

// CPython: the group returns. Here the request that was swallowed before it, and never taken back, counts as one that
// came while it waited: compare with `cancelling()` at the group's beginning, as `Timeout` does, and not with zero.
test("a group that one of its tasks cancels is not disturbed by a request that was swallowed before it", async () => {
  await run(async () => {
    const task = createTask(async () => {
      await outcomeOf(sleep(10));
      await taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(1);
          group.cancel();
        });
      });
      await sleep(1);
      return "went on";
    });
    await sleep(0);
    task.cancel();
    expect(await outcomeOf(task)).toBe("went on");
  });
});
