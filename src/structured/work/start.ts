/** Starting a child of a group, and waiting until it is ready. @module */

import { CancelledError, RuntimeError } from "../../core/base/exceptions.ts";
import type { TaskGroup } from "../../core/coordination/taskgroups.ts";
import { wait } from "../../core/coordination/wait.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Future } from "../../core/kernel/futures.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { pastLevels } from "../../core/kernel/levels.ts";

/** What a child calls when it is ready. Calling it twice is an error. */
export type Started<T = void> = (value: T) => void;

/**
 * Starts `fn` as a task of `group`, and waits until it says that it is ready: the value that it gives to `started`. From then on
 * it is a child like any other.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   await asyncio.taskGroup(async (group) => {
 *     const answer = await start(group, async (started: Started<number>) => {
 *       await asyncio.sleep(0.001); // getting ready
 *       started(42);
 *       await asyncio.sleep(0.001); // serving
 *     });
 *     assert.equal(answer, 42);
 *   });
 * });
 * ```
 *
 * What `fn` raises before it is ready comes to the caller, and is no failure of the group. Cancelled before that, the child is
 * cancelled and waited for.
 *
 * @throws {RuntimeError} if `fn` ends without a word. trio: `Nursery.start`.
 */
export function start<T>(group: TaskGroup, fn: (started: Started<T>) => ReturnType<Body<unknown>>): Coroutine<T> {
  return new GeneratorCoroutine(starting(group, fn), "start");
}

function* starting<T>(group: TaskGroup, fn: (started: Started<T>) => ReturnType<Body<unknown>>): CoroutineGenerator<T> {
  const ready = getRunningLoop().createFuture<T>();
  const child = group.createTask(() => untilReady(ready, fn));
  try {
    return yield* ready;
  } catch (error) {
    if (!child.done()) yield* pastLevels(ended(child));
    throw error;
  }
}

/** The child: before it is ready, its failures are the caller's. */
function* untilReady<T>(
  ready: Future<T>,
  fn: (started: Started<T>) => ReturnType<Body<unknown>>,
): CoroutineGenerator<void> {
  let hasStarted = false;
  const started = (value: T): void => {
    if (hasStarted) throw new RuntimeError("started() was called before");
    hasStarted = true;
    if (!ready.done()) ready.setResult(value);
  };
  try {
    yield* callBody(() => fn(started));
  } catch (error) {
    if (hasStarted || ready.done() || error instanceof CancelledError) throw error;
    ready.setException(error);
    return;
  }
  if (!hasStarted && !ready.done()) ready.setException(new RuntimeError("the child ended without a call of started()"));
}

function* ended(child: Task<unknown>): CoroutineGenerator<void> {
  child.cancel();
  yield* wait([child]);
}
