/** RateLimiter: so many in a length of time. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import { Lock } from "../../core/coordination/locks/lock.ts";
import { sleep } from "../../core/coordination/sleep.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";

/** Options of a {@link RateLimiter}. */
export interface RateOptions {
  /** How many there may be in the length of time. */
  readonly limit: number;
  readonly per: Duration;
  /** How many may come at once after a silence; as many as `limit` by default. With 1 they are evenly spaced. */
  readonly burst?: number;
}

/**
 * Lets so many through in a length of time, first come, first served, on the loop's clock.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const limiter = new RateLimiter({ limit: 100, per: { seconds: 1 } });
 *   await limiter.acquire(); // before each request
 * });
 * ```
 *
 * It is the generic cell rate algorithm: one number says when the next may come, and a burst how far ahead of that it may be.
 */
export class RateLimiter {
  readonly #limit: number;
  readonly #per: number;
  /** Seconds from one to the next, when they are evenly spaced. */
  readonly #interval: number;
  readonly #burst: number;
  /** When the next one is due, if all before were evenly spaced. */
  #due: number = -Infinity;
  /** Whoever is first in line waits for the time; the rest wait for the first. */
  readonly #line: Lock = new Lock();

  /** @throws {RangeError} unless the limit and the burst are at least one, and the time is positive. */
  constructor({ limit, per, burst = limit }: RateOptions) {
    if (!(limit > 0)) throw new RangeError(`limit must be positive: received ${repr(limit)}`);
    if (!(burst >= 1)) throw new RangeError(`burst must be at least 1: received ${repr(burst)}`);
    const seconds = toSeconds(per, "per");
    if (!(seconds > 0)) throw new RangeError(`per must be positive: received ${repr(per)}`);
    this.#limit = limit;
    this.#per = seconds;
    this.#burst = burst;
    this.#interval = seconds / limit;
  }

  /** Waits in line until one more may come. Cancelled, it has not come, and the next may. */
  acquire(): Coroutine<void> {
    return new GeneratorCoroutine(this.#acquiring(), "RateLimiter.acquire");
  }

  /** Whether one may come now; if so, it has. */
  tryAcquire(): boolean {
    if (this.#line.locked() || this.#delay > 0) return false;
    this.#count();
    return true;
  }

  *#acquiring(): CoroutineGenerator<void> {
    yield* this.#line.acquire();
    try {
      const delay = this.#delay;
      if (delay > 0) yield* sleep(delay);
      this.#count();
    } finally {
      this.#line.release();
    }
  }

  /** How long the next has to wait, in seconds. */
  get #delay(): number {
    return this.#due - (this.#burst - 1) * this.#interval - getRunningLoop().time();
  }

  #count(): void {
    this.#due = Math.max(this.#due, getRunningLoop().time()) + this.#interval;
  }

  toString(): string {
    return `<RateLimiter ${this.#limit} in ${this.#per} s>`;
  }
}
inspectAsString("RateLimiter", RateLimiter);
