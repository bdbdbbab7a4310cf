/** The job that a function does, where an executor runs it. @module */

import type { Signal } from "../base/abort.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { callBody } from "../kernel/async-functions.ts";
import { ContextVar, copyContext } from "../kernel/contextvars.ts";
import type { Body, CoroutineGenerator } from "../kernel/coroutines.ts";
import { isCoroutine } from "../kernel/coroutines.ts";
import { currentTask } from "../kernel/create-task.ts";

/** The job that the present code does, where an executor runs it. */
export interface CurrentJob {
  /** The {@link Job.key} at the caller's: the same if the work is done again, and so what tells that it was done before. */
  readonly key: string;
  /** Aborted when the caller does not want the result any more: the work has a grace to stop in. */
  readonly signal: Signal;
  /** The values of the context variables that were sent along. */
  readonly context: ReadonlyMap<string, unknown>;
  /** Tells the caller a step; see {@link Job.progress}. It must be data, as an argument must. */
  progress(step: unknown): void;
}

const CURRENT = new ContextVar<CurrentJob>("asyncio-ts.job");

/** The job of a worker, which has one at a time: for another copy of the package, which the function may have imported. */
const WORKERS: unique symbol = Symbol.for("asyncio-ts.job");
const shared = globalThis as { [WORKERS]?: CurrentJob | undefined };

/**
 * The job that this code does, in a function that an executor runs.
 *
 * ```ts no-run
 * export async function thumbnails(paths: string[]) {
 *   const job = asyncio.currentJob();
 *   for (const path of paths) {
 *     if (job.signal.aborted) return;
 *     job.progress(await thumbnail(path));
 *   }
 * }
 * ```
 *
 * @throws {RuntimeError} elsewhere.
 */
export function currentJob(): CurrentJob {
  const job = CURRENT.get(undefined) ?? shared[WORKERS];
  if (job === undefined) throw new RuntimeError("currentJob() is for functions that an executor runs");
  return job;
}

/** In a worker: `job` is what it does from here on, or nothing. */
export function setWorkersJob(job: CurrentJob | undefined): void {
  shared[WORKERS] = job;
}

/** Calls `fn` as the work of `job`. */
export function runAsJob<R>(job: CurrentJob, fn: () => R): R {
  return copyContext().run(() => {
    CURRENT.set(job);
    return fn();
  });
}

/** The work of a job, done by the present task: what `fn` gives for `args`, or for each of them. */
export function* workHere(
  told: Omit<CurrentJob, "signal">,
  fn: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  isChunk: boolean,
): CoroutineGenerator<unknown> {
  const task = currentTask()!;
  const job: CurrentJob = {
    ...told,
    get signal() {
      return task.signal;
    },
  };
  const call = (...given: readonly unknown[]): Body<unknown> => {
    return () => awaitable(runAsJob(job, () => fn(...given)));
  };
  if (!isChunk) return yield* callBody(call(...args));
  const results: unknown[] = [];
  for (const arg of args) results.push(yield* callBody(call(arg)));
  return results;
}

function awaitable(result: unknown): ReturnType<Body<unknown>> {
  return isCoroutine(result) ? result : Promise.resolve(result);
}
