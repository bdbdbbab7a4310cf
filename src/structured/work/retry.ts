/** Trying again what failed. @module */

import { leavesTheLoop, TimeoutError } from "../../core/base/exceptions.ts";
import { isCancelled } from "../../core/base/foreign-aborts.ts";
import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { repr } from "../../core/base/format.ts";
import { sleep } from "../../core/coordination/sleep.ts";
import type { Timeout } from "../../core/coordination/timeouts.ts";
import { timeout } from "../../core/coordination/timeouts.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";

/** Options of {@link retry}. */
export interface RetryOptions {
  /** How often it is tried, the first time included; 3 by default. */
  readonly times?: number;
  /**
   * How long to wait before the next attempt: always as long, or a function of the number of attempts that failed. By default
   * 0.1 seconds, then twice as long each time, at most 30.
   */
  readonly backoff?: Duration | ((failed: number) => Duration);
  /** Which part of each wait is left to chance, from 0 to 1; all of it by default, so that many who failed together spread out. */
  readonly jitter?: number;
  /** Whether an error is worth another attempt; every error by default. A cancellation never is. */
  readonly retryIf?: (error: unknown, failed: number) => boolean;
  /** How long all of it may take: the attempt under way is cancelled then, and a `TimeoutError` raised. */
  readonly deadline?: Duration;
  /** From 0 up to 1; `Math.random` by default. */
  readonly random?: () => number;
}

const FIRST_WAIT = 0.1;
const LONGEST_WAIT = 30;

/**
 * Calls `fn` until it succeeds, and gives its result; waits longer and longer between the attempts. What the last attempt
 * raised is raised, as it is.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   let calls = 0;
 *   const fetchIt = async () => {
 *     if (++calls < 3) throw new Error("try again");
 *     return "it";
 *   };
 *   assert.equal(await retry(fetchIt, { times: 5, backoff: 0.001 }), "it");
 * });
 * ```
 *
 * Cancelled, in an attempt or between two, it is not tried again.
 *
 * @param fn receives the number of the attempt, from 1 on.
 * @throws {TimeoutError} at the deadline, with the error of the last attempt as its cause.
 */
export function retry<T>(fn: (attempt: number) => ReturnType<Body<T>>, options: RetryOptions = {}): Coroutine<T> {
  const settings = { times: 3, backoff: exponential, jitter: 1, retryIf: () => true, random: Math.random, ...options };
  const { times, jitter, deadline } = settings;
  if (!(times >= 1)) throw new RangeError(`times must be at least 1: received ${repr(times)}`);
  if (!(jitter >= 0 && jitter <= 1)) throw new RangeError(`jitter: expected 0 to 1, received ${repr(jitter)}`);
  if (typeof settings.backoff !== "function") toSeconds(settings.backoff, "backoff");
  const attempts = new Attempts(fn, settings);
  const generator = deadline === undefined ? attempts.run() : attempts.runWithin(toSeconds(deadline, "deadline"));
  return new GeneratorCoroutine(generator, "retry");
}

function exponential(failed: number): number {
  return Math.min(FIRST_WAIT * 2 ** (failed - 1), LONGEST_WAIT);
}

class Attempts<T> {
  readonly #fn: (attempt: number) => ReturnType<Body<T>>;
  readonly #settings: Required<Omit<RetryOptions, "deadline">>;
  #lastError: unknown;

  constructor(fn: (attempt: number) => ReturnType<Body<T>>, settings: Required<Omit<RetryOptions, "deadline">>) {
    this.#fn = fn;
    this.#settings = settings;
  }

  *run(): CoroutineGenerator<T> {
    const { times, retryIf } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      try {
        return yield* callBody(() => this.#fn(attempt));
      } catch (error) {
        if (isCancelled(error) || leavesTheLoop(error) || attempt >= times || !retryIf(error, attempt)) throw error;
        this.#lastError = error;
      }
      yield* sleep(this.#waitAfter(attempt));
    }
  }

  *runWithin(seconds: number): CoroutineGenerator<T> {
    let scope: Timeout | null = null;
    try {
      return yield* timeout(seconds, (deadline) => {
        scope = deadline;
        return this.run();
      });
    } catch (error) {
      const isOurs = error instanceof TimeoutError && (scope as Timeout | null)?.expired() === true;
      if (!isOurs || this.#lastError === undefined) throw error;
      throw new TimeoutError(`retry: ${error.message}, and the last attempt failed`, { cause: this.#lastError });
    }
  }

  #waitAfter(failed: number): number {
    const { backoff, jitter, random } = this.#settings;
    const seconds = toSeconds(typeof backoff === "function" ? backoff(failed) : backoff, "backoff");
    return seconds * (1 - jitter * random());
  }
}
