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
  #byCallback: Index | null = null;

  get size(): number {
    return this.#all.size;
  }

  add(waiter: Runnable): void {
    this.#all.add(waiter);
    if (this.#byCallback !== null) index(this.#byCallback, waiter);
  }

  delete(waiter: Runnable): void {
    if (!this.#all.delete(waiter) || this.#byCallback === null) return;
    const known = this.#byCallback.get(waiter._callback);
    if (known === waiter) this.#byCallback.delete(waiter._callback);
    else if (known instanceof Set) known.delete(waiter);
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
    if (this.#byCallback !== null) {
      const known = this.#byCallback.get(callback);
      if (known === undefined) return [];
      return known instanceof Set ? [...known] : [known];
    }
    return [...this.#all].filter((waiter) => waiter._callback === callback);
  }
}

/** The handles of each callback; nearly always one, which then stands for itself. */
type Index = Map<unknown, Runnable | Set<Runnable>>;

function index(byCallback: Index, waiter: Runnable): void {
  if (waiter._callback === undefined) return;
  const known = byCallback.get(waiter._callback);
  if (known === undefined) byCallback.set(waiter._callback, waiter);
  else if (known instanceof Set) known.add(waiter);
  else byCallback.set(waiter._callback, new Set([known, waiter]));
}
