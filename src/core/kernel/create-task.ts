/** Starting tasks, and asking for those that run. @module */

import { toCoroutine } from "./async-functions.ts";
import type { CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
import { Coroutine } from "./coroutines.ts";
import type { AbstractEventLoop, TaskFactory } from "./events.ts";
import { getRunningLoop } from "./events.ts";
import { currentExecution } from "./running.ts";
import type { CreateTaskOptions } from "./tasks.ts";
import { Task } from "./tasks.ts";

/**
 * Starts `work` as a task of the running loop: it begins in the next turn, beside the code that goes on here.
 *
 * Pass the function, `createTask(() => worker("a"))`, or a coroutine. A promise is refused: it has started already, and
 * it could not be cancelled.
 *
 * @throws {TypeError} if `work` is a promise, or nothing that can run.
 * @throws {RuntimeError} if no loop is running.
 *
 * CPython: `asyncio.create_task`.
 */
export function createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
  return getRunningLoop().createTask(work, options);
}

/** @internal `work` was refused and will not run: a coroutine among it is not reported as never awaited. */
export function closeWork(work: unknown): void {
  if (work instanceof Coroutine) work.close();
}

/** @internal The task of `work`, made by the loop's factory or, without one, as a {@link Task}. */
export function makeTask<T>(loop: AbstractEventLoop, work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
  const factory = loop.getTaskFactory();
  if (factory === null && typeof work === "function") return new Task<T>(work, options, loop);
  const coroutine = toCoroutine(work, "createTask");
  return factory === null ? new Task(coroutine, options, loop) : factory(loop, coroutine, options ?? {});
}

/**
 * The task that runs the present code, or `null` in a callback.
 *
 * @throws {RuntimeError} if no loop is given and none is running.
 *
 * CPython: `asyncio.current_task`.
 */
export function currentTask(loop: AbstractEventLoop = getRunningLoop()): Task<unknown> | null {
  const execution = currentExecution();
  if (execution === null || execution.loop !== loop) return null;
  const task = execution.task as Task<unknown> | null;
  return task === null || task.done() ? null : task;
}

/** The tasks of the loop that have not ended, in the order of their making. CPython: `asyncio.all_tasks`. */
export function allTasks(loop: AbstractEventLoop = getRunningLoop()): Set<Task<unknown>> {
  return new Set(loop._tasks);
}

/**
 * A task factory that takes a task's first step at once: `loop.setTaskFactory(eagerTaskFactory)`. A task that never
 * waits then costs no turn.
 *
 * CPython: `asyncio.eager_task_factory`.
 */
export const eagerTaskFactory: TaskFactory = createEagerTaskFactory(
  (coroutine, options) => new Task(coroutine, options),
);

/** {@link eagerTaskFactory} for a kind of task of your own. CPython: `asyncio.create_eager_task_factory`. */
export function createEagerTaskFactory(
  makeCustomTask: <T>(
    coroutine: Coroutine<T> | CoroutineGenerator<T>,
    options: CreateTaskOptions & { readonly loop: AbstractEventLoop },
  ) => Task<T>,
): TaskFactory {
  return (loop, coroutine, options) => makeCustomTask(coroutine, { eagerStart: true, ...options, loop });
}
