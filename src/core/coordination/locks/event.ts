/** Event: something that happens, and those who wait for it. @module */

import type { Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import { inspectAsString } from "../../base/format.ts";
import { WaitQueue } from "../wait-queue.ts";

/** What an {@link Event} has to say of itself. */
export interface EventStatistics {
  readonly set: boolean;
  /** Tasks that wait for it. */
  readonly waiting: number;
}

/**
 * A flag that tasks wait for: `set` wakes all of them, and `wait` passes at once until it is cleared.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const ready = new asyncio.Event();
 *   const waiter = asyncio.createTask(async () => await ready.wait());
 *   ready.set();
 *   assert.equal(await waiter, true);
 * });
 * ```
 *
 * CPython: `asyncio.Event`.
 */
export class Event {
  #set: boolean = false;
  readonly #queue: WaitQueue = new WaitQueue(this);

  isSet(): boolean {
    return this.#set;
  }

  /** Sets it and wakes everybody who waits. */
  set(): void {
    if (this.#set) return;
    this.#set = true;
    this.#queue.wake(Infinity);
  }

  /** Resets it. Those who were woken go on all the same. */
  clear(): void {
    this.#set = false;
  }

  /** Waits until it is set. */
  wait(): Coroutine<true> {
    return new GeneratorCoroutine(this.#waiting(), "Event.wait");
  }

  statistics(): EventStatistics {
    return { set: this.#set, waiting: this.#queue.size };
  }

  *#waiting(): CoroutineGenerator<true> {
    if (!this.#set) yield* this.#queue.wait();
    return true;
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    return `<Event [${this.#set ? "set" : "unset"}${waiting}]>`;
  }
}
inspectAsString(Event);
