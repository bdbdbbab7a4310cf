/** PriorityQueue: the smallest item first. @module */

import { keepName, repr } from "../base/format.ts";
import { Heap } from "../base/heap.ts";
import type { QueueStore } from "./queues.ts";
import { Queue } from "./queues.ts";

/** Options of a {@link PriorityQueue}. */
export interface PriorityQueueOptions<T> {
  /** Less than zero if `a` comes out before `b`, more if after, zero if the one that came first does. */
  readonly compare?: (a: T, b: T) => number;
}

/**
 * A {@link Queue} that gives the smallest item first; of equal ones, the one that came first.
 *
 * Items are numbers, strings, dates or the like, or arrays, which are compared item by item as in Python:
 * `[priority, data]`, where the data of equal priorities need not be comparable. For anything else give `compare`.
 *
 * ```ts
 * const queue = new asyncio.PriorityQueue<[number, string]>();
 * queue.putNowait([2, "later"]);
 * queue.putNowait([1, "first"]);
 * assert.deepEqual(queue.getNowait(), [1, "first"]);
 *
 * const byAge = new asyncio.PriorityQueue<{ age: number }>(0, { compare: (a, b) => a.age - b.age });
 * byAge.putNowait({ age: 40 });
 * byAge.putNowait({ age: 30 });
 * assert.deepEqual(byAge.getNowait(), { age: 30 });
 * ```
 *
 * @throws {TypeError} when items are put that cannot be compared.
 *
 * CPython: `asyncio.PriorityQueue`.
 */
export class PriorityQueue<T> extends Queue<T> {
  readonly #compare: (a: T, b: T) => number;

  constructor(maxsize?: number, options: PriorityQueueOptions<T> = {}) {
    super(maxsize);
    this.#compare = options.compare ?? compareItems;
  }

  protected override makeStore(): QueueStore<T> {
    return new PriorityStore(this.#compare);
  }
}
keepName("PriorityQueue", PriorityQueue);

class PriorityStore<T> implements QueueStore<T> {
  readonly #items: Heap<{ readonly item: T; readonly serial: number }>;
  readonly #compare: (a: T, b: T) => number;
  #added: number = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
    this.#items = new Heap((a, b) => {
      const order = compare(a.item, b.item);
      return order < 0 || (order === 0 && a.serial < b.serial);
    });
  }

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    const top = this.#items.peek();
    // What cannot be compared is refused before it is in.
    if (top !== undefined) this.#compare(item, top.item);
    this.#items.push({ item, serial: this.#added++ });
  }

  take(): T {
    return this.#items.pop()!.item;
  }
}

/** Python's order: arrays item by item, everything else by `<`. */
function compareItems(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  const order = compareValues(a, b);
  if (order !== null) return order;
  throw new TypeError(
    `PriorityQueue cannot compare ${repr(a)} with ${repr(b)}: put [priority, item], or give it { compare }`,
  );
}

/** What cannot be compared is equal here, behind a priority. */
function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = i === 0 ? compareItems(a[i], b[i]) : (compareValues(a[i], b[i]) ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By `<`; `null` for what has no order. */
function compareValues(a: unknown, b: unknown): number | null {
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  const kind = kindOf(a);
  if (kind === null || kind !== kindOf(b)) return null;
  if ((a as number) < (b as number)) return -1;
  return (b as number) < (a as number) ? 1 : 0;
}

/** Values of one kind have an order. An object is of the kind of its value, as a date is a number. */
function kindOf(value: unknown): "number" | "string" | null {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "boolean":
      return "number";
    case "string":
      return "string";
    case "object": {
      const primitive: unknown = value?.valueOf();
      return typeof primitive === "object" ? null : kindOf(primitive);
    }
    default:
      return null;
  }
}
