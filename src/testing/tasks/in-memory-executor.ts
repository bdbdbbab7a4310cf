/** An executor for tests: it runs on the loop, in the time of the loop. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { sleep } from "../../core/coordination/sleep.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { workHere } from "../../core/loop/current-job.ts";
import type { ExecutorOptions } from "../../core/loop/executors.ts";
import { BaseExecutor, BrokenExecutorError } from "../../core/loop/executors.ts";
import type { Job } from "../../core/loop/jobs.ts";
import { packError, unpackError } from "../../core/loop/remote-errors.ts";

/** Options of an {@link InMemoryExecutor}. */
export interface InMemoryExecutorOptions extends ExecutorOptions {
  /** How long a job is on its way before it begins; no time by default. */
  readonly latency?: Duration;
}

/**
 * An executor whose work is done here, by a task for each job: for tests on virtual time of code that uses executors. What
 * is sent is copied, as between threads, and errors come back as from there.
 *
 * ```ts
 * const tasks = asyncio.defineTasks("here", {
 *   double: async (n: number) => {
 *     await asyncio.sleep(60);
 *     return 2 * n;
 *   },
 * });
 * await asyncTest(async () => {
 *   await using executor = new InMemoryExecutor({ maxWorkers: 2 });
 *   assert.equal(await executor.submit(tasks.double, 21), 42);
 *   assert.equal(asyncio.getRunningLoop().time(), 60);
 * })();
 * ```
 */
export class InMemoryExecutor extends BaseExecutor {
  readonly #latency: number;
  readonly #works: Map<Job<unknown>, Task<void>> = new Map();

  constructor(options: InMemoryExecutorOptions = {}) {
    super(options.maxWorkers ?? 4, options);
    this.#latency = toSeconds(options.latency ?? 0, "latency");
  }

  protected override begin(job: Job<unknown>): void {
    const task = job.getLoop().createTask(() => this.#work(job), { name: job.task.name });
    this.#works.set(job, task);
    task.addDoneCallback(() => {
      this.#works.delete(job);
      this.ended(job);
    });
  }

  protected override stop(job: Job<unknown>): void {
    this.#works.get(job)?.cancel("the job was cancelled");
  }

  // oxlint-disable-next-line require-yield -- there is nothing to end
  protected override *release(): CoroutineGenerator<void> {}

  /** The worker of `job` ends in the middle of it, as a process that is killed. */
  crash(job: Job<unknown>): void {
    job._threw(new BrokenExecutorError(`the worker of ${job.task.name} ended before it answered: it was crashed`));
    this.#works.get(job)?.cancel();
  }

  *#work(job: Job<unknown>): CoroutineGenerator<void> {
    const { key, args, _isChunk: isChunk, _context: context } = job;
    const fn = job.task._function as (...args: readonly unknown[]) => unknown;
    const progress = (step: unknown): void => job._progressed(structuredClone(step));
    try {
      if (this.#latency > 0) yield* sleep(this.#latency);
      const given = structuredClone(args) as unknown[];
      const result = yield* workHere({ key, context: new Map(context), progress }, fn, given, isChunk);
      job._returned(structuredClone(result));
    } catch (error) {
      // Nobody waits for the job any more: it was cancelled, or this is its cleanup that failed.
      if (job.done()) throw error;
      job._threw(unpackError(packError(error), `${job.task.name} in memory`, job._origin));
    }
  }
}

declare const structuredClone: (value: unknown) => unknown;
