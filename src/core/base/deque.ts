/** A queue in a ring buffer: O(1) at both ends, nothing kept alive that was taken out, memory given back. @module */

const INITIAL_CAPACITY = 16;

/** A buffer of which less than one slot in this many is used gives half of them back … */
export const SPARSE = 8;

/** … unless it has no more than this many, which a busy queue would only ask for again. */
export const KEPT_CAPACITY = 4096;

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
    if (this.#size > this.#mask) this.#resize(this.#slots.length * 2);
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
    this.#giveBack();
    return item;
  }

  /** Takes from the end; `undefined` when empty. */
  pop(): T | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    const slot = (this.#head + this.#size) & this.#mask;
    const item = this.#slots[slot];
    this.#slots[slot] = undefined;
    this.#giveBack();
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

  #giveBack(): void {
    const capacity = this.#slots.length;
    if (capacity > KEPT_CAPACITY && this.#size < capacity / SPARSE) this.#resize(capacity / 2);
  }

  #resize(capacity: number): void {
    const slots = new Array<T | undefined>(capacity).fill(undefined);
    for (let i = 0; i < this.#size; i++) slots[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
