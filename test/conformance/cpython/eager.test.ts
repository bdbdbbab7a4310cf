/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** CPython's test_eager_task_factory in our words. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { play, raisedBy } from "./suite.ts";

const { createTask, sleep } = asyncio;
const eagerly = { eager: true };

test("a task completes a future within its eager step; who made it awaits the future", async () => {
  await play(function* ({ loop }) {
    expect(loop.getTaskFactory()).toBe(asyncio.eagerTaskFactory);
    const future = loop.createFuture<string>();
    const task = createTask(function* () {
      future.setResult("message");
    });
    expect(task.done()).toBe(true);
    expect(yield* future).toBe("message");
  }, eagerly);
});

test("a task that never waits is done at once; one that waits has run so far", async () => {
  await play(function* () {
    const quick = createTask(function* () {
      return "hello";
    });
    expect([quick.done(), yield* quick]).toEqual([true, "hello"]);
    let begun = false;
    const slow = createTask(function* () {
      begun = true;
      yield* sleep(0);
      return "finished after blocking";
    });
    expect([begun, slow.done()]).toEqual([true, false]);
    expect(yield* slow).toBe("finished after blocking");
    expect(slow.done()).toBe(true);
  }, eagerly);
});

test("a task that ended in its eager step cannot be cancelled; one that waits can, with a message", async () => {
  await play(function* () {
    const quick = createTask(function* () {
      return "finished";
    });
    expect([quick.cancel(), yield* quick]).toEqual([false, "finished"]);
    const slow = createTask(function* () {
      yield* sleep(0);
    });
    slow.cancel("cancellation message");
    expect(yield* raisedBy(slow)).toEqual(new asyncio.CancelledError("cancellation message"));
    expect(slow.cancelled()).toBe(true);
  }, eagerly);
});

test("the current task is the new one within its eager step, and the old one after it", async () => {
  await play(async () => {
    const outer = asyncio.currentTask();
    const seen: unknown[] = [];
    const task = createTask(async () => {
      seen.push(asyncio.currentTask());
      await sleep(0);
      seen.push(asyncio.currentTask());
    });
    expect(asyncio.currentTask()).toBe(outer);
    await task;
    expect(seen).toEqual([task, task]);
  }, eagerly);
});

test("allTasks() has a task within its eager step, and after it only if it waits", async () => {
  await play(function* () {
    let during: ReadonlySet<asyncio.Task<unknown>> | undefined;
    const quick = createTask(function* () {
      during = asyncio.allTasks();
    });
    expect([during!.has(quick), asyncio.allTasks().has(quick)]).toEqual([true, false]);
    const slow = createTask(function* () {
      during = asyncio.allTasks();
      yield* sleep(0);
    });
    expect([during!.has(slow), asyncio.allTasks().has(slow)]).toEqual([true, true]);
    yield* slow;
    expect(asyncio.allTasks().has(slow)).toBe(false);
  }, eagerly);
});

test("a variable set in an eager step is not set outside of it", async () => {
  await play(function* () {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    variable.set(1);
    const seen: number[] = [];
    createTask(function* () {
      seen.push(variable.get());
      variable.set(2);
      seen.push(variable.get());
    });
    expect([seen, variable.get()]).toEqual([[1, 2], 1]);
  }, eagerly);
});

test("staggeredRace() with eager tasks: one blocks, one wins, one fails", async () => {
  await play(function* ({ loop }) {
    const { winner, index, exceptions } = yield* asyncio.staggeredRace<unknown>(
      [
        () => loop.createFuture(),
        () => sleep(1, "sleep1"),
        function* (): asyncio.CoroutineGenerator<never> {
          yield* sleep(0);
          throw new RangeError("no good");
        },
      ],
      0.25,
    );
    expect([winner, index]).toEqual(["sleep1", 1]);
    expect(exceptions).toEqual([expect.any(asyncio.CancelledError), null, new RangeError("no good")]);
  }, eagerly);
});

test("staggeredRace() with eager tasks and no delay: the next starts when one has failed", async () => {
  await play(function* () {
    const { winner, index, exceptions } = yield* asyncio.staggeredRace<unknown>(
      [
        function* (): asyncio.CoroutineGenerator<never> {
          throw new RangeError("no good");
        },
        () => sleep(1, "sleep1"),
        () => sleep(0, "sleep0"),
      ],
      null,
    );
    expect([winner, index, exceptions]).toEqual(["sleep1", 1, [new RangeError("no good"), null]]);
  }, eagerly);
});

test("eagerStart goes before the factory, in both directions, and the name is there in the first step", async () => {
  const name = function* () {
    return asyncio.currentTask()!.getName();
  };
  await play(function* () {
    const lazy = createTask(name(), { eagerStart: false, name: "lazy" });
    expect([lazy.done(), yield* lazy]).toEqual([false, "lazy"]);
    const eager = createTask(name(), { name: "test name" });
    expect([eager.done(), eager.result()]).toEqual([true, "test name"]);
  }, eagerly);
  await play(function* () {
    const eager = createTask(name(), { eagerStart: true, name: "eager" });
    expect([eager.done(), eager.result()]).toEqual([true, "eager"]);
  });
});

describe.each([{ eager: false }, { eager: true }])("eager: $eager", (mode) => {
  const { eager } = mode;

  test("a long chain of tasks that await each other gives its result, eagerly without a turn", async () => {
    await play(function* ({ loop }) {
      function* chain(depth: number): asyncio.CoroutineGenerator<number> {
        return depth === 0 ? 0 : 1 + (yield* createTask(chain(depth - 1)));
      }
      const { turns } = loop.statistics();
      expect(yield* chain(100)).toBe(100);
      expect(loop.statistics().turns === turns).toBe(eager);
    }, mode);
  });

  test("groups in groups and gathers in gathers end, with every leaf visited", async () => {
    await play(function* () {
      let leaves = 0;
      function* inGroups(depth: number): asyncio.CoroutineGenerator<void> {
        if (depth === 0) {
          leaves++;
          return;
        }
        yield* asyncio.taskGroup(function* (group) {
          for (let i = 0; i < 3; i++) group.createTask(inGroups(depth - 1));
        });
      }
      function* inGathers(depth: number): asyncio.CoroutineGenerator<void> {
        if (depth === 0) leaves++;
        else yield* asyncio.gather([1, 2, 3].map(() => inGathers(depth - 1)));
      }
      yield* inGroups(5);
      expect(leaves).toBe(243);
      yield* inGathers(5);
      expect(leaves).toBe(486);
    }, mode);
  });
});
