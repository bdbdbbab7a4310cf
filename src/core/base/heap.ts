/** A binary heap: the smallest item first. @module */

import { KEPT_CAPACITY, SPARSE } from "./deque.ts";

/**
 * A priority queue over a strict order: `push` and `pop` in O(log n), the smallest item in O(1). Items that compare
 * equal come out in no particular order; put a serial number into the comparison where that matters.
 */
export class Heap<T> {
  #items: T[] = [];
  /** How many items the array has room for, at least. */
  #room: number = 0;
  readonly #less: (a: T, b: T) => boolean;

  /** @param less whether `a` must come out before `b`. */
  constructor(less: (a: T, b: T) => boolean) {
    this.#less = less;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The smallest item, left in place; `undefined` when empty. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#items.length > this.#room) this.#room = this.#items.length;
    this.#rise(this.#items.length - 1, item);
  }

  /** Takes the smallest item out; `undefined` when empty. */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.#sink(0, last as T);
    this.#giveBack();
    return top;
  }

  /** Drops the items that do not pass, in one sweep of O(n). */
  keep(test: (item: T) => boolean): void {
    this.#items = this.#items.filter(test);
    for (let i = (this.#items.length >> 1) - 1; i >= 0; i--) this.#sink(i, this.#items[i] as T);
  }

  clear(): void {
    this.#items = [];
    this.#room = 0;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** An array keeps the room for what was once in it; a copy has the room that it needs. */
  #giveBack(): void {
    if (this.#room <= KEPT_CAPACITY || this.#items.length >= this.#room / SPARSE) return;
    this.#items = this.#items.slice();
    this.#room = this.#items.length;
  }

  /** Moves the hole at `index` up until `item` fits into it. */
  #rise(index: number, item: T): void {
    const items = this.#items;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#less(item, items[parent] as T)) break;
      items[index] = items[parent] as T;
      index = parent;
    }
    items[index] = item;
  }

  /** Moves the hole at `index` down until `item` fits into it. */
  #sink(index: number, item: T): void {
    const items = this.#items;
    const half = items.length >> 1;
    while (index < half) {
      let child = 2 * index + 1;
      if (child + 1 < items.length && this.#less(items[child + 1] as T, items[child] as T)) child++;
      if (!this.#less(items[child] as T, item)) break;
      items[index] = items[child] as T;
      index = child;
    }
    items[index] = item;
  }
}
