/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Channels: items from senders to receivers, with an end.
 *
 * ```text
 *   senders ──line, while there is no room──► buffer ──► receivers, in line while there is nothing
 *                                       └─ capacity, and one more place for each receiver that waits ─┘
 * ```
 *
 * Who waits is *granted* a place or an item, and acts when it goes on: a sender that is cancelled between the two has not
 * sent, a receiver has not received, and what it was granted goes to the next in line. So nothing is lost or doubled, and
 * nobody who comes later is served before one who waits. A rendezvous is a channel whose only places are those of receivers
 * that wait.
 *
 * Weighed and refused: to hand an item from a sender to a receiver at once, as anyio does. A receiver that is cancelled in that
 * instant would take it along.
 *
 * @module
 */

import { inspectAsString, repr } from "../../core/base/format.ts";
import { Deque } from "../../core/base/deque.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { checkpoint } from "../base/checkpoint.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { BrokenChannelError, ClosedChannelError, EndOfChannelError, WouldBlockError } from "../base/errors.ts";
import type { Ticket } from "../base/line.ts";
import { Line } from "../base/line.ts";

/** What a channel has to say of itself. */
export interface ChannelStatistics {
  /** How many items were sent and not received. */
  readonly size: number;
  readonly capacity: number;
  /** Ends that are open, clones included. */
  readonly openSenders: number;
  readonly openReceivers: number;
  /** Tasks in line. */
  readonly sending: number;
  readonly receiving: number;
}

/**
 * Opens a channel for items of one type: an end to send, and an end to receive.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const [sender, receiver] = openChannel<string>(10);
 *   const producer = asyncio.createTask(async () => {
 *     using end = sender; // closed when the producer ends, however it ends
 *     for (const word of ["one", "two"]) await end.send(word);
 *   });
 *   const words: string[] = [];
 *   for await (const word of receiver) words.push(word);
 *   await producer;
 *   assert.deepEqual(words, ["one", "two"]);
 * });
 * ```
 *
 * @param capacity how many items may be sent before one is received. With 0 each sender waits for a receiver; `Infinity` must
 *   be asked for, since nothing holds back a producer then.
 * @throws {RangeError} unless it is a whole number from 0 on, or infinity.
 *
 * trio: `trio.open_memory_channel`.
 */
export function openChannel<T>(capacity: number): [ChannelSender<T>, ChannelReceiver<T>] {
  if (!(capacity >= 0) || (capacity !== Infinity && !Number.isInteger(capacity))) {
    throw new RangeError(`capacity: expected a whole number from 0 on, or Infinity; received ${repr(capacity)}`);
  }
  const state = new ChannelState<T>(capacity);
  return [new ChannelSender(state), new ChannelReceiver(state)];
}

/** What both ends share. */
class ChannelState<T> {
  readonly capacity: number;
  readonly buffer: Deque<T> = new Deque();
  readonly senders: Line = new Line();
  readonly receivers: Line = new Line();
  openSenders: number = 0;
  openReceivers: number = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Places that nobody has been granted. */
  get room(): number {
    return this.capacity + this.receivers.size - this.buffer.size - this.senders.granted;
  }

  /** Items that nobody has been granted. */
  get available(): number {
    return this.buffer.size - this.receivers.granted;
  }

  /** Nothing will come any more. An item that was granted counts until it is taken: its receiver may be cancelled. */
  get hasEnded(): boolean {
    return this.openSenders === 0 && this.senders.granted === 0 && this.buffer.size === 0;
  }

  /** Grants what there is to those who wait, and tells them what will never be. */
  settle(): void {
    while (this.available > 0 && this.receivers.grant()) continue;
    while (this.room > 0 && this.senders.grant()) continue;
    if (this.openReceivers === 0) this.senders.failAll(broken);
    if (this.hasEnded) this.receivers.failAll(ended);
  }

  put(item: T): void {
    this.buffer.push(item);
    this.settle();
  }

  take(): T {
    const item = this.buffer.shift() as T;
    this.settle();
    return item;
  }
}

function broken(): BrokenChannelError {
  return new BrokenChannelError("every receiver of the channel is closed: nobody would get the item");
}

function ended(): EndOfChannelError {
  return new EndOfChannelError("every sender of the channel is closed, and all items were received");
}

/** What both kinds of ends can do. */
abstract class ChannelEnd<T> implements Disposable {
  /** @internal */
  protected readonly state: ChannelState<T>;
  /** The waits of this end: closing it ends them. */
  readonly #waits: Set<Ticket> = new Set();
  #isClosed: boolean = false;

  /** @internal */
  constructor(state: ChannelState<T>) {
    this.state = state;
    this.count(1);
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Closes this end; what waits on it raises {@link ClosedChannelError}. Closing twice does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.count(-1);
    for (const ticket of this.#waits) this.line.fail(ticket, this.#closed());
    this.state.settle();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  statistics(): ChannelStatistics {
    const { state } = this;
    return {
      size: state.buffer.size,
      capacity: state.capacity,
      openSenders: state.openSenders,
      openReceivers: state.openReceivers,
      sending: state.senders.size,
      receiving: state.receivers.size,
    };
  }

  /** @internal The line that this end waits in. */
  protected abstract readonly line: Line;
  /** @internal How many ends of this kind are open changes by `by`. */
  protected abstract count(by: number): void;
  /** @internal Whether the operation would go on without a wait. @throws if it never can. */
  abstract _isReady(): boolean;

  /** @internal */
  _makeFuture(): Future<void> {
    return this.line.makeFuture();
  }

  /** @internal Stands in line; `done` is completed when something was granted. */
  _join(done: Future<void>, purpose: string): Ticket {
    const ticket = this.line.join(done, `${purpose} of ${this.toString()}`);
    this.#waits.add(ticket);
    this.state.settle();
    return ticket;
  }

  /** @internal Leaves the line, and gives back what was granted unless it is `used`. */
  _leave(ticket: Ticket, used: boolean): void {
    this.#waits.delete(ticket);
    this.line.leave(ticket);
    if (!used) this.state.settle();
  }

  /** @internal Waits for what `_isReady` asks for. */
  protected *untilReady(purpose: string): CoroutineGenerator<void> {
    yield* checkpoint();
    if (this._isReady()) return;
    const done = this._makeFuture();
    const ticket = this._join(done, purpose);
    let isGranted = false;
    try {
      yield* done;
      isGranted = true;
    } finally {
      this._leave(ticket, isGranted);
    }
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#isClosed) throw this.#closed();
  }

  #closed(): ClosedChannelError {
    return new ClosedChannelError(`${this.toString()} was closed`);
  }

  toString(): string {
    const { size, capacity } = this.statistics();
    return `<${this.constructor.name} ${this.#isClosed ? "closed" : "open"} ${size} of ${capacity}>`;
  }
}

/** The end of a channel to send by; see {@link openChannel}. */
export class ChannelSender<T> extends ChannelEnd<T> {
  /**
   * Sends `item`, and waits while there is no room. Cancelled, it has not sent.
   *
   * @throws {BrokenChannelError} if every receiver is closed, or gets closed meanwhile. @throws {ClosedChannelError} if this
   * end is.
   */
  send(item: T): ChannelOperation<void> {
    return new ChannelOperation(this, this.#sending(item), () => this._put(item), "ChannelSender.send");
  }

  /** Sends `item` at once. @throws {WouldBlockError} if there is no room. @throws what {@link send} throws. */
  sendNowait(item: T): void {
    if (!this._isReady()) throw new WouldBlockError(`${this.toString()} has no room`);
    this.state.put(item);
  }

  /** One more sender of the same channel: receivers come to the end when all are closed. */
  clone(): ChannelSender<T> {
    this.checkOpen();
    return new ChannelSender(this.state);
  }

  *#sending(item: T): CoroutineGenerator<void> {
    yield* this.untilReady("ChannelSender.send()");
    this._put(item);
  }

  /** @internal Sends what there is a place for. */
  _put(item: T): void {
    const { state } = this;
    if (state.openReceivers === 0) {
      state.settle();
      throw broken();
    }
    state.put(item);
  }

  override _isReady(): boolean {
    this.checkOpen();
    if (this.state.openReceivers === 0) throw broken();
    return this.state.room > 0 && !this.line.hasSleepers;
  }

  protected override get line(): Line {
    return this.state.senders;
  }

  protected override count(by: number): void {
    this.state.openSenders += by;
  }
}
inspectAsString("ChannelSender", ChannelSender);

/** The end of a channel to receive by; see {@link openChannel}. */
export class ChannelReceiver<T> extends ChannelEnd<T> implements AsyncIterable<T> {
  /**
   * Takes the next item, and waits while there is none. Cancelled, it has not received.
   *
   * @throws {EndOfChannelError} if all senders are closed and nothing is left. @throws {ClosedChannelError} if this end is.
   */
  receive(): ChannelOperation<T> {
    return new ChannelOperation(this, this.#receiving(), () => this._take(), "ChannelReceiver.receive");
  }

  /** Takes the next item at once. @throws {WouldBlockError} if there is none. @throws what {@link receive} throws. */
  receiveNowait(): T {
    if (!this._isReady()) throw new WouldBlockError(`${this.toString()} has no item`);
    return this.state.take();
  }

  /** One more receiver of the same channel: each item goes to one of them. */
  clone(): ChannelReceiver<T> {
    this.checkOpen();
    return new ChannelReceiver(this.state);
  }

  /** The items as they come, to the end of the channel. */
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    return { next: () => new GeneratorCoroutine(this.#nextItem(), "ChannelReceiver.receive") };
  }

  *#nextItem(): CoroutineGenerator<IteratorResult<T, void>> {
    try {
      return { done: false, value: yield* this.#receiving() };
    } catch (error) {
      if (error instanceof EndOfChannelError) return { done: true, value: undefined };
      throw error;
    }
  }

  *#receiving(): CoroutineGenerator<T> {
    yield* this.untilReady("ChannelReceiver.receive()");
    return this._take();
  }

  /** @internal Takes what is there. */
  _take(): T {
    return this.state.take();
  }

  override _isReady(): boolean {
    this.checkOpen();
    if (this.state.available > 0 && !this.line.hasSleepers) return true;
    if (this.state.hasEnded) throw ended();
    return false;
  }

  protected override get line(): Line {
    return this.state.receivers;
  }

  protected override count(by: number): void {
    this.state.openReceivers += by;
  }
}
inspectAsString("ChannelReceiver", ChannelReceiver);

/** The coroutine of a `send` or a `receive`: it is awaited, or one of several that {@link select} chooses from. */
export class ChannelOperation<T> extends GeneratorCoroutine<T> {
  /** @internal */
  readonly _end: ChannelEnd<unknown>;
  /** @internal Does it, once it is ready. */
  readonly _perform: () => T;

  /** @internal */
  constructor(end: unknown, generator: CoroutineGenerator<T>, finish: () => T, name: string) {
    super(generator, name);
    this._end = end as ChannelEnd<unknown>;
    this._perform = finish;
  }
}
