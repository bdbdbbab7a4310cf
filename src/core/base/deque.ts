/** A queue in a ring buffer: O(1) at both ends, nothing moved, nothing kept alive that was taken out. @module */

const INITIAL_CAPACITY = 16;

/**
 * A first-in, first-out queue.
 *
 * ```text
 *  capacity 8 (always a power of two, so that "& mask" wraps an index)
 *  ┌───┬───┬───┬───┬───┬───┬───┬───┐
 *  │ f │   │   │   │ b │ c │ d │ e │      head = 4, size = 5
 *  └───┴───┴───┴───┴───┴───┴───┴───┘      first item at head, the next slot at (head + size) & mask
 *        ▲           ▲
 *        next push   shift
 * ```
 */
export class Deque<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(INITIAL_CAPACITY).fill(undefined);
  #mask: number = INITIAL_CAPACITY - 1;
  #head: number = 0;
  #size: number = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds at the end. */
  push(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#size) & this.#mask] = item;
    this.#size++;
  }

  /** Takes from the front; `undefined` when empty. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size--;
    return item;
  }

  clear(): void {
    this.#slots = new Array<T | undefined>(INITIAL_CAPACITY).fill(undefined);
    this.#mask = INITIAL_CAPACITY - 1;
    this.#head = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let i = 0; i < this.#size; i++) {
      yield this.#slots[(this.#head + i) & this.#mask] as T;
    }
  }

  #grow(): void {
    const size = this.#size;
    const slots = new Array<T | undefined>(size * 2).fill(undefined);
    for (let i = 0; i < size; i++) slots[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = size * 2 - 1;
    this.#head = 0;
  }
}
