/** Semaphore: at most so many at a time. @module */

import type { Body, Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import { CancelledError } from "../../base/exceptions.ts";
import { inspectAsString, repr } from "../../base/format.ts";
import { WaitQueue } from "../wait-queue.ts";
import type { Hold } from "./hold.ts";
import { hold } from "./hold.ts";

/** What a {@link Semaphore} has to say of itself. */
export interface SemaphoreStatistics {
  /** How many more can acquire it at once. */
  readonly value: number;
  /** Tasks in line. */
  readonly waiting: number;
}

/**
 * At most `value` tasks at a time hold it; others wait in line, first come, first served.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const semaphore = new asyncio.Semaphore(2);
 *   let [running, most] = [0, 0];
 *   const worker = asyncio.coroutine(async () => {
 *     await semaphore.hold(async () => {
 *       most = Math.max(most, ++running);
 *       await asyncio.sleep(0.001);
 *       running--;
 *     });
 *   });
 *   await asyncio.gather([1, 2, 3, 4, 5].map(() => worker()));
 *   assert.equal(most, 2);
 * });
 * ```
 *
 * CPython: `asyncio.Semaphore`.
 */
export class Semaphore {
  #value: number;
  readonly #queue: WaitQueue = new WaitQueue(this);

  /** @throws {RangeError} if `value` is no whole number of zero or more. */
  constructor(value: number = 1) {
    if (!Number.isInteger(value) || value < 0) {
      throw new RangeError(`Semaphore initial value must be a whole number >= 0: received ${repr(value)}`);
    }
    this.#value = value;
  }

  /** Whether `acquire` would wait. */
  locked(): boolean {
    return this.#value === 0 || this.#queue.hasLiveWaiter();
  }

  /** Waits in line for a slot and takes it. Cancelled, it gives back a slot that was already meant for it. */
  acquire(): Coroutine<true> {
    return new GeneratorCoroutine(this.#acquiring(), "Semaphore.acquire");
  }

  /**
   * Holds a slot while `body` runs; or, without one, until the hold is disposed of: `using held = await semaphore.hold()`.
   */
  hold(): Coroutine<Hold>;
  hold<T>(body: Body<T>): Coroutine<T>;
  hold<T>(body?: Body<T>): Coroutine<T | Hold> {
    return hold(this, body);
  }

  /** Gives a slot back, to the first in line if there is one. */
  release(): void {
    this.#value++;
    this.#grantNext();
  }

  statistics(): SemaphoreStatistics {
    return { value: this.#value, waiting: this.#queue.size };
  }

  *#acquiring(): CoroutineGenerator<true> {
    if (!this.locked()) {
      this.#value--;
      return true;
    }
    const waiter = this.#queue.join();
    try {
      yield* this.#queue.wait(waiter);
    } catch (error) {
      if (error instanceof CancelledError && waiter.isWoken) this.#value++;
      throw error;
    } finally {
      // Slots may have come back for those behind, while this one stood before them.
      while (this.#value > 0 && this.#grantNext()) continue;
    }
    return true;
  }

  /** Hands a slot to the first in line who has none; whether there was one. */
  #grantNext(): boolean {
    if (this.#queue.wake(1) === 0) return false;
    this.#value--;
    return true;
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    const state = this.locked() ? "locked" : `unlocked, value:${this.#value}`;
    return `<${this.constructor.name} [${state}${waiting}]>`;
  }
}
inspectAsString(Semaphore);

/**
 * A {@link Semaphore} that refuses to be released more often than it was acquired: a mistake that a plain one hides.
 *
 * CPython: `asyncio.BoundedSemaphore`.
 */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  constructor(value: number = 1) {
    super(value);
    this.#bound = value;
  }

  /** @throws {RangeError} if it was released more often than acquired. */
  override release(): void {
    if (this.statistics().value >= this.#bound) throw new RangeError("BoundedSemaphore released too many times");
    super.release();
  }
}
