/** A list whose items carry its links: adding and removing costs nothing but four assignments. @module */

/** An item of a {@link LinkedList}; it can be in one list at a time. */
export interface Linked<T> {
  /** @internal */
  _previous: T | null;
  /** @internal */
  _next: T | null;
}

/**
 * Items in the order they were added.
 *
 * ```text
 *   #first ─► a ◄──► b ◄──► c ◄─ #last        delete(b):   a ◄──► c
 * ```
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size: number = 0;

  get size(): number {
    return this.#size;
  }

  /** The item added first, from which `_next` leads on; `null` when there is none. */
  get first(): T | null {
    return this.#first;
  }

  /** Adds `item`, which is in no list, at the end. */
  add(item: T): void {
    item._previous = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last._next = item;
    this.#last = item;
    this.#size++;
  }

  /** Takes `item` out; if it is in no list, nothing happens. */
  delete(item: T): void {
    const { _previous: previous, _next: next } = item;
    if (previous === null && this.#first !== item) return;
    if (previous === null) this.#first = next;
    else previous._next = next;
    if (next === null) this.#last = previous;
    else next._previous = previous;
    item._previous = null;
    item._next = null;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    let next: T | null;
    for (let item = this.#first; item !== null; item = next) {
      next = item._next;
      yield item;
    }
  }
}
