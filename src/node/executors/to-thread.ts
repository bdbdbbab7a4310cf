/** toThread: one call, in a thread of the loop's. @module */

import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { checkHas } from "../../core/network/network-loop.ts";
import type { Job, NamedTask } from "../../core/loop/jobs.ts";
import { checkTask } from "../../core/loop/jobs.ts";

/** What a loop needs for {@link toThread}. */
interface ExecutingLoop {
  runInExecutor<A extends unknown[], R>(executor: null, task: NamedTask<A, R>, ...args: A): Job<R>;
}

/**
 * Runs `task(...args)` in a thread, while the loop goes on; its result. The threads belong to the loop, and end with it.
 *
 * ```ts no-run
 * const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work); // import * as work from "./work.mjs"
 * await asyncio.run(async () => {
 *   console.log(await asyncio.toThread(tasks.hash, "some text"));
 * });
 * ```
 *
 * Cancelled, the work is stopped; see `ThreadPoolExecutor`.
 *
 * @throws {TypeError} for a function: code cannot be sent, only named. @throws what the function throws, with its stack there.
 *
 * CPython: `asyncio.to_thread`.
 */
export function toThread<A extends unknown[], R>(task: NamedTask<A, R>, ...args: A): Coroutine<R> {
  checkTask(task, "toThread");
  return new GeneratorCoroutine(running(task, args), "toThread");
}

function* running<A extends unknown[], R>(task: NamedTask<A, R>, args: A): CoroutineGenerator<R> {
  const loop = getRunningLoop();
  checkHas(loop, "runInExecutor", "toThread");
  return yield* (loop as unknown as ExecutingLoop).runInExecutor(null, task, ...args);
}
