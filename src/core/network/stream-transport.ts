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
 * `connectionMade` is the first event and `connectionLost` the last. One word says where a transport is between them:
 *
 * | state         | it holds while                                                        | next                |
 * | ------------- | --------------------------------------------------------------------- | ------------------- |
 * | `open`        | bytes go both ways                                                    | any of the others   |
 * | `closing`     | `close` was called, and what was written before is still being sent   | `leaving`, `closed` |
 * | `leaving`     | all is sent, and the channel says its farewell, as TLS does           | `closed`            |
 * | `handed over` | STARTTLS has the channel; a new transport follows, or an error        | `closed`            |
 * | `closed`      | nothing more happens but `connectionLost`, which may have been called | –                   |
 *
 * Nothing is received from `closing` on. Writes are sent while `closing`, as in CPython, but not where a farewell is to
 * follow: nothing may come behind that. Any failure, `abort` and the end of the loop lead to `closed` at once.
 *
 * Weighed and refused: a transport for each kind of connection, as CPython has one for sockets, pipes and TLS. The rules
 * are the same for all; what differs is in the channel.
 *
 * @module
 */

import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from "../base/constants.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { inspectAsString, repr } from "../base/format.ts";
import { getLogger } from "../base/log.ts";
import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { Resource } from "../base/resource.ts";
import type { Future } from "../kernel/futures.ts";
import type { ByteChannel, ByteChannelClient } from "./byte-channels.ts";
import { toBytes } from "./bytes.ts";
import type { Data, StreamingProtocol, Transport, WriteBufferLimits } from "./contracts.ts";
import { callProtocol, Inbox } from "./inbox.ts";
import type { Incoming, InflowOwner } from "./inflow.ts";
import { Inflow } from "./inflow.ts";
import { WaterMarks } from "./water-marks.ts";

/** Keeps count of transports: the server that accepted them. */
export interface TransportOwner {
  /** @internal */
  _attach(transport: StreamTransport): void;
  /** @internal */
  _detach(transport: StreamTransport): void;
  /** @internal The connection goes on with another transport. */
  _replace(transport: StreamTransport, other: StreamTransport): void;
  /** @internal The connection waits for a next request, from now on. */
  _idles(transport: StreamTransport): void;
}

/** Options of a {@link StreamTransport}. */
interface StreamTransportOptions {
  readonly owner?: TransportOwner;
  /** What {@link StreamTransport.getExtraInfo} knows besides what the channel does. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** The protocol had another transport before, and has heard of the connection. */
  readonly isUpgrade?: boolean;
}

/** See the head of this file. */
type State = "open" | "closing" | "leaving" | "handed over" | "closed";

/** What happens to a transport, in the order in which its protocol is told. */
type TransportEvent = Incoming | "made" | "started" | "flushed" | "resumed" | Broken | Lost;

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
export class StreamTransport implements Transport, ByteChannelClient, InflowOwner, Resource {
  readonly #loop: AbstractEventLoop;
  readonly #channel: ByteChannel;
  readonly #owner: TransportOwner | null;
  readonly #extra: Readonly<Record<string, unknown>>;
  readonly #isUpgrade: boolean;
  readonly #waterMarks: WaterMarks;
  readonly #inbox: Inbox<TransportEvent>;
  readonly #inflow: Inflow;
  #protocol: StreamingProtocol;
  #state: State = "open";
  /** Completed when the protocol has been told of the connection. */
  #waiter: Future<void> | null = null;
  /** `writeEof` was called: nothing may be written behind it. */
  #eofWritten: boolean = false;
  /** Writes that came too late to be sent. */
  #lateWrites: number = 0;
  /** Pending calls of {@link _allSent}. */
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
    this.#inflow = new Inflow(this, channel);
  }

  /** @internal Tells the protocol of the connection, begins to read, and completes `waiter`, in this order. */
  start(waiter: Future<void> | null = null): void {
    this.#waiter = waiter;
    this.#loop._adopt(this);
    if (!this.#isUpgrade) this.#owner?._attach(this);
    this.#inbox.push("made");
    this.#inbox.push("started");
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
    return this.#state !== "open";
  }

  isReading(): boolean {
    return this.#state === "open" && !this.#inflow.isPaused;
  }

  pauseReading(): void {
    this.#inflow.pause();
  }

  resumeReading(): void {
    this.#inflow.resume();
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
    if (this.#state !== "open" || this.#eofWritten) return;
    this.#eofWritten = true;
    this.#channel.writeEof();
  }

  getWriteBufferSize(): number {
    return this.#state === "closed" ? 0 : this.#channel.pending;
  }

  getWriteBufferLimits(): { readonly low: number; readonly high: number } {
    return this.#waterMarks.limits;
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#waterMarks.setLimits(limits);
    if (this.#state !== "closed") this.#waterMarks.check(this.getWriteBufferSize());
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#inflow.drop();
    this.#channel.pause();
    if (this.#channel.pending === 0) this.#finish();
    else this.#channel.closing?.();
  }

  abort(): void {
    this.#forceClose(null);
  }

  // --- what the channel calls

  received(data: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#inbox.push(data);
    this.#inflow.queued(data.length);
  }

  ended(): void {
    if (this.#state === "open") this.#inbox.push("ended");
  }

  flushed(): void {
    if (this.#waterMarks.isPaused || this.#state !== "open" || this.#senders.size > 0) this.#inbox.push("flushed");
  }

  failed(error: unknown): void {
    if (this.#loop.getDebug()) getLogger().debug(`${this.toString()}: ${String(error)}`);
    this.#broke(error);
  }

  closed(): void {
    this.#broke(null);
  }

  /** While the transport is open, what came before is delivered first. */
  #broke(error: unknown): void {
    if (this.#state === "open") this.#inbox.push(new Broken(error));
    else this.#lose(error);
  }

  // --- what the inflow calls

  /** Calls the protocol's method `name`; an error thrown there ends the connection. */
  tellProtocol(name: string, method: () => void): void {
    const failure = callProtocol(this.#loop, this, name, method);
    if (failure !== null) this.#forceClose(failure.error);
  }

  goOnSoon(): void {
    this.#inbox.push("resumed");
  }

  // --- events, one a turn

  #happened(event: TransportEvent): void {
    if (event instanceof Uint8Array || event === "ended") this.#inflow.arrived(event);
    else if (event === "made") this.#made();
    else if (event === "started") this.#started();
    else if (event === "flushed") this.#wasFlushed();
    else if (event === "resumed") this.#inflow.goOn();
    else if (event instanceof Broken) this.#forceClose(event.error);
    else this.#wasLost(event.error);
  }

  #made(): void {
    if (!this.#isUpgrade) this.tellProtocol("connectionMade", () => this.#protocol.connectionMade?.(this));
    // A connection that was lost before its protocol heard of it is not read.
    if (this.#state !== "closed") this.#channel.open(this);
    if (this.#state === "open" && this.#inflow.isPaused) this.#channel.pause();
  }

  #started(): void {
    if (this.#waiter !== null && !this.#waiter.done()) this.#waiter.setResult();
    this.#waiter = null;
  }

  #wasFlushed(): void {
    if (this.#state === "closed") return;
    const { pending } = this.#channel;
    this.#waterMarks.check(pending);
    if (pending > 0) return;
    this.#wakeSenders();
    if (this.#state === "closing") this.#finish();
  }

  #wasLost(error: unknown): void {
    this.#wakeSenders();
    this.tellProtocol("connectionLost", () => this.#protocol.connectionLost?.(error));
    this.#channel.destroy();
    this.#owner?._detach(this);
    this.#loop._release(this);
  }

  // --- sending

  #canWrite(caller: string): boolean {
    if (this.#eofWritten) throw new RuntimeError(`Cannot call ${caller}() after writeEof()`);
    if (this.#state === "open") return true;
    if (this.#state === "closing") return this.#channel.farewell === undefined;
    if (++this.#lateWrites === LOG_THRESHOLD_FOR_CONNLOST_WRITES) {
      getLogger().warning(`${caller}() to a connection that is lost: ${this.toString()}`);
    }
    return false;
  }

  #send(pieces: readonly Uint8Array[]): void {
    this.#channel.write(pieces);
    const error = this.#channel.error ?? null;
    // The system has refused it at once: who drains now must hear of it, unless something is to be received before.
    const isHeld = error !== null && [...this.#inflow.held, ...this.#inbox].some((it) => it instanceof Uint8Array);
    if (error !== null && !isHeld) this.#forceClose(error);
    else this.#waterMarks.check(this.#channel.pending);
  }

  /** @internal Waits until everything is sent, or the connection is lost. */
  *_allSent(): CoroutineGenerator<void> {
    if (this.#state === "closed" || this.#channel.pending === 0) return;
    const sender = this.#loop.createFuture();
    this.#senders.add(sender);
    try {
      yield* sender;
    } finally {
      this.#senders.delete(sender);
    }
  }

  #wakeSenders(): void {
    for (const sender of this.#senders) if (!sender.done()) sender.setResult();
  }

  // --- the end

  /** Nothing waits to be sent: the connection ends in good order, unless the system refused what was written last. */
  #finish(): void {
    const error = this.#channel.error ?? null;
    if (error !== null || this.#channel.farewell === undefined) {
      this.#lose(error);
      return;
    }
    this.#state = "leaving";
    this.#channel.farewell();
  }

  #forceClose(error: unknown): void {
    if (this.#state === "closed") return;
    this.#inflow.drop();
    this.#channel.destroy();
    this.#lose(error);
  }

  #lose(error: unknown): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (this.#loop.isClosed()) this.#loop._release(this);
    else this.#inbox.push(new Lost(error));
  }

  /** @internal The loop is closed: the protocol is told nothing more. */
  _abandon(): void {
    this.#state = "closed";
    this.#inflow.drop();
    this.#channel.destroy();
  }

  // --- STARTTLS

  /**
   * @internal Gives the channel away: the bytes that were not delivered. Nothing is read or written from here on, until
   * {@link _replacedBy} or {@link _failed} says how it went.
   *
   * @throws {RuntimeError} if the transport is closing.
   */
  _handOver(): readonly Uint8Array[] {
    if (this.#state !== "open") throw new RuntimeError(`${this.toString()} is closing`);
    this.#state = "handed over";
    this.#channel.pause();
    const unread = [...this.#inflow.held, ...this.#inbox].filter((event) => event instanceof Uint8Array);
    this.#inflow.drop();
    return unread;
  }

  /** @internal The connection and the protocol are `other`'s now. */
  _replacedBy(other: StreamTransport): void {
    this.#state = "closed";
    this.#loop._release(this);
    this.#owner?._replace(this, other);
  }

  /** @internal The upgrade failed and the connection is gone: the protocol is told. */
  _failed(error: unknown): void {
    this.#forceClose(error);
  }

  /** @internal */
  get _owner(): TransportOwner | null {
    return this.#owner;
  }

  /** @internal */
  get _channel(): ByteChannel {
    return this.#channel;
  }

  /** @internal Whether the protocol has been told to stop writing. */
  get _isWritingPaused(): boolean {
    return this.#waterMarks.isPaused;
  }

  /** @internal Whether the connection is gone. */
  get _isLost(): boolean {
    return this.#state === "closed";
  }

  toString(): string {
    const state = this.#state === "open" || this.#state === "closed" ? this.#state : "closing";
    const parts: string[] = [state, ...(this.#inflow.isPaused ? ["paused"] : [])];
    if (this.#eofWritten) parts.push("eof written");
    const peer = this.getExtraInfo("peername");
    if (peer !== null) parts.push(`peername=${repr(peer)}`);
    return `<${this.constructor.name} ${parts.join(" ")} pending=${this.getWriteBufferSize()}>`;
  }
}
inspectAsString("StreamTransport", StreamTransport);

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
