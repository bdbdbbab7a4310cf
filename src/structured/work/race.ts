/** Several works for one result. @module */

import { isCancelled } from "../../core/base/foreign-aborts.ts";
import { exceptionGroup } from "../../core/base/exception-groups.ts";
import { FIRST_COMPLETED, wait } from "../../core/coordination/wait.ts";
import { putInLevel } from "../../core/kernel/cancellation.ts";
import { createTask } from "../../core/kernel/create-task.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { currentLevel, pastLevels } from "../../core/kernel/levels.ts";

/** What a work of a race gives. */
type ResultOf<W extends readonly Body<unknown>[]> = W[number] extends Body<infer T> ? T : never;

/**
 * Starts all `works`, and gives the result of the first that succeeds. The others are cancelled **and waited for**: when `race`
 * returns, nothing of them goes on.
 *
 * A loser that has succeeded in the same moment has done its work: what it took, such as the item of a queue, is in its
 * result, and that is dropped. Race what can be dropped; for channels there is {@link select}.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const slow = () => asyncio.sleep(60, "slow");
 *   const fast = () => asyncio.sleep(0.001, "fast");
 *   assert.equal(await race(slow, fast), "fast");
 * });
 * ```
 *
 * Cancelled, it cancels all and waits for them. A loser that fails while it is cancelled is reported.
 *
 * @throws {ExceptionGroup} with the errors of all, if none succeeds.
 */
export function race<const W extends readonly Body<unknown>[]>(...works: W): Coroutine<ResultOf<W>> {
  if (works.length === 0) throw new RangeError("race: there must be a work to wait for");
  return new GeneratorCoroutine(racing(works) as CoroutineGenerator<ResultOf<W>>, "race");
}

function* racing(works: readonly Body<unknown>[]): CoroutineGenerator<unknown> {
  const level = currentLevel();
  const tasks = works.map((work) => createTask(work));
  for (const task of tasks) putInLevel(task, level);
  const failed: Task<unknown>[] = [];
  let running: readonly Task<unknown>[] = tasks;
  try {
    while (running.length > 0) {
      yield* wait(running, { returnWhen: FIRST_COMPLETED });
      const winner = running.find((task) => task.done() && !task.cancelled() && task.exception() === null);
      failed.push(...running.filter((task) => task.done() && task !== winner));
      running = running.filter((task) => !task.done());
      if (winner !== undefined) return winner.result();
    }
  } finally {
    yield* pastLevels(end(running));
  }
  throw exceptionGroup("race: no work has succeeded", failed.map(errorOf));
}

/** Cancels `tasks`, and waits until they have ended, whatever they do first. */
function* end(tasks: readonly Task<unknown>[]): CoroutineGenerator<void> {
  for (const task of tasks) task.cancel();
  if (tasks.length === 0) return;
  yield* wait(tasks);
  for (const task of tasks) {
    if (task.cancelled() || task.exception() === null || isCancelled(task.exception())) continue;
    const message = "race: a loser failed while it was cancelled";
    getRunningLoop().callExceptionHandler({ message, exception: task.exception(), task });
  }
}

function errorOf(task: Task<unknown>): unknown {
  return task.cancelled() ? new Error(`${task.getName()} was cancelled`) : task.exception();
}
