/**
 * What waits for one future, in the order it came. Removing one costs the same however many there are: a thousand
 * tasks may wait for one shared thing and be cancelled in any order.
 *
 * A future with a single waiter, which is nearly every one, keeps it in a field and makes none of these.
 *
 * @module
 */

import type { Runnable } from "./contract.ts";

/** From this many on, callbacks are found by an index. */
const INDEXED = 16;

export class Waiters {
  readonly #all: Set<Runnable> = new Set();
  /** The handles of each callback; made when a callback is first removed from among many. */
  #byCallback: Map<unknown, Set<Runnable>> | null = null;

  get size(): number {
    return this.#all.size;
  }

  add(waiter: Runnable): void {
    this.#all.add(waiter);
    if (this.#byCallback !== null) index(this.#byCallback, waiter);
  }

  delete(waiter: Runnable): void {
    if (this.#all.delete(waiter)) this.#byCallback?.get(waiter._callback)?.delete(waiter);
  }

  /** Takes out all that stand for `callback`; how many there were. */
  deleteCallback(callback: unknown): number {
    const found = this.#find(callback);
    for (const waiter of found) this.#all.delete(waiter);
    this.#byCallback?.delete(callback);
    return found.length;
  }

  [Symbol.iterator](): Iterator<Runnable> {
    return this.#all[Symbol.iterator]();
  }

  #find(callback: unknown): readonly Runnable[] {
    if (this.#byCallback === null && this.#all.size >= INDEXED) {
      this.#byCallback = new Map();
      for (const waiter of this.#all) index(this.#byCallback, waiter);
    }
    if (this.#byCallback !== null) return [...(this.#byCallback.get(callback) ?? [])];
    return [...this.#all].filter((waiter) => waiter._callback === callback);
  }
}

function index(byCallback: Map<unknown, Set<Runnable>>, waiter: Runnable): void {
  if (waiter._callback === undefined) return;
  const known = byCallback.get(waiter._callback);
  if (known === undefined) byCallback.set(waiter._callback, new Set([waiter]));
  else known.add(waiter);
}
