/** The executor that a loop has for itself: threads, made when they are first asked for, or what it was given. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError, TimeoutError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import { getLogger } from "../../core/base/log.ts";
import { timeout } from "../../core/coordination/timeouts.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { Executor } from "../../core/loop/executors.ts";
import { ThreadPoolExecutor } from "./thread-pool.ts";

/** How long `run` waits for the jobs of the loop's own executor. CPython: `THREAD_JOIN_TIMEOUT`. */
export const EXECUTOR_END_SECONDS = 300;

export class DefaultExecutor {
  #executor: Executor | null = null;
  #hasEnded: boolean = false;

  /** Whether there is one to shut down. */
  get isThere(): boolean {
    return this.#executor !== null;
  }

  /** @throws {RuntimeError} after {@link shutdown}. */
  get(): Executor {
    if (this.#hasEnded) throw new RuntimeError("Executor shutdown has been called");
    this.#executor ??= new ThreadPoolExecutor();
    return this.#executor;
  }

  /** @throws {TypeError} for what is no executor. */
  set(executor: Executor): void {
    if (typeof (executor as Partial<Executor> | null)?.submit !== "function") {
      throw new TypeError(`executor must have submit(): received ${repr(executor)}`);
    }
    this.#executor = executor;
  }

  /** Waits for its jobs, `duration` at most; then those that have not begun are cancelled, and the log says so. */
  *shutdown(duration: Duration | null): CoroutineGenerator<void> {
    const seconds = duration === null ? null : toSeconds(duration, "timeout");
    this.#hasEnded = true;
    const executor = this.#executor;
    if (executor === null) return;
    try {
      yield* timeout(seconds, () => executor.shutdown());
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      getLogger().warning(
        `The executor did not finish its jobs within ${String(seconds)} seconds: ${String(executor)}`,
      );
      yield* executor.shutdown({ wait: false, cancelFutures: true });
    }
  }
}
