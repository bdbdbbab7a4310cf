/**
 * WaitQueue: tasks in line, first come, first served. It is under every lock and queue.
 *
 * CPython writes the same deque of futures again in each of them. What they share: a waiter is a future in the line; it
 * is woken by a result; cancelled, it leaves at once, in O(1). What they do not share stays with them: what to do when a
 * waiter that has been woken is cancelled before it goes on, so that the wakeup is not lost.
 *
 * @module
 */

import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { getRunningLoop } from "../kernel/events.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { Future } from "../kernel/futures.ts";
import type { Linked } from "../base/linked-list.ts";
import { LinkedList } from "../base/linked-list.ts";

/** One in the line. */
export class Waiter extends Future<void> implements Linked<Waiter> {
  _previous: Waiter | null = null;
  _next: Waiter | null = null;
  /** Woken, and not gone on yet. Never of one that was cancelled before. */
  isWoken: boolean = false;

  override get _typeName(): string {
    return "Future";
  }
}

/** Ties an object to the loop in which somebody first waited for it: shared by two loops, it could wake nobody. */
export class LoopBinding {
  readonly #owner: object;
  #loop: AbstractEventLoop | null = null;

  /** @param owner what is waited for, for the error. */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** The running loop. @throws {RuntimeError} if the owner belongs to another. */
  get(): AbstractEventLoop {
    const loop = getRunningLoop();
    this.#loop ??= loop;
    if (this.#loop !== loop) throw new RuntimeError(`${String(this.#owner)} is bound to a different event loop`);
    return loop;
  }
}

/**
 * A line of waiters. The woken stand before the others, as they were woken, until they go on:
 *
 * ```text
 *   #woken   a ◄─► b            #asleep   c ◄─► d ◄─► e       the line is a b c d e
 * ```
 */
export class WaitQueue {
  readonly #woken: LinkedList<Waiter> = new LinkedList();
  /** Not woken. One that was cancelled stays until its task goes on. */
  readonly #asleep: LinkedList<Waiter> = new LinkedList();
  readonly #binding: LoopBinding;

  /** @param owner what is waited for, or its binding if it has several lines. */
  constructor(owner: object) {
    this.#binding = owner instanceof LoopBinding ? owner : new LoopBinding(owner);
  }

  /** How many are in line, the woken that have not gone on included. */
  get size(): number {
    return this.#woken.size + this.#asleep.size;
  }

  /** Puts a new waiter at the end of the line. */
  join(): Waiter {
    const waiter = new Waiter({ loop: this.#binding.get() });
    this.#asleep.add(waiter);
    return waiter;
  }

  /** Waits at the end of the line until woken; whatever happens, the line is left. */
  *wait(waiter: Waiter = this.join()): CoroutineGenerator<void> {
    try {
      yield* waiter;
    } finally {
      (waiter.isWoken ? this.#woken : this.#asleep).delete(waiter);
    }
  }

  /** Whether somebody in the line has not been cancelled. */
  hasLiveWaiter(): boolean {
    if (this.#woken.size > 0) return true;
    for (let waiter = this.#asleep.first; waiter !== null; waiter = waiter._next) {
      if (!waiter.cancelled()) return true;
    }
    return false;
  }

  /** Wakes the first in line, unless it has been woken or cancelled already and is on its way out. */
  wakeFirst(): void {
    if (this.#woken.size > 0) return;
    const { first } = this.#asleep;
    if (first !== null && !first.done()) this.#wake(first);
  }

  /** Wakes up to `count` of those not woken yet; how many it were. */
  wake(count: number): number {
    let woken = 0;
    let waiter = this.#asleep.first;
    while (waiter !== null && woken < count) {
      const next: Waiter | null = waiter._next;
      if (!waiter.done()) {
        this.#wake(waiter);
        woken++;
      }
      waiter = next;
    }
    return woken;
  }

  #wake(waiter: Waiter): void {
    this.#asleep.delete(waiter);
    this.#woken.add(waiter);
    waiter.isWoken = true;
    waiter.setResult();
  }
}
