/** Lock: one at a time. @module */

import type { Body, CoroutineGenerator, Coroutine } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import { CancelledError, RuntimeError } from "../../base/exceptions.ts";
import { inspectAsString } from "../../base/format.ts";
import { WaitQueue } from "../wait-queue.ts";
import type { Hold } from "./hold.ts";
import { hold } from "./hold.ts";

/** What a {@link Lock} has to say of itself. */
export interface LockStatistics {
  readonly locked: boolean;
  /** Tasks in line. */
  readonly waiting: number;
}

/**
 * Only one task at a time holds it. Others wait in line, first come, first served; nobody overtakes.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const lock = new asyncio.Lock();
 *   const order: string[] = [];
 *   const worker = asyncio.coroutine(async (name: string) => {
 *     await lock.hold(async () => {
 *       order.push(`${name} in`);
 *       await asyncio.sleep(0.001);
 *       order.push(`${name} out`);
 *     });
 *   });
 *   await asyncio.gather(worker("a"), worker("b"));
 *   assert.deepEqual(order, ["a in", "a out", "b in", "b out"]);
 * });
 * ```
 *
 * It is not re-entrant: a task that acquires it twice waits for itself. CPython: `asyncio.Lock`.
 */
export class Lock {
  #locked: boolean = false;
  readonly #queue: WaitQueue = new WaitQueue(this);

  /** Whether somebody holds it. Between a release and the next holder's turn nobody does. */
  locked(): boolean {
    return this.#locked;
  }

  /** Waits in line until the lock is free, and takes it. Cancelled, it leaves the line and wakes the next if need be. */
  acquire(): Coroutine<true> {
    return new GeneratorCoroutine(this.#acquiring(), "Lock.acquire");
  }

  /**
   * Holds the lock while `body` runs; or, without one, until the hold is disposed of: `using held = await lock.hold()`.
   */
  hold(): Coroutine<Hold>;
  hold<T>(body: Body<T>): Coroutine<T>;
  hold<T>(body?: Body<T>): Coroutine<T | Hold> {
    return hold(this, body);
  }

  /**
   * Frees the lock, and wakes the first in line.
   *
   * @throws {RuntimeError} if nobody holds it.
   */
  release(): void {
    if (!this.#locked) throw new RuntimeError("Lock is not acquired");
    this.#locked = false;
    this.#queue.wakeFirst();
  }

  statistics(): LockStatistics {
    return { locked: this.#locked, waiting: this.#queue.size };
  }

  *#acquiring(): CoroutineGenerator<true> {
    if (this.#locked || this.#queue.hasLiveWaiter()) {
      try {
        yield* this.#queue.wait();
      } catch (error) {
        if (error instanceof CancelledError && !this.#locked) this.#queue.wakeFirst();
        throw error;
      }
    }
    this.#locked = true;
    return true;
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    return `<Lock [${this.#locked ? "locked" : "unlocked"}${waiting}]>`;
  }
}
inspectAsString(Lock);
