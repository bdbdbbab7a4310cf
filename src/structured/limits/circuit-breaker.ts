/**
 * CircuitBreaker: no more calls to what fails anyway.
 *
 * | state       | it holds                                      | next                                                   |
 * | ----------- | --------------------------------------------- | ------------------------------------------------------ |
 * | `closed`    | while calls succeed, or fail now and then     | `open`, after so many failures in a row                |
 * | `open`      | for a while: calls fail at once               | `half-open`                                            |
 * | `half-open` | until one call, which is let through to try   | `closed` if it succeeds, `open` if it fails            |
 *
 * @module
 */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { leavesTheLoop } from "../../core/base/exceptions.ts";
import { isCancelled } from "../../core/base/foreign-aborts.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { CircuitOpenError } from "../base/errors.ts";

/** Options of a {@link CircuitBreaker}. */
export interface CircuitOptions {
  /** After how many failures in a row it opens. */
  readonly failures: number;
  /** How long it stays open before a call is let through to try. */
  readonly resetAfter: Duration;
  /** Whether an error says that the other side is down; every error by default. A cancellation never does. */
  readonly isFailure?: (error: unknown) => boolean;
}

/**
 * Calls something that may be down, and when it has failed several times in a row, fails at once for a while instead: it is
 * spared, and so are those who would wait for it.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const breaker = new CircuitBreaker({ failures: 2, resetAfter: 30 });
 *   const call = () => breaker.run(async () => await Promise.reject(new Error("503")));
 *   await assert.rejects(call(), /503/);
 *   await assert.rejects(call(), /503/);
 *   await assert.rejects(call(), CircuitOpenError);
 * });
 * ```
 */
export class CircuitBreaker {
  readonly #most: number;
  readonly #resetAfter: number;
  readonly #isFailure: (error: unknown) => boolean;
  #failures: number = 0;
  /** Until when it is open, on the loop's clock; `null` while it is closed. */
  #openUntil: number | null = null;
  #isTrying: boolean = false;
  /** Counts the changes of state: a call that began before one has nothing to say of the state after it. */
  #epoch: number = 0;

  /** @throws {RangeError} unless `failures` is at least one, and the time is positive. */
  constructor({ failures, resetAfter, isFailure = () => true }: CircuitOptions) {
    if (!(failures >= 1)) throw new RangeError(`failures must be at least 1: received ${repr(failures)}`);
    const seconds = toSeconds(resetAfter, "resetAfter");
    if (!(seconds > 0)) throw new RangeError(`resetAfter must be positive: received ${repr(resetAfter)}`);
    this.#most = failures;
    this.#resetAfter = seconds;
    this.#isFailure = isFailure;
  }

  get state(): "closed" | "open" | "half-open" {
    if (this.#openUntil === null) return "closed";
    return getRunningLoop().time() < this.#openUntil ? "open" : "half-open";
  }

  /**
   * Runs `body`, unless the circuit is open.
   *
   * @throws {CircuitOpenError} at once if it is, or if another call tries already; else what the body throws.
   */
  run<T>(body: Body<T>): Coroutine<T> {
    return new GeneratorCoroutine(this.#running(body), "CircuitBreaker.run");
  }

  *#running<T>(body: Body<T>): CoroutineGenerator<T> {
    const isTrial = this.#admit();
    const epoch = this.#epoch;
    try {
      const result = yield* callBody(body);
      if (epoch === this.#epoch) this.#succeeded();
      return result;
    } catch (error) {
      const counts = !isCancelled(error) && !leavesTheLoop(error) && this.#isFailure(error);
      if (counts && epoch === this.#epoch) this.#failed(isTrial);
      throw error;
    } finally {
      if (isTrial) this.#isTrying = false;
    }
  }

  /** Whether the call that begins is one to try. */
  #admit(): boolean {
    if (this.#openUntil === null) return false;
    const seconds = Math.max(this.#openUntil - getRunningLoop().time(), 0);
    if (seconds > 0 || this.#isTrying) {
      const until =
        seconds > 0 ? `for ${Number(seconds.toFixed(3))} seconds more` : "until a call that tries has ended";
      throw new CircuitOpenError(`the circuit is open ${until}, after ${this.#failures} failures in a row`);
    }
    this.#isTrying = true;
    return true;
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#openUntil !== null) this.#epoch++;
    this.#openUntil = null;
  }

  #failed(isTrial: boolean): void {
    this.#failures++;
    if (!isTrial && this.#failures < this.#most) return;
    this.#openUntil = getRunningLoop().time() + this.#resetAfter;
    this.#epoch++;
  }

  toString(): string {
    return `<CircuitBreaker ${this.#openUntil === null ? "closed" : "open"} failures=${this.#failures}>`;
  }
}
inspectAsString("CircuitBreaker", CircuitBreaker);
