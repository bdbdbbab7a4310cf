/** Condition: waiting for a change of what a lock protects. @module */

import type { Body, Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import { CancelledError, RuntimeError } from "../../base/exceptions.ts";
import { inspectAsString } from "../../base/format.ts";
import type { Standing } from "../wait-queue.ts";
import { WaitQueue } from "../wait-queue.ts";
import type { Hold } from "./hold.ts";
import { hold } from "./hold.ts";
import { Lock } from "./lock.ts";
import { pastLevels } from "../../kernel/levels.ts";

/** What a {@link Condition} has to say of itself. */
export interface ConditionStatistics {
  readonly locked: boolean;
  /** Tasks in line for the lock. */
  readonly acquiring: number;
  /** Tasks that wait to be notified. */
  readonly waiting: number;
}

/**
 * A lock, and a line of tasks that wait until what it protects has changed.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const condition = new asyncio.Condition();
 *   const stock: string[] = [];
 *   const customer = asyncio.createTask(() =>
 *     condition.hold(async () => {
 *       await condition.waitFor(() => stock.length > 0);
 *       return stock.pop();
 *     }),
 *   );
 *   await asyncio.sleep(0);
 *   await condition.hold(async () => {
 *     stock.push("bread");
 *     condition.notify();
 *   });
 *   assert.equal(await customer, "bread");
 * });
 * ```
 *
 * CPython: `asyncio.Condition`.
 */
export class Condition {
  readonly #lock: Lock;
  readonly #queue: WaitQueue = new WaitQueue(this);
  readonly #standing: Standing = { name: "Condition.wait", subject: this, interrupted() {} };

  /** @param lock the lock to use; a new one by default. Several conditions may share one. */
  constructor(lock: Lock = new Lock()) {
    this.#lock = lock;
  }

  locked(): boolean {
    return this.#lock.locked();
  }

  /** Acquires the lock; see {@link Lock.acquire}. */
  acquire(): Coroutine<true> {
    return this.#lock.acquire();
  }

  /** Releases the lock; see {@link Lock.release}. */
  release(): void {
    this.#lock.release();
  }

  /** Holds the lock; see {@link Lock.hold}. */
  hold(): Coroutine<Hold>;
  hold<T>(body: Body<T>): Coroutine<T>;
  hold<T>(body?: Body<T>): Coroutine<T | Hold> {
    return hold(this, body);
  }

  /**
   * Releases the lock, waits to be notified, and acquires the lock again, even if it is cancelled meanwhile.
   *
   * @throws {RuntimeError} if the lock is not held.
   */
  wait(): Coroutine<true> {
    return new GeneratorCoroutine(this.#waiting(), "Condition.wait");
  }

  /** Waits until `predicate` returns something true, which is the result. It is asked with the lock held. */
  waitFor<T>(predicate: () => T): Coroutine<T> {
    return new GeneratorCoroutine(this.#waitingFor(predicate), "Condition.waitFor");
  }

  /**
   * Wakes up to `n` of the waiting tasks; they go on when they have the lock again.
   *
   * @throws {RuntimeError} if the lock is not held.
   */
  notify(n: number = 1): void {
    if (!this.locked()) throw new RuntimeError("cannot notify on un-acquired lock");
    this.#queue.wake(n);
  }

  /** Wakes all waiting tasks. @throws {RuntimeError} if the lock is not held. */
  notifyAll(): void {
    this.notify(Infinity);
  }

  statistics(): ConditionStatistics {
    const { locked, waiting } = this.#lock.statistics();
    return { locked, acquiring: waiting, waiting: this.#queue.size };
  }

  *#waiting(): CoroutineGenerator<true> {
    if (!this.locked()) throw new RuntimeError("cannot wait on un-acquired lock");
    const waiter = this.#queue.join(this.#standing);
    this.release();
    try {
      try {
        yield* waiter;
        return true;
      } finally {
        yield* this.#reacquire();
      }
    } catch (error) {
      // A notification may have been meant for this one: another gets it.
      this.#queue.wake(1);
      throw error;
    }
  }

  /** Acquires the lock whatever happens, and raises the last cancellation that came meanwhile. */
  *#reacquire(): CoroutineGenerator<void> {
    let cancelled: CancelledError | null = null;
    for (;;) {
      try {
        yield* cancelled === null ? this.#lock.acquire() : pastLevels(this.#lock.acquire());
        break;
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        cancelled = error;
      }
    }
    if (cancelled !== null) throw cancelled;
  }

  *#waitingFor<T>(predicate: () => T): CoroutineGenerator<T> {
    let result = predicate();
    while (!result) {
      yield* this.wait();
      result = predicate();
    }
    return result;
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    return `<Condition [${this.locked() ? "locked" : "unlocked"}${waiting}]>`;
  }
}
inspectAsString("Condition", Condition);
