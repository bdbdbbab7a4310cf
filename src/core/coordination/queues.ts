/** Queues: handing work from those who make it to those who do it. @module */

import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { AttemptCoroutine, GeneratorCoroutine } from "../kernel/coroutines.ts";
import { Deque } from "../base/deque.ts";
import { QueueEmpty, QueueFull, QueueShutDown } from "../base/exceptions.ts";
import { inspectAsString, repr } from "../base/format.ts";
import { Heap } from "../base/heap.ts";
import { Event } from "./locks/event.ts";
import type { Waiter } from "./wait-queue.ts";
import { LoopBinding, WaitQueue } from "./wait-queue.ts";

/** What a {@link Queue} has to say of itself. */
export interface QueueStatistics {
  readonly size: number;
  readonly maxsize: number;
  /** Items taken or not, for which `taskDone` has not been called. */
  readonly unfinished: number;
  /** Tasks that wait for an item. */
  readonly getting: number;
  /** Tasks that wait for room. */
  readonly putting: number;
  readonly shutDown: boolean;
}

/** Where a queue keeps its items; the order they come out in is its own. For queues of your own: see `makeStore`. */
export interface QueueStore<T> {
  readonly size: number;
  add(item: T): void;
  take(): T;
}

/**
 * First in, first out. Of those who wait to put or to get, the first in line goes first.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const queue = new asyncio.Queue<number>(2); // at most two items wait in it
 *   const sum = asyncio.createTask(async () => {
 *     let total = 0;
 *     for await (const item of queue) total += item; // until it is shut down
 *     return total;
 *   });
 *   for (const item of [1, 2, 3]) await queue.put(item);
 *   queue.shutdown();
 *   assert.equal(await sum, 6);
 * });
 * ```
 *
 * CPython: `asyncio.Queue`.
 */
export class Queue<T> {
  /** How many items it holds at most; zero or less means without limit. */
  readonly maxsize: number;
  #items: QueueStore<T> | null = null;
  readonly #binding: LoopBinding = new LoopBinding(this);
  readonly #getters: WaitQueue = new WaitQueue(this.#binding);
  readonly #putters: WaitQueue = new WaitQueue(this.#binding);
  readonly #finished: Event = new Event();
  #unfinished: number = 0;
  #isShutDown: boolean = false;

  constructor(maxsize: number = 0) {
    if (typeof maxsize !== "number" || Number.isNaN(maxsize)) {
      throw new RangeError(`maxsize must be a number: received ${repr(maxsize)}`);
    }
    this.maxsize = maxsize;
    this.#finished.set();
  }

  /** Makes what keeps the items; another order is another store. */
  protected makeStore(): QueueStore<T> {
    return new FifoStore();
  }

  /** Made when it is first needed, since a subclass's own fields are not there before. */
  get #store(): QueueStore<T> {
    this.#items ??= this.makeStore();
    return this.#items;
  }

  /** How many items are in it. */
  get size(): number {
    return this.#store.size;
  }

  /** {@link size} under Python's name. */
  qsize(): number {
    return this.#store.size;
  }

  empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether there is no room; never, without a limit. */
  full(): boolean {
    return this.maxsize > 0 && this.#store.size >= this.maxsize;
  }

  /**
   * Puts `item` in, and waits for room if there is none.
   *
   * @throws {QueueShutDown} if the queue is or gets shut down.
   */
  put(item: T): Coroutine<void> {
    return new Put(this, item);
  }

  /**
   * Puts `item` in at once.
   *
   * @throws {QueueFull} if there is no room.
   * @throws {QueueShutDown} if the queue is shut down.
   */
  putNowait(item: T): void {
    if (this.#isShutDown) throw new QueueShutDown();
    if (this.full()) throw new QueueFull();
    this.#store.add(item);
    this.#unfinished++;
    this.#finished.clear();
    this.#getters.wake(1);
  }

  /**
   * Takes the next item, and waits for one if there is none.
   *
   * @throws {QueueShutDown} if the queue is shut down and empty.
   */
  get(): Coroutine<T> {
    return new Get(this);
  }

  /**
   * Takes the next item at once.
   *
   * @throws {QueueEmpty} if there is none.
   * @throws {QueueShutDown} if there is none and the queue is shut down.
   */
  getNowait(): T {
    if (this.empty()) throw this.#isShutDown ? new QueueShutDown() : new QueueEmpty();
    const item = this.#store.take();
    this.#putters.wake(1);
    return item;
  }

  /**
   * Says that an item taken from the queue has been dealt with, for those who {@link join}.
   *
   * @throws {RangeError} if it is called more often than there were items.
   */
  taskDone(): void {
    if (this.#unfinished <= 0) throw new RangeError("taskDone() called too many times");
    this.#unfinished--;
    if (this.#unfinished === 0) this.#finished.set();
  }

  /** Waits until every item put in has been dealt with. */
  join(): Coroutine<void> {
    return new GeneratorCoroutine(this.#joining(), "Queue.join");
  }

  /**
   * Ends the queue: `put` raises {@link QueueShutDown} from now on, and `get` when the items are used up.
   *
   * @param options `immediate`: drops the items that are left, which count as dealt with.
   */
  shutdown(options: { readonly immediate?: boolean } = {}): void {
    this.#isShutDown = true;
    if (options.immediate === true) this.#drop();
    this.#getters.wake(Infinity);
    this.#putters.wake(Infinity);
  }

  /** The items as they come, until the queue is shut down and empty. */
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    return { next: async () => await this.#nextStep() };
  }

  /** As everywhere in the language, an item that can be awaited is: so says the type that `for await` gives it. */
  async #nextStep(): Promise<IteratorResult<T, void>> {
    const step = await new GeneratorCoroutine(this.#nextItem(), "Queue.get");
    return step.done === true ? step : { done: false, value: await step.value };
  }

  *#nextItem(): CoroutineGenerator<IteratorResult<T, void>> {
    try {
      return { done: false, value: yield* this.get() };
    } catch (error) {
      if (error instanceof QueueShutDown) return { done: true, value: undefined };
      throw error;
    }
  }

  statistics(): QueueStatistics {
    return {
      size: this.size,
      maxsize: this.maxsize,
      unfinished: this.#unfinished,
      getting: this.#getters.size,
      putting: this.#putters.size,
      shutDown: this.#isShutDown,
    };
  }

  /** @internal Waits until there is room. */
  *_waitForRoom(): CoroutineGenerator<void> {
    while (this.full()) {
      if (this.#isShutDown) throw new QueueShutDown();
      yield* this.#standIn(this.#putters, () => !this.full());
    }
  }

  /** @internal Waits until there is an item. */
  *_waitForItem(): CoroutineGenerator<void> {
    while (this.empty()) {
      if (this.#isShutDown) throw new QueueShutDown();
      yield* this.#standIn(this.#getters, () => !this.empty());
    }
  }

  *#joining(): CoroutineGenerator<void> {
    if (this.#unfinished > 0) yield* this.#finished.wait();
  }

  /** Waits in `line`. One who was woken and is cancelled before going on wakes the next, if that one could go on. */
  *#standIn(line: WaitQueue, canGoOn: () => boolean): CoroutineGenerator<void> {
    const waiter: Waiter = line.join();
    try {
      yield* line.wait(waiter);
    } catch (error) {
      if (waiter.isWoken && canGoOn()) line.wake(1);
      throw error;
    }
  }

  #drop(): void {
    while (!this.empty()) {
      this.#store.take();
      if (this.#unfinished > 0) this.#unfinished--;
    }
    if (this.#unfinished === 0) this.#finished.set();
  }

  toString(): string {
    const parts = [`maxsize=${this.maxsize}`];
    if (this.size > 0) parts.push(`items=${this.size}`);
    if (this.#getters.size > 0) parts.push(`getters[${this.#getters.size}]`);
    if (this.#putters.size > 0) parts.push(`putters[${this.#putters.size}]`);
    if (this.#unfinished > 0) parts.push(`tasks=${this.#unfinished}`);
    if (this.#isShutDown) parts.push("shutdown");
    return `<${this.constructor.name} ${parts.join(" ")}>`;
  }
}
inspectAsString(Queue);

class Put<T> extends AttemptCoroutine<void> {
  readonly #queue: Queue<T>;
  readonly #item: T;

  constructor(queue: Queue<T>, item: T) {
    super();
    this.#queue = queue;
    this.#item = item;
  }

  get name(): string {
    return "Queue.put";
  }

  protected override mustWait(): boolean {
    return this.#queue.full();
  }

  protected override goOn(): void {
    this.#queue.putNowait(this.#item);
  }

  protected override *waitAndGoOn(): CoroutineGenerator<void> {
    yield* this.#queue._waitForRoom();
    this.#queue.putNowait(this.#item);
  }
}

class Get<T> extends AttemptCoroutine<T> {
  readonly #queue: Queue<T>;

  constructor(queue: Queue<T>) {
    super();
    this.#queue = queue;
  }

  get name(): string {
    return "Queue.get";
  }

  protected override mustWait(): boolean {
    return this.#queue.empty();
  }

  protected override goOn(): T {
    return this.#queue.getNowait();
  }

  protected override *waitAndGoOn(): CoroutineGenerator<T> {
    yield* this.#queue._waitForItem();
    return this.#queue.getNowait();
  }
}

/** A {@link Queue} that gives the newest item first. CPython: `asyncio.LifoQueue`. */
export class LifoQueue<T> extends Queue<T> {
  protected override makeStore(): QueueStore<T> {
    return new LifoStore();
  }
}

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

class FifoStore<T> implements QueueStore<T> {
  readonly #items: Deque<T> = new Deque();

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.shift() as T;
  }
}

class LifoStore<T> implements QueueStore<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T;
  }
}

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
