/** Event: something that happens, and the tasks that wait for it. @module */

import { inspectAsString } from "../../base/format.ts";
import { Attempt } from "../../kernel/attempts.ts";
import type { KernelLoop } from "../../kernel/contract.ts";
import type { Coroutine } from "../../kernel/coroutines.ts";
import type { Standing, Waiter } from "../wait-queue.ts";
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

  /** Sets it and wakes all that wait. */
  set(): void {
    if (this.#set) return;
    this.#set = true;
    this.#queue.wake(Infinity);
  }

  /** Resets it. What was woken goes on all the same. */
  clear(): void {
    this.#set = false;
  }

  /** Waits until it is set. */
  wait(): Coroutine<true> {
    return new Wait(this);
  }

  statistics(): EventStatistics {
    return { set: this.#set, waiting: this.#queue.size };
  }

  /** @internal */
  _join(standing: Standing, loop: KernelLoop): Waiter {
    return this.#queue.join(standing, loop);
  }

  toString(): string {
    const waiting = this.#queue.size === 0 ? "" : `, waiters:${this.#queue.size}`;
    return `<Event [${this.#set ? "set" : "unset"}${waiting}]>`;
  }
}
inspectAsString("Event", Event);

class Wait extends Attempt<true> implements Standing {
  readonly #event: Event;

  constructor(event: Event) {
    super();
    this.#event = event;
  }

  get name(): string {
    return "Event.wait";
  }

  get subject(): object {
    return this.#event;
  }

  protected override mustWait(hasWaited: boolean): boolean {
    return !hasWaited && !this.#event.isSet();
  }

  protected override makeWait(loop: KernelLoop): Waiter {
    return this.#event._join(this, loop);
  }

  protected override goOn(): true {
    return true;
  }

  interrupted(): void {}
}
