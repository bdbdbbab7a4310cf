/**
 * The transport of datagrams: asyncio's rules of order, over any {@link DatagramChannel}.
 *
 * | state     | it holds                                                                | next              |
 * | --------- | ------------------------------------------------------------------------ | ----------------- |
 * | `open`    | while datagrams go both ways                                             | any of the others |
 * | `closing` | from `close`, until the system has sent what was given to it             | `closed`          |
 * | `cut`     | when the socket was closed by other hands; what came before is delivered | `closed`          |
 * | `closed`  | for good; only `connectionLost` is still delivered                       | –                 |
 *
 * @module
 */

import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from "../base/constants.ts";
import { inspectAsString, repr } from "../base/format.ts";
import { getLogger } from "../base/log.ts";
import type { Resource } from "../base/resource.ts";
import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { Future } from "../kernel/futures.ts";
import { toBytes } from "./bytes.ts";
import type { Data, DatagramProtocol, DatagramTransport, SocketAddress, WriteBufferLimits } from "./contracts.ts";
import { callProtocol, Inbox } from "./inbox.ts";
import { WaterMarks } from "./water-marks.ts";

/** An address to send to. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What a channel tells its transport, in a turn of the loop or between turns. */
export interface DatagramChannelClient {
  received(data: Uint8Array, from: SocketAddress): void;
  /** The system reports a problem with what was sent. */
  failed(problem: unknown): void;
  /** The channel is closed, by whomever. */
  closed(): void;
}

/** What moves datagrams: a socket, or the network of a test. */
export interface DatagramChannel {
  /** Reports to `client` from now on. */
  open(client: DatagramChannelClient): void;
  getExtraInfo(name: string): unknown;
  /** @throws {RangeError} if nothing can be sent there. */
  checkPlace(place: Place): void;
  /** Sends one datagram, to the connected peer if `to` is `null`; `sent` is called when it has left, or with what failed. */
  send(data: Uint8Array, to: Place | null, sent: (problem: unknown) => void): void;
  /** Closes it at once. Closing twice does nothing. */
  destroy(): void;
}

/** What CPython adds to the size of a datagram that waits to be sent. */
const HEADER_BYTES = 8;

interface Datagram {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
}

type DatagramEvent = Datagram | { readonly problem: unknown } | { readonly lost: unknown } | (() => void);

/** CPython: `_SelectorDatagramTransport`. */
class PacketTransport implements DatagramTransport<SocketAddress, Place>, DatagramChannelClient, Resource {
  readonly #loop: AbstractEventLoop;
  readonly #channel: DatagramChannel;
  readonly #remote: SocketAddress | null;
  readonly #waterMarks: WaterMarks;
  readonly #inbox: Inbox<DatagramEvent>;
  #protocol: DatagramProtocol<SocketAddress, Place>;
  /** Bytes given to the system that it has not sent. */
  #pending: number = 0;
  #state: "open" | "closing" | "cut" | "closed" = "open";
  /** Datagrams that came too late to be sent. */
  #lateDatagrams: number = 0;

  constructor(
    loop: AbstractEventLoop,
    channel: DatagramChannel,
    protocol: DatagramProtocol<SocketAddress, Place>,
    remote: SocketAddress | null,
    waiter: Future<void>,
  ) {
    this.#loop = loop;
    this.#channel = channel;
    this.#protocol = protocol;
    this.#remote = remote;
    this.#waterMarks = new WaterMarks(loop, this);
    this.#inbox = new Inbox(loop, (event) => this.#happened(event));
    loop._adopt(this);
    channel.open(this);
    this.#inbox.push(() => this.#made());
    this.#inbox.push(() => {
      if (!waiter.done()) waiter.setResult();
    });
  }

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return (name === "peername" ? this.#remote : this.#channel.getExtraInfo(name)) ?? fallback;
  }

  getProtocol(): DatagramProtocol<SocketAddress, Place> {
    return this.#protocol;
  }

  setProtocol(protocol: DatagramProtocol<SocketAddress, Place>): void {
    this.#protocol = protocol;
  }

  isClosing(): boolean {
    return this.#state !== "open";
  }

  sendto(data: Data, address: Place | null = null): void {
    const bytes = toBytes(data);
    const to = this.#remote === null ? this.#checked(address) : this.#onlyPeer(address);
    if (this.#isOver) {
      if (++this.#lateDatagrams >= LOG_THRESHOLD_FOR_CONNLOST_WRITES)
        getLogger().warning(`sendto() on ${this.toString()}`);
      return;
    }
    const size = bytes.length + HEADER_BYTES;
    this.#pending += size;
    const sent = (problem: unknown): void => {
      this.#pending -= size;
      if (problem !== null) this.#inbox.push({ problem });
      if (this.#waterMarks.isPaused || this.#state === "closing") this.#inbox.push(() => this.#wasSent());
    };
    try {
      this.#channel.send(bytes, to, sent);
    } catch (error) {
      this.#pending -= size;
      throw error;
    }
    this.#waterMarks.check(this.#pending);
  }

  #checked(address: Place | null): Place {
    if (address === null) throw new RangeError("sendto: the endpoint is not connected, and no address was given");
    this.#channel.checkPlace(address);
    return address;
  }

  #onlyPeer(address: Place | null): null {
    const remote = this.#remote!;
    if (address === null || (address.host === remote.host && address.port === remote.port)) return null;
    throw new RangeError(`Invalid address: must be null or ${repr(remote)}, received ${repr(address)}`);
  }

  getWriteBufferSize(): number {
    return this.#pending;
  }

  getWriteBufferLimits(): { readonly low: number; readonly high: number } {
    return this.#waterMarks.limits;
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#waterMarks.setLimits(limits);
    if (!this.#isOver) this.#waterMarks.check(this.#pending);
  }

  close(): void {
    if (this.#state === "open" && this.#pending > 0) this.#state = "closing";
    else if (this.#state !== "closing") this.#end("closed", null);
  }

  abort(): void {
    this.#end("closed", null);
  }

  // --- what the channel calls

  received(data: Uint8Array, from: SocketAddress): void {
    this.#inbox.push({ data, from });
  }

  failed(problem: unknown): void {
    this.#inbox.push({ problem });
  }

  closed(): void {
    this.#end(this.#state === "open" ? "cut" : "closed", null);
  }

  // --- events, one a turn

  #happened(event: DatagramEvent): void {
    if (typeof event === "function") event();
    else if ("lost" in event) this.#wasLost(event.lost);
    else if (this.#state === "closing" || this.#state === "closed") return;
    else if ("problem" in event) this.#tell("errorReceived", () => this.#protocol.errorReceived?.(event.problem));
    else this.#tell("datagramReceived", () => this.#protocol.datagramReceived?.(event.data, event.from));
  }

  #wasSent(): void {
    if (this.#isOver) return;
    this.#waterMarks.check(this.#pending);
    if (this.#state === "closing" && this.#pending === 0) this.#end("closed", null);
  }

  /** Nothing is sent any more, and `connectionLost` is in the inbox or has been called. */
  get #isOver(): boolean {
    return this.#state === "cut" || this.#state === "closed";
  }

  #end(state: "cut" | "closed", lost: unknown): void {
    const wasOver = this.#isOver;
    if (!wasOver || state === "closed") this.#state = state;
    if (!wasOver) this.#inbox.push({ lost });
  }

  #wasLost(error: unknown): void {
    this.#tell("connectionLost", () => this.#protocol.connectionLost?.(error));
    this.#channel.destroy();
    this.#loop._release(this);
  }

  #made(): void {
    const failure = callProtocol(this.#loop, this, "connectionMade", () => this.#protocol.connectionMade?.(this));
    if (failure !== null) this.#end("closed", failure.error);
  }

  /** An error that the protocol throws is reported and ends nothing: it may be the fault of one stranger's datagram. */
  #tell(name: string, method: () => void): void {
    callProtocol(this.#loop, this, name, method);
  }

  _abandon(): void {
    this.#state = "closed";
    this.#channel.destroy();
  }

  toString(): string {
    const state = this.#isOver ? "closed" : this.#state;
    return `<DatagramTransport ${state} sockname=${repr(this.getExtraInfo("sockname"))} pending=${this.#pending}>`;
  }
}
inspectAsString("PacketTransport", PacketTransport);

/** @internal The transport of `channel`, when its protocol has been told. Cancelled meanwhile, it is closed. */
export function* attachDatagrams<P extends DatagramProtocol<SocketAddress, Place>>(
  loop: AbstractEventLoop,
  channel: DatagramChannel,
  makeProtocol: () => P,
  remote: SocketAddress | null,
): CoroutineGenerator<[DatagramTransport<SocketAddress, Place>, P]> {
  let protocol: P;
  try {
    protocol = makeProtocol();
  } catch (error) {
    channel.destroy();
    throw error;
  }
  const waiter = loop.createFuture();
  const transport = new PacketTransport(loop, channel, protocol, remote, waiter);
  try {
    yield* waiter;
  } catch (error) {
    transport.close();
    throw error;
  }
  return [transport, protocol];
}
