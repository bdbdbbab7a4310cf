/** Queues: handing work from producers to consumers. @module */

import { Deque } from "../base/deque.ts";
import { QueueEmpty, QueueFull, QueueShutDown } from "../base/exceptions.ts";
import { inspectAsString, keepName, repr } from "../base/format.ts";
import { Attempt } from "../kernel/attempts.ts";
import type { KernelLoop } from "../kernel/contract.ts";
import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "../kernel/coroutines.ts";
import { isFuture } from "../kernel/futures.ts";
import type { Waitable } from "../kernel/promises.ts";
import { ensureFuture } from "../kernel/promises.ts";
import { Event } from "./locks/event.ts";
import type { Standing, Waiter } from "./wait-queue.ts";
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
 * First in, first out. Of the tasks that wait to put or to get, the first in line goes first.
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
   * Says that an item taken from the queue has been dealt with, for the tasks that {@link join}.
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
    return { next: () => new GeneratorCoroutine(this.#nextItem(), "Queue.get") };
  }

  *#nextItem(): CoroutineGenerator<IteratorResult<T, void>> {
    try {
      const item = yield* this.get();
      // As everywhere in the language, an item that can be awaited is: so says the type that `for await` gives it.
      return { done: false, value: isThenable(item) ? ((yield* awaiting(item)) as T) : item };
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

  /** @internal Stands in line for room. @throws {QueueShutDown} if there will be none. */
  _joinPutters(standing: Standing, loop: KernelLoop): Waiter {
    if (this.#isShutDown) throw new QueueShutDown();
    return this.#putters.join(standing, loop);
  }

  /** @internal Stands in line for an item. @throws {QueueShutDown} if there will be none. */
  _joinGetters(standing: Standing, loop: KernelLoop): Waiter {
    if (this.#isShutDown) throw new QueueShutDown();
    return this.#getters.join(standing, loop);
  }

  /** @internal One that was woken was cancelled before it went on: the next is woken, if it could go on. */
  _passOverPutter(): void {
    if (!this.full()) this.#putters.wake(1);
  }

  /** @internal See {@link _passOverPutter}. */
  _passOverGetter(): void {
    if (!this.empty()) this.#getters.wake(1);
  }

  *#joining(): CoroutineGenerator<void> {
    if (this.#unfinished > 0) yield* this.#finished.wait();
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
inspectAsString("Queue", Queue);

class Put<T> extends Attempt<void> implements Standing {
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

  get subject(): object {
    return this.#queue;
  }

  protected override mustWait(): boolean {
    return this.#queue.full();
  }

  protected override makeWait(loop: KernelLoop): Waiter {
    return this.#queue._joinPutters(this, loop);
  }

  protected override goOn(): void {
    this.#queue.putNowait(this.#item);
  }

  interrupted(wasWoken: boolean): void {
    if (wasWoken) this.#queue._passOverPutter();
  }
}

class Get<T> extends Attempt<T> implements Standing {
  readonly #queue: Queue<T>;

  constructor(queue: Queue<T>) {
    super();
    this.#queue = queue;
  }

  get name(): string {
    return "Queue.get";
  }

  get subject(): object {
    return this.#queue;
  }

  protected override mustWait(): boolean {
    return this.#queue.empty();
  }

  protected override makeWait(loop: KernelLoop): Waiter {
    return this.#queue._joinGetters(this, loop);
  }

  protected override goOn(): T {
    return this.#queue.getNowait();
  }

  interrupted(wasWoken: boolean): void {
    if (wasWoken) this.#queue._passOverGetter();
  }
}

function isThenable(item: unknown): item is Waitable<unknown> {
  return typeof (item as { readonly then?: unknown } | null | undefined)?.then === "function";
}

function awaiting(item: Waitable<unknown>): CoroutineGenerator<unknown> {
  return (isFuture(item) || isCoroutine(item) ? item : ensureFuture(item)) as CoroutineGenerator<unknown>;
}

/** A {@link Queue} that gives the newest item first. CPython: `asyncio.LifoQueue`. */
export class LifoQueue<T> extends Queue<T> {
  protected override makeStore(): QueueStore<T> {
    return new LifoStore();
  }
}
keepName("LifoQueue", LifoQueue);

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
  readonly #items: Deque<T> = new Deque();

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T;
  }
}
