/** Queues: handing work from those who make it to those who do it. @module */

import type { Coroutine, CoroutineGenerator } from "./coroutines.ts";
import { GeneratorCoroutine } from "./coroutines.ts";
import { Deque } from "./deque.ts";
import { QueueEmpty, QueueFull, QueueShutDown } from "./exceptions.ts";
import { inspectAsString, repr } from "./format.ts";
import { Heap } from "./heap.ts";
import { Event } from "./locks/event.ts";
import type { Waiter } from "./waiters.ts";
import { LoopBinding, WaitQueue } from "./waiters.ts";

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

/** Where a queue keeps its items; the order they come out in is its own. */
interface Store<T> {
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
  #items: Store<T> | null = null;
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
  protected makeStore(): Store<T> {
    return new FifoStore();
  }

  /** Made when it is first needed, since a subclass's own fields are not there before. */
  get #store(): Store<T> {
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
    return new GeneratorCoroutine(this.#putting(item), "Queue.put");
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
    return new GeneratorCoroutine(this.#getting(), "Queue.get");
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

  *#putting(item: T): CoroutineGenerator<void> {
    while (this.full()) {
      if (this.#isShutDown) throw new QueueShutDown();
      yield* this.#standIn(this.#putters, () => !this.full());
    }
    this.putNowait(item);
  }

  *#getting(): CoroutineGenerator<T> {
    while (this.empty()) {
      if (this.#isShutDown) throw new QueueShutDown();
      yield* this.#standIn(this.#getters, () => !this.empty());
    }
    return this.getNowait();
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

/** A {@link Queue} that gives the newest item first. CPython: `asyncio.LifoQueue`. */
export class LifoQueue<T> extends Queue<T> {
  protected override makeStore(): Store<T> {
    return new LifoStore();
  }
}

/**
 * A {@link Queue} that gives the smallest item first; of equal ones, the one that came first.
 *
 * Items are compared with `<`, arrays item by item as in Python: `[priority, data]`.
 *
 * ```ts
 * const queue = new asyncio.PriorityQueue<[number, string]>();
 * queue.putNowait([2, "later"]);
 * queue.putNowait([1, "first"]);
 * assert.deepEqual(queue.getNowait(), [1, "first"]);
 * ```
 *
 * CPython: `asyncio.PriorityQueue`.
 */
export class PriorityQueue<T> extends Queue<T> {
  protected override makeStore(): Store<T> {
    return new PriorityStore();
  }
}

class FifoStore<T> implements Store<T> {
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

class LifoStore<T> implements Store<T> {
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

class PriorityStore<T> implements Store<T> {
  readonly #items: Heap<{ readonly item: T; readonly serial: number }> = new Heap((a, b) => {
    const order = compare(a.item, b.item);
    return order < 0 || (order === 0 && a.serial < b.serial);
  });
  #added: number = 0;

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    this.#items.push({ item, serial: this.#added++ });
  }

  take(): T {
    return this.#items.pop()!.item;
  }
}

/** Python's order: arrays item by item, everything else by `<`. */
function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compare(a[i], b[i]);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  if ((a as number) < (b as number)) return -1;
  return (b as number) < (a as number) ? 1 : 0;
}
