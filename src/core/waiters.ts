/**
 * WaitQueue: tasks in line, first come, first served. It is under every lock and queue.
 *
 * CPython writes the same deque of futures again in each of them. What they share: a waiter is a future in the line; it
 * is woken by a result; cancelled, it leaves at once, in O(1). What they do not share stays with them: what to do when a
 * waiter that has been woken is cancelled before it goes on, so that the wakeup is not lost.
 *
 * @module
 */

import type { CoroutineGenerator } from "./coroutines.ts";
import type { AbstractEventLoop } from "./events.ts";
import { getRunningLoop } from "./events.ts";
import { RuntimeError } from "./exceptions.ts";
import { Future } from "./futures.ts";
import type { Linked } from "./linked-list.ts";
import { LinkedList } from "./linked-list.ts";

/** One in the line. */
export class Waiter extends Future<void> implements Linked<Waiter> {
  _previous: Waiter | null = null;
  _next: Waiter | null = null;

  /** Woken, and neither cancelled since nor gone on. */
  get isWoken(): boolean {
    return this.done() && !this.cancelled();
  }

  override get _typeName(): string {
    return "Future";
  }
}

/** A line of waiters that belongs to the loop in which somebody first waited. */
export class WaitQueue {
  readonly #waiters: LinkedList<Waiter> = new LinkedList();
  readonly #owner: object;
  #loop: AbstractEventLoop | null = null;

  /** @param owner what is waited for, for the error when two loops share it. */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** How many are in line, the woken that have not gone on included. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Puts a new waiter at the end of the line. */
  join(): Waiter {
    const waiter = new Waiter({ loop: this.#boundLoop() });
    this.#waiters.add(waiter);
    return waiter;
  }

  /** Waits at the end of the line until woken; whatever happens, the line is left. */
  *wait(waiter: Waiter = this.join()): CoroutineGenerator<void> {
    try {
      yield* waiter;
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Whether somebody in the line has not been cancelled. */
  hasLiveWaiter(): boolean {
    for (const waiter of this.#waiters) if (!waiter.cancelled()) return true;
    return false;
  }

  /** Wakes the first in line, unless it has been woken or cancelled already and is on its way out. */
  wakeFirst(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.done()) waiter.setResult();
      return;
    }
  }

  /** Wakes up to `count` of those not woken yet; how many it were. */
  wake(count: number): number {
    let woken = 0;
    for (const waiter of this.#waiters) {
      if (woken >= count) break;
      if (waiter.done()) continue;
      waiter.setResult();
      woken++;
    }
    return woken;
  }

  #boundLoop(): AbstractEventLoop {
    const loop = getRunningLoop();
    this.#loop ??= loop;
    if (this.#loop !== loop) throw new RuntimeError(`${String(this.#owner)} is bound to a different event loop`);
    return loop;
  }
}
