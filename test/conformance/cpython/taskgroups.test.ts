/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** CPython's test_taskgroups in our words, with tasks that start in the next turn and with eager ones. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { failAfter, kinds, play, raisedBy } from "./suite.ts";

const { sleep, taskGroup } = asyncio;

class BodyError extends Error {}

/** Breaks while it cleans up. */
function* breaksInCleanup(): asyncio.CoroutineGenerator<void> {
  try {
    yield* sleep(10);
  } finally {
    // oxlint-disable-next-line no-unsafe-finally -- that is the situation.
    throw new RangeError("cleanup");
  }
}

describe.each([{ eager: false }, { eager: true }])("eager: $eager", ({ eager }) => {
  const mode = { eager };

  test("two tasks that succeed: the group ends with the slower one, and their results are there", async () => {
    await play(function* ({ loop }) {
      const [a, b] = yield* taskGroup(function* (group) {
        return [group.createTask(sleep(1, 42)), group.createTask(sleep(2, 11))];
      });
      expect([a!.result(), b!.result(), loop.time()]).toEqual([42, 11, 2]);
    }, mode);
  });

  test("a task is awaited in the body, and another made after it", async () => {
    await play(async ({ loop }) => {
      const results = await taskGroup(async (group) => {
        const first = await group.createTask(sleep(1, "first"));
        return [first, group.createTask(sleep(2, "second"))] as const;
      });
      expect([results[0], results[1].result(), loop.time()]).toEqual(["first", "second", 3]);
    }, mode);
  });

  test("the body cancels one task: the other and the body go on", async () => {
    await play(function* () {
      const [a, b] = yield* taskGroup(function* (group) {
        const tasks = [group.createTask(sleep(2, 42)), group.createTask(sleep(10, 11))];
        yield* sleep(1);
        tasks[1]!.cancel();
        yield* sleep(2);
        return tasks;
      });
      expect([a!.result(), b!.cancelled()]).toEqual([42, true]);
    }, mode);
  });

  test("one task fails: its sibling and the body are cancelled, and nothing after the group runs", async () => {
    const record: string[] = [];
    await play(function* ({ loop }) {
      let sibling: asyncio.Task<unknown> | undefined;
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(failAfter(1, new RangeError("child")));
          sibling = group.createTask(sleep(10));
          try {
            yield* sleep(10);
          } catch (cancelled) {
            record.push((cancelled as Error).name);
            throw cancelled;
          }
          record.push("never");
        }),
      );
      expect(kinds(error)).toEqual(["RangeError"]);
      expect([sibling!.cancelled(), loop.time(), asyncio.currentTask()!.cancelling()]).toEqual([true, 1, 0]);
    }, mode);
    expect(record).toEqual(["CancelledError"]);
  });

  test("one task fails while the body is over: the siblings are cancelled", async () => {
    await play(function* () {
      const children: asyncio.Task<unknown>[] = [];
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(failAfter(1, new RangeError("child")));
          for (let i = 0; i < 3; i++) children.push(group.createTask(sleep(10)));
        }),
      );
      expect(kinds(error)).toEqual(["RangeError"]);
      expect(children.map((child) => child.cancelled())).toEqual([true, true, true]);
    }, mode);
  });

  test("cancelled from outside while it waits for its tasks: they clean up first", async () => {
    const record: string[] = [];
    await play(function* () {
      const task = asyncio.createTask(function* () {
        yield* taskGroup(function* (group) {
          for (let i = 0; i < 3; i++) {
            group.createTask(function* () {
              try {
                yield* sleep(10);
              } finally {
                yield* sleep(1);
                record.push(`child ${i}`);
              }
            });
          }
        });
      });
      yield* sleep(1);
      expect(task.done()).toBe(false);
      task.cancel();
      expect(yield* raisedBy(task)).toBeInstanceOf(asyncio.CancelledError);
      record.push("end");
      expect(task.cancelled()).toBe(true);
    }, mode);
    expect(record).toEqual(["child 0", "child 1", "child 2", "end"]);
  });

  test("cancelled from outside while the body waits: body and tasks are cancelled", async () => {
    const record: string[] = [];
    await play(async () => {
      const task = asyncio.createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(10);
            } finally {
              record.push("child");
            }
          });
          try {
            await sleep(10);
          } finally {
            record.push("body");
          }
        });
      });
      await sleep(1);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    }, mode);
    expect(record).toEqual(["body", "child"]);
  });

  test("cancelled from outside, the tasks fail in their cleanup: a group of errors, and the request is not lost", async () => {
    await play(function* () {
      const task = asyncio.createTask(function* () {
        const error = yield* raisedBy(
          taskGroup(function* (group) {
            for (let i = 0; i < 5; i++) group.createTask(breaksInCleanup());
            yield* sleep(10);
          }),
        );
        expect(kinds(error)).toEqual(Array(5).fill("RangeError"));
        yield* sleep(0);
        expect.unreachable();
      });
      yield* sleep(1);
      task.cancel();
      yield* asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    }, mode);
  });

  test.each([{ wait: true }, { wait: false }])(
    "the body fails, after the tasks have started: $wait",
    async ({ wait }) => {
      await play(function* () {
        const tasks: asyncio.Task<unknown>[] = [];
        const error = yield* raisedBy(
          taskGroup(function* (group) {
            tasks.push(group.createTask(sleep(10)), group.createTask(sleep(20)));
            if (wait) yield* sleep(1);
            throw new BodyError();
          }),
        );
        expect(kinds(error)).toEqual(["BodyError"]);
        expect(tasks.map((task) => task.cancelled())).toEqual([true, true]);
        expect(asyncio.currentTask()!.cancelling()).toBe(0);
      }, mode);
    },
  );

  test.each([{ other: false }, { other: true }])(
    "a group in a group, cancelled from outside, its tasks fail; the outer one has a task: $other",
    async ({ other }) => {
      await play(function* () {
        const task = asyncio.createTask(() =>
          taskGroup(function* (outer) {
            if (other) outer.createTask(sleep(10));
            yield* taskGroup(function* (inner) {
              for (let i = 0; i < 3; i++) inner.createTask(breaksInCleanup());
              yield* sleep(10);
            });
          }),
        );
        yield* sleep(1);
        task.cancel();
        expect(kinds(yield* raisedBy(task))).toEqual([["RangeError", "RangeError", "RangeError"]]);
      }, mode);
    },
  );

  test("a task of the outer group fails: the inner group is cancelled, with no error of its own", async () => {
    await play(function* ({ loop }) {
      const error = yield* raisedBy(
        taskGroup(function* (outer) {
          outer.createTask(failAfter(1, new RangeError("outer")));
          yield* taskGroup(function* (inner) {
            inner.createTask(failAfter(10, new TypeError("inner")));
          });
        }),
      );
      expect([kinds(error), loop.time()]).toEqual([["RangeError"], 1]);
    }, mode);
  });

  test("a task of the inner group fails: the outer group's tasks are cancelled, the groups nest", async () => {
    await play(function* ({ loop }) {
      const error = yield* raisedBy(
        taskGroup(function* (outer) {
          outer.createTask(failAfter(10, new RangeError("outer")));
          yield* taskGroup(function* (inner) {
            inner.createTask(failAfter(1, new TypeError("inner")));
          });
        }),
      );
      expect([kinds(error), loop.time()]).toEqual([[["TypeError"]], 1]);
    }, mode);
  });

  test("cancelled from outside, the body takes its time; a task fails meanwhile", async () => {
    await play(function* ({ loop }) {
      const task = asyncio.createTask(() =>
        taskGroup(function* (group) {
          group.createTask(failAfter(3, new RangeError("soon")));
          try {
            yield* sleep(5);
          } catch (error) {
            yield* sleep(5);
            throw error;
          }
        }),
      );
      yield* sleep(1);
      task.cancel();
      expect(kinds(yield* raisedBy(task))).toEqual(["RangeError"]);
      // The group's own cancellation interrupts the body's cleanup.
      expect(loop.time()).toBe(3);
    }, mode);
  });

  test("the same, two tasks further in", async () => {
    await play(async () => {
      const nested = asyncio.coroutine(async () => {
        await taskGroup(async (group) => {
          group.createTask(failAfter(3, new RangeError("soon")));
          try {
            await sleep(10);
          } catch (error) {
            await sleep(5);
            throw error;
          }
        });
      });
      const task = asyncio.createTask(async () => await asyncio.createTask(nested()));
      await sleep(1);
      task.cancel();
      const [error] = await asyncio.gather(task, { returnExceptions: true });
      expect(kinds(error)).toEqual(["RangeError"]);
    }, mode);
  });

  test("a body that is cancelled and lets it pass: the group is cancelled, no group of errors", async () => {
    await play(function* () {
      const task = asyncio.createTask(() => taskGroup(() => sleep(10)));
      yield* sleep(1);
      task.cancel("enough");
      expect(yield* raisedBy(task)).toEqual(new asyncio.CancelledError("enough"));
      expect(task.cancelled()).toBe(true);
    }, mode);
  });

  test("a body that turns its cancellation into an error: the error comes in a group", async () => {
    await play(function* () {
      const task = asyncio.createTask(() =>
        taskGroup(function* () {
          yield* raisedBy(sleep(10));
          throw new BodyError();
        }),
      );
      yield* sleep(1);
      task.cancel();
      expect(kinds(yield* raisedBy(task))).toEqual(["BodyError"]);
      expect(task.cancelling()).toBe(1);
    }, mode);
  });

  test("a task fails, and the body fails as it is cancelled for that: the body's error stands last", async () => {
    await play(function* () {
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(failAfter(1, new RangeError("task")));
          yield* raisedBy(sleep(10));
          throw new BodyError();
        }),
      );
      expect(kinds(error)).toEqual(["RangeError", "BodyError"]);
    }, mode);
  });

  test("a task fails, and the body throws KeyboardInterrupt as it is cancelled: that goes before everything", async () => {
    const program = play(function* () {
      yield* taskGroup(function* (group) {
        group.createTask(failAfter(1, new RangeError("task")));
        yield* raisedBy(sleep(10));
        throw new asyncio.KeyboardInterrupt();
      });
    }, mode);
    await expect(program).rejects.toBeInstanceOf(asyncio.KeyboardInterrupt);
  });

  test("two tasks and a cancellation right after the group began", async () => {
    await play(function* () {
      let tasks: asyncio.Task<unknown>[] = [];
      const runner = asyncio.createTask(() =>
        taskGroup(function* (group) {
          tasks = [group.createTask(sleep(1)), group.createTask(sleep(2))];
        }),
      );
      yield* sleep(0);
      runner.cancel();
      expect(yield* raisedBy(runner)).toBeInstanceOf(asyncio.CancelledError);
      expect(tasks.map((task) => task.cancelled())).toEqual([true, true]);
    }, mode);
  });

  test("a long-lived group does not keep the tasks that have ended", async () => {
    await play(function* () {
      yield* taskGroup(function* (group) {
        for (let i = 0; i < 10; i++) {
          yield* sleep(1);
          group.createTask(sleep(2.5));
          expect(Number(/tasks=(\d+)/.exec(String(group))?.[1])).toBeLessThan(4);
        }
      });
    }, mode);
  });

  test("a task makes more tasks in its own group, which waits for them too", async () => {
    await play(function* ({ loop }) {
      const results: number[] = [];
      const leaf = function* (delay: number) {
        results.push(yield* sleep(delay, delay));
      };
      yield* taskGroup(function* (group) {
        group.createTask(function* () {
          yield* sleep(1);
          group.createTask(leaf(1));
          group.createTask(leaf(2));
        });
      });
      expect([results, loop.time()]).toEqual([[1, 2], 3]);
    }, mode);
  });

  test("tasks that multiply are all cancelled when one fails", async () => {
    let heads = 0;
    await play(function* () {
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          function* hydra(): asyncio.CoroutineGenerator<void> {
            heads++;
            yield* sleep(1);
            group.createTask(hydra());
            group.createTask(hydra());
          }
          group.createTask(hydra());
          group.createTask(function* (): asyncio.CoroutineGenerator<void> {
            // oxlint-disable-next-line no-unmodified-loop-condition -- the other tasks modify it.
            while (heads < 10) yield* sleep(1.5);
            throw new RangeError("hercules");
          });
        }),
      );
      expect(kinds(error)).toEqual(["RangeError"]);
      expect(heads).toBeGreaterThanOrEqual(10);
      expect(asyncio.allTasks().size).toBe(1);
    }, mode);
  });

  test("a task of a group has the name and the context it was given", async () => {
    await play(function* () {
      const variable = new asyncio.ContextVar("variable", { default: 0 });
      const context = asyncio.copyContext();
      context.run(() => variable.set(5));
      yield* taskGroup(function* (group) {
        const named = group.createTask(
          function* () {
            return variable.get();
          },
          { name: "yolo", context },
        );
        expect([named.getName(), named.getContext()]).toEqual(["yolo", context]);
        expect(yield* named).toBe(5);
        expect(group.createTask(sleep(0)).getName()).toMatch(/^Task-\d+$/);
      });
    }, mode);
  });

  test("no task is made after one has failed", async () => {
    await play(function* () {
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(failAfter(0, new RangeError("first")));
          yield* raisedBy(sleep(10));
          expect(() => group.createTask(sleep(0))).toThrow(/shutting down/);
          expect(() => group.createTask(sleep(0))).toThrow(asyncio.RuntimeError);
        }),
      );
      expect(kinds(error)).toEqual(["RangeError"]);
    }, mode);
  });

  test("what the body holds fails as it is left: both errors come, and the count of requests is zero", async () => {
    await play(function* () {
      function* database(use: () => asyncio.CoroutineGenerator<void>): asyncio.CoroutineGenerator<void> {
        try {
          yield* use();
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- that is the situation.
          throw new BodyError("database");
        }
      }
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          yield* database(function* () {
            group.createTask(failAfter(0, new BodyError("task")));
            yield* sleep(1);
          });
        }),
      );
      expect(kinds(error)).toEqual(["BodyError", "BodyError"]);
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
    }, mode);
  });

  test("a group that has ended takes no tasks, and what it refuses is not reported as never awaited", async () => {
    const reports = await play(function* () {
      const group = yield* taskGroup(function* (inside) {
        return inside;
      });
      const work = asyncio.coroutine(() => sleep(0))();
      expect(() => group.createTask(work)).toThrow(new asyncio.RuntimeError("<TaskGroup> is finished"));
    }, mode);
    expect(reports).toEqual([]);
  });

  test("after a failure was dealt with, the parent counts no request to cancel", async () => {
    await play(async () => {
      try {
        await taskGroup(async (group) => {
          group.createTask(failAfter(0, new RangeError("child")));
          await sleep(10);
        });
        expect.unreachable();
      } catch (error) {
        expect(kinds(error)).toEqual(["RangeError"]);
      }
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
      await sleep(0);
    }, mode);
  });

  test("tasks of the inner and of the outer group fail in the same turn: each group raises its own error", async () => {
    await play(function* () {
      const outer = yield* raisedBy(
        taskGroup(function* (outside) {
          const inner = yield* raisedBy(
            taskGroup(function* (inside) {
              inside.createTask(failAfter(0, new RangeError("inner")));
              outside.createTask(failAfter(0, new TypeError("outer")));
            }),
          );
          expect(kinds(inner)).toEqual(["RangeError"]);
        }),
      );
      expect(kinds(outer)).toEqual(["TypeError"]);
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
      yield* sleep(0);
    }, mode);
  });

  test("a task fails and a cancellation comes from outside: the errors are raised, the next wait is cancelled", async () => {
    await play(function* () {
      const event = new asyncio.Event();
      const task = asyncio.createTask(function* () {
        const error = yield* raisedBy(
          taskGroup(function* (group) {
            group.createTask(function* (): asyncio.CoroutineGenerator<void> {
              event.set();
              yield* sleep(0);
              throw new RangeError("child");
            });
            yield* sleep(1);
          }),
        );
        expect(kinds(error)).toEqual(["RangeError"]);
        expect(asyncio.currentTask()!.cancelling()).toBe(1);
        yield* sleep(1);
        expect.unreachable();
      });
      yield* event.wait();
      task.cancel();
      yield* asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    }, mode);
  });

  test("a task that is being made while another one fails is cancelled all the same", async () => {
    let wasCancelled = false;
    await play(function* () {
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(function* () {
            group.createTask(function* (): asyncio.CoroutineGenerator<void> {
              throw new BodyError("third");
            });
            try {
              yield* sleep(0);
              yield* sleep(0);
              yield* sleep(0);
            } catch (cancelled) {
              wasCancelled = asyncio.isCancelled(cancelled);
            }
          });
        }),
      );
      expect(kinds(error)).toEqual(["BodyError"]);
    }, mode);
    expect(wasCancelled).toBe(true);
  });

  test("the group's own cancellation does not leak out of it", async () => {
    await play(function* () {
      const error = yield* raisedBy(
        taskGroup(function* (group) {
          group.createTask(function* (): asyncio.CoroutineGenerator<void> {
            throw new BodyError();
          });
        }),
      );
      expect(kinds(error)).toEqual(["BodyError"]);
      yield* sleep(0);
      yield* sleep(1);
    }, mode);
  });
});
