/** Semaphore: at most a number of tasks at a time. @module */

import { inspectAsString, keepName, repr } from "../../base/format.ts";
import { Attempt } from "../../kernel/attempts.ts";
import type { KernelLoop } from "../../kernel/contract.ts";
import type { Body, Coroutine } from "../../kernel/coroutines.ts";
import type { Standing, Waiter } from "../wait-queue.ts";
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
    return new Acquire(this);
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

  /** @internal */
  _join(standing: Standing, loop: KernelLoop): Waiter {
    return this.#queue.join(standing, loop);
  }

  /** @internal One that came takes a slot; one that was woken has it already. */
  _take(wasWoken: boolean): void {
    if (!wasWoken) this.#value--;
    else this.#grantAll();
  }

  /** @internal One in line was cancelled, and gives back the slot that was meant for it. */
  _passOver(wasWoken: boolean): void {
    if (wasWoken) this.#value++;
    this.#grantAll();
  }

  /** Slots may have come back for those behind while one stood before them. */
  #grantAll(): void {
    while (this.#value > 0 && this.#grantNext()) continue;
  }

  /** Hands a slot to the first in line that has none; whether there was one. */
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
inspectAsString("Semaphore", Semaphore);

class Acquire extends Attempt<true> implements Standing {
  readonly #semaphore: Semaphore;

  constructor(semaphore: Semaphore) {
    super();
    this.#semaphore = semaphore;
  }

  get name(): string {
    return "Semaphore.acquire";
  }

  get subject(): object {
    return this.#semaphore;
  }

  protected override mustWait(hasWaited: boolean): boolean {
    return !hasWaited && this.#semaphore.locked();
  }

  protected override makeWait(loop: KernelLoop): Waiter {
    return this.#semaphore._join(this, loop);
  }

  protected override goOn(hasWaited: boolean): true {
    this.#semaphore._take(hasWaited);
    return true;
  }

  interrupted(wasWoken: boolean): void {
    this.#semaphore._passOver(wasWoken);
  }
}

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
keepName("BoundedSemaphore", BoundedSemaphore);
