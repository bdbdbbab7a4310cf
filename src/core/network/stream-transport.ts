/**
 * The transport of a stream of bytes: asyncio's rules of order, over any {@link ByteChannel}.
 *
 * What the channel reports, often from outside of any turn, becomes an event in the inbox and an entry of the loop, so
 * that protocols are called inside of turns, in order, one event at a time:
 *
 * ```text
 *   channel ──received, ended, flushed, failed──► inbox ──a turn each──► protocol
 *   protocol ──write──► channel           pending > high ──► protocol.pauseWriting(), before write returns
 * ```
 *
 * `connectionMade` is the first event and `connectionLost` the last. A transport that is closing takes no more bytes in,
 * and is lost when what was written has been sent.
 *
 * @module
 */

import { toBytes } from "./bytes.ts";
import type { ByteChannel, ByteChannelClient } from "./byte-channels.ts";
import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from "../base/constants.ts";
import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { WaterMarks } from "./water-marks.ts";
import { inspectAsString, repr } from "../base/format.ts";
import type { Future } from "../kernel/futures.ts";
import { callProtocol, Inbox } from "./inbox.ts";
import { getLogger } from "../base/log.ts";
import type { Data, Protocol, StreamingProtocol, Transport, WriteBufferLimits } from "./contracts.ts";
import { isBuffered } from "./contracts.ts";

/** How many bytes may come between two turns, before the system is to keep the rest. */
const MOST_UNDELIVERED = 256 * 1024;

/** Who keeps count of transports: the server that accepted them. */
export interface TransportOwner {
  /** @internal */
  _attach(transport: StreamTransport): void;
  /** @internal */
  _detach(transport: StreamTransport): void;
  /** @internal The connection goes on with another transport. */
  _replace(transport: StreamTransport, other: StreamTransport): void;
}

/** Options of a {@link StreamTransport}. */
export interface StreamTransportOptions {
  readonly owner?: TransportOwner;
  /** What {@link StreamTransport.getExtraInfo} knows beside what the channel does. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** The protocol had another transport before, and has heard of the connection. */
  readonly isUpgrade?: boolean;
}

/** What happens to a transport, in the order in which its protocol is told. Bytes are an event too. */
type TransportEvent =
  | Uint8Array
  | typeof MADE
  | typeof STARTED
  | typeof ENDED
  | typeof FLUSHED
  | typeof RESUMED
  | Broken
  | Lost;
const MADE = "made";
const STARTED = "started";
const ENDED = "ended";
const FLUSHED = "flushed";
const RESUMED = "resumed";
/** The channel broke, behind the bytes that came before. */
class Broken {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
/** The last of all events. */
class Lost {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** @internal */
export class StreamTransport implements Transport, ByteChannelClient {
  readonly #loop: AbstractEventLoop;
  readonly #channel: ByteChannel;
  readonly #owner: TransportOwner | null;
  readonly #extra: Readonly<Record<string, unknown>>;
  readonly #waterMarks: WaterMarks;
  readonly #inbox: Inbox<TransportEvent>;
  /** Completed when the protocol has been told of the connection. */
  #waiter: Future<void> | null = null;
  readonly #isUpgrade: boolean;
  #protocol: StreamingProtocol;
  /** Bytes and the end that came while reading was paused. */
  #held: (Uint8Array | typeof ENDED)[] = [];
  #isPaused: boolean = false;
  /** Bytes in the inbox. */
  #undelivered: number = 0;
  /** So many came before their turn that the channel was told to wait. */
  #isFull: boolean = false;
  #isClosing: boolean = false;
  /** The peer has sent its end. */
  #hasEnded: boolean = false;
  /** Our end was sent, or will be after what waits. */
  #eofWritten: boolean = false;
  /** Writes since the connection was lost; zero while it is not. */
  #lostWrites: number = 0;
  #isLost: boolean = false;
  /** Who waits until nothing waits to be sent, or the connection is lost. */
  readonly #senders: Set<Future<void>> = new Set();

  constructor(
    loop: AbstractEventLoop,
    channel: ByteChannel,
    protocol: StreamingProtocol,
    options: StreamTransportOptions = {},
  ) {
    this.#loop = loop;
    this.#channel = channel;
    this.#protocol = protocol;
    this.#owner = options.owner ?? null;
    this.#extra = options.extra ?? {};
    this.#isUpgrade = options.isUpgrade === true;
    this.#waterMarks = new WaterMarks(loop, this, channel.limits?.high);
    this.#inbox = new Inbox(loop, (event) => this.#happened(event));
  }

  /** @internal Tells the protocol of the connection, begins to read, and completes `waiter`, in this order. */
  start(waiter: Future<void> | null = null): void {
    this.#waiter = waiter;
    this.#loop._adopt(this);
    if (!this.#isUpgrade) this.#owner?._attach(this);
    this.#inbox.push(MADE);
    this.#inbox.push(STARTED);
  }

  // --- what the user calls

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return this.#extra[name] ?? this.#channel.getExtraInfo(name) ?? fallback;
  }

  getProtocol(): StreamingProtocol {
    return this.#protocol;
  }

  setProtocol(protocol: StreamingProtocol): void {
    this.#protocol = protocol;
  }

  isClosing(): boolean {
    return this.#isClosing;
  }

  isReading(): boolean {
    return !this.#isClosing && !this.#isPaused;
  }

  pauseReading(): void {
    if (!this.isReading()) return;
    this.#isPaused = true;
    this.#channel.pause();
  }

  resumeReading(): void {
    if (this.#isClosing || !this.#isPaused) return;
    this.#isPaused = false;
    if (this.#held.length > 0) this.#inbox.push(RESUMED);
    else this.#resumeChannel();
  }

  #resumeChannel(): void {
    if (!this.#isFull) this.#channel.resume();
  }

  write(data: Data): void {
    const bytes = toBytes(data);
    if (this.#canWrite("write") && bytes.length > 0) this.#send([bytes]);
  }

  writelines(list: Iterable<Data>): void {
    const pieces = Array.from(list, toBytes).filter((piece) => piece.length > 0);
    if (this.#canWrite("writelines") && pieces.length > 0) this.#send(pieces);
  }

  canWriteEof(): boolean {
    return this.#channel.canWriteEof;
  }

  writeEof(): void {
    if (!this.canWriteEof()) throw new RuntimeError("writeEof() is not supported by this transport");
    if (this.#isClosing || this.#eofWritten) return;
    this.#eofWritten = true;
    this.#channel.writeEof();
  }

  getWriteBufferSize(): number {
    return this.#isLost ? 0 : this.#channel.pending;
  }

  getWriteBufferLimits(): { readonly low: number; readonly high: number } {
    return this.#waterMarks.limits;
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#waterMarks.setLimits(limits);
    this.#waterMarks.check(this.getWriteBufferSize());
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#held = [];
    this.#channel.pause();
    if (this.#channel.pending === 0) this.#finish();
    else this.#channel.closing?.();
  }

  abort(): void {
    this.#forceClose(null);
  }

  // --- what the channel calls

  received(data: Uint8Array): void {
    if (this.#isClosing) return;
    this.#inbox.push(data);
    this.#undelivered += data.length;
    if (this.#isFull || this.#undelivered <= MOST_UNDELIVERED) return;
    this.#isFull = true;
    this.#channel.pause();
  }

  ended(): void {
    if (!this.#isClosing) this.#inbox.push(ENDED);
  }

  flushed(): void {
    if (this.#waterMarks.isPaused || this.#isClosing || this.#senders.size > 0) this.#inbox.push(FLUSHED);
  }

  failed(error: unknown): void {
    if (this.#loop.getDebug()) getLogger().debug(`${this.toString()}: ${String(error)}`);
    if (this.#isClosing) this.#lose(error);
    else this.#inbox.push(new Broken(error));
  }

  closed(): void {
    if (this.#isClosing) this.#lose(null);
    else this.#inbox.push(new Broken(null));
  }

  // --- events, one a turn

  #happened(event: TransportEvent): void {
    if (event instanceof Uint8Array) this.#leftInbox(event.length);
    if (event instanceof Uint8Array || event === ENDED) {
      if (this.#isPaused || this.#held.length > 0) this.#held.push(event);
      else this.#deliver(event);
    } else if (event === MADE) this.#made();
    else if (event === STARTED) this.#started();
    else if (event === FLUSHED) this.#wasFlushed();
    else if (event === RESUMED) this.#wasResumed();
    else if (event instanceof Broken) this.#forceClose(event.error);
    else this.#wasLost(event.error);
  }

  #leftInbox(count: number): void {
    this.#undelivered -= count;
    if (!this.#isFull || this.#undelivered > 0) return;
    this.#isFull = false;
    if (this.isReading()) this.#channel.resume();
  }

  #made(): void {
    if (!this.#isUpgrade) this.#call("connectionMade", () => this.#protocol.connectionMade?.(this));
    // A connection that was lost before its protocol heard of it is not read.
    if (!this.#isLost) this.#channel.open(this);
    if (!this.#isClosing && this.#isPaused) this.#channel.pause();
  }

  #started(): void {
    if (this.#waiter !== null && !this.#waiter.done()) this.#waiter.setResult();
    this.#waiter = null;
  }

  #deliver(event: Uint8Array | typeof ENDED): void {
    if (this.#isClosing || this.#hasEnded) return;
    if (event === ENDED) this.#end();
    else if (isBuffered(this.#protocol)) this.#fill(event);
    else this.#call("dataReceived", () => (this.#protocol as Protocol).dataReceived?.(event));
  }

  /** Gives `data` to a protocol that has buffers of its own. */
  #fill(data: Uint8Array): void {
    let rest = data;
    while (rest.length > 0 && !this.#isClosing) {
      if (this.#isPaused) {
        this.#held.unshift(rest);
        return;
      }
      const { length } = rest;
      const protocol = this.#protocol;
      if (!isBuffered(protocol)) {
        this.#deliver(rest);
        return;
      }
      let taken = 0;
      this.#call("getBuffer", () => {
        const buffer = protocol.getBuffer(length);
        if (buffer.length === 0) throw new RuntimeError("getBuffer() returned an empty buffer");
        taken = Math.min(length, buffer.length);
        buffer.set(rest.subarray(0, taken));
      });
      if (taken === 0) return;
      this.#call("bufferUpdated", () => protocol.bufferUpdated(taken));
      rest = rest.subarray(taken);
    }
  }

  #end(): void {
    this.#hasEnded = true;
    let staysOpen: unknown = false;
    this.#call("eofReceived", () => {
      staysOpen = this.#protocol.eofReceived?.();
    });
    if (!this.#isClosing && (staysOpen !== true || !this.#channel.canWriteEof)) this.close();
  }

  #wasFlushed(): void {
    if (this.#isLost) return;
    const { pending } = this.#channel;
    this.#waterMarks.check(pending);
    if (pending > 0) return;
    this.#tellAllSent();
    if (this.#isClosing && this.#lostWrites === 0) this.#finish();
  }

  #tellAllSent(): void {
    for (const sender of this.#senders) if (!sender.done()) sender.setResult();
  }

  #wasResumed(): void {
    if (this.#isPaused || this.#isClosing) return;
    const event = this.#held.shift();
    if (event !== undefined) this.#deliver(event);
    if (this.#isPaused || this.#isClosing) return;
    if (this.#held.length > 0) this.#inbox.push(RESUMED);
    else this.#resumeChannel();
  }

  #wasLost(error: unknown): void {
    this.#tellAllSent();
    this.#call("connectionLost", () => this.#protocol.connectionLost?.(error));
    this.#channel.destroy();
    this.#owner?._detach(this);
    this.#loop._release(this);
  }

  // --- sending and closing

  #canWrite(caller: string): boolean {
    if (this.#eofWritten) throw new RuntimeError(`Cannot call ${caller}() after writeEof()`);
    // Under TLS nothing goes behind a goodbye, and `close` was the word for it.
    if (this.#isClosing && this.#lostWrites === 0 && this.#channel.farewell !== undefined) return false;
    if (this.#lostWrites === 0) return true;
    if (this.#lostWrites++ === LOG_THRESHOLD_FOR_CONNLOST_WRITES) {
      getLogger().warning(`${caller}() to a connection that is lost: ${this.toString()}`);
    }
    return false;
  }

  #send(pieces: readonly Uint8Array[]): void {
    this.#channel.write(pieces);
    this.#waterMarks.check(this.#channel.pending);
  }

  /** Everything is sent: the connection ends in good order. */
  #finish(): void {
    this.#lostWrites = 1;
    if (this.#channel.farewell === undefined) this.#lose(null);
    else this.#channel.farewell();
  }

  #forceClose(error: unknown): void {
    if (this.#isLost) return;
    this.#isClosing = true;
    this.#held = [];
    this.#lostWrites ||= 1;
    this.#channel.destroy();
    this.#lose(error);
  }

  #lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    if (this.#loop.isClosed()) this.#loop._release(this);
    else this.#inbox.push(new Lost(error));
  }

  /** Calls the protocol's method `name`; what it throws ends the connection. */
  #call(name: string, method: () => void): void {
    const failure = callProtocol(this.#loop, this, name, method);
    if (failure !== null) this.#forceClose(failure.error);
  }

  /** @internal */
  get _owner(): TransportOwner | null {
    return this.#owner;
  }

  /** @internal Waits until nothing waits to be sent, or the connection is lost. */
  *_allSent(): CoroutineGenerator<void> {
    if (this.#isLost || this.#channel.pending === 0) return;
    const sender = this.#loop.createFuture();
    this.#senders.add(sender);
    try {
      yield* sender;
    } finally {
      this.#senders.delete(sender);
    }
  }

  /** @internal Whether the protocol has been told to stop writing. */
  get _isWritingPaused(): boolean {
    return this.#waterMarks.isPaused;
  }

  /** @internal Whether the connection is gone. */
  get _isLost(): boolean {
    return this.#isLost;
  }

  /** @internal */
  get _channel(): ByteChannel {
    return this.#channel;
  }

  /**
   * @internal Gives the channel away: the bytes that the protocol has not got. Nothing is read or written any more, until
   * {@link _replacedBy} or {@link _failed} says how it went.
   *
   * @throws {RuntimeError} if there is nothing left to give.
   */
  _handOver(): readonly Uint8Array[] {
    if (this.#isClosing) throw new RuntimeError(`${this.toString()} is closing`);
    this.#channel.pause();
    const unread = [...this.#held, ...this.#inbox].filter((event) => event instanceof Uint8Array);
    this.#isClosing = true;
    this.#lostWrites = 1;
    this.#held = [];
    return unread;
  }

  /** @internal `other` has the connection and the protocol now. */
  _replacedBy(other: StreamTransport): void {
    this.#isLost = true;
    this.#loop._release(this);
    this.#owner?._replace(this, other);
  }

  /** @internal The connection is gone, and so the protocol is told. */
  _failed(error: unknown): void {
    this.#forceClose(error);
  }

  /** @internal The loop is closed, and nobody will hear of this any more. */
  _abandon(): void {
    this.#isClosing = true;
    this.#isLost = true;
    this.#lostWrites ||= 1;
    this.#held = [];
    this.#channel.destroy();
  }

  toString(): string {
    const state = this.#isLost ? "closed" : this.#isClosing ? "closing" : "open";
    const parts = [state, ...(this.#isPaused ? ["paused"] : []), ...(this.#eofWritten ? ["eof written"] : [])];
    const peer = this.getExtraInfo("peername");
    if (peer !== null) parts.push(`peername=${repr(peer)}`);
    return `<${this.constructor.name} ${parts.join(" ")} pending=${this.getWriteBufferSize()}>`;
  }
}
inspectAsString(StreamTransport);

/** @internal The transport of `channel`, when its protocol has been told. Cancelled meanwhile, the connection is closed. */
export function* attach<P extends StreamingProtocol>(
  loop: AbstractEventLoop,
  channel: ByteChannel,
  makeProtocol: () => P,
  options: StreamTransportOptions = {},
): CoroutineGenerator<[StreamTransport, P]> {
  let protocol: P;
  try {
    protocol = makeProtocol();
  } catch (error) {
    channel.destroy();
    throw error;
  }
  const waiter = loop.createFuture();
  const transport = new StreamTransport(loop, channel, protocol, options);
  transport.start(waiter);
  try {
    yield* waiter;
  } catch (error) {
    transport.close();
    throw error;
  }
  return [transport, protocol];
}
