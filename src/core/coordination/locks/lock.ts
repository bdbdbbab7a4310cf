/** Lock: one at a time. @module */

import { RuntimeError } from "../../base/exceptions.ts";
import { inspectAsString } from "../../base/format.ts";
import { Attempt } from "../../kernel/attempts.ts";
import type { KernelLoop } from "../../kernel/contract.ts";
import type { Body, Coroutine } from "../../kernel/coroutines.ts";
import { currentExecution } from "../../kernel/running.ts";
import type { Task } from "../../kernel/tasks.ts";
import type { Standing, Waiter } from "../wait-queue.ts";
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
 * Only one task at a time holds it. Others wait in line, first come, first served.
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
  #holder: Task<unknown> | null = null;
  readonly #queue: WaitQueue = new WaitQueue(this);

  /** Whether a task holds it. Between a release and the next holder's turn none does. */
  locked(): boolean {
    return this.#locked;
  }

  /** Waits in line until the lock is free, and takes it. Cancelled, it leaves the line and wakes the next if need be. */
  acquire(): Coroutine<true> {
    return new Acquire(this);
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
   * @throws {RuntimeError} if it is not held.
   */
  release(): void {
    if (!this.#locked) throw new RuntimeError("Lock is not acquired");
    this.#locked = false;
    this.#holder = null;
    this.#queue.wakeFirst();
  }

  statistics(): LockStatistics {
    return { locked: this.#locked, waiting: this.#queue.size };
  }

  /** @internal Whether one that comes now waits in line. */
  get _mustWait(): boolean {
    return this.#locked || this.#queue.hasLiveWaiter();
  }

  /** @internal */
  _join(standing: Standing, loop: KernelLoop): Waiter {
    return this.#queue.join(standing, loop);
  }

  /** @internal */
  _take(): void {
    this.#locked = true;
    this.#holder = (currentExecution()?.task ?? null) as Task<unknown> | null;
  }

  /** @internal The task that has acquired it, for who asks what everybody waits for. */
  get _holder(): Task<unknown> | null {
    return this.#holder;
  }

  /** @internal One that was to have it was cancelled: the next may. */
  _passOver(): void {
    if (!this.#locked) this.#queue.wakeFirst();
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    return `<Lock [${this.#locked ? "locked" : "unlocked"}${waiting}]>`;
  }
}
inspectAsString("Lock", Lock);

class Acquire extends Attempt<true> implements Standing {
  readonly #lock: Lock;

  constructor(lock: Lock) {
    super();
    this.#lock = lock;
  }

  get name(): string {
    return "Lock.acquire";
  }

  get subject(): object {
    return this.#lock;
  }

  /** A task that was woken has its turn: none overtakes it. */
  protected override mustWait(hasWaited: boolean): boolean {
    return !hasWaited && this.#lock._mustWait;
  }

  protected override makeWait(loop: KernelLoop): Waiter {
    return this.#lock._join(this, loop);
  }

  protected override goOn(): true {
    this.#lock._take();
    return true;
  }

  get holder(): Task<unknown> | null {
    return this.#lock._holder;
  }

  interrupted(): void {
    this.#lock._passOver();
  }
}
