/**
 * UDP: datagrams.
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

import * as dgram from "node:dgram";
import { isIP } from "node:net";
import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from "../../core/base/constants.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { Resource } from "../../core/base/resource.ts";
import { WaterMarks } from "../../core/network/water-marks.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { callProtocol, Inbox } from "../../core/network/inbox.ts";
import { getLogger } from "../../core/base/log.ts";
import type {
  Data,
  DatagramProtocol,
  DatagramTransport,
  SocketAddress,
  WriteBufferLimits,
} from "../../core/network/contracts.ts";
import { toBytes } from "../../core/network/bytes.ts";
import type { ResolvingLoop } from "./addresses.ts";
import { addressOf, resolveBy, toPort } from "./addresses.ts";
import { untilEvent } from "./node-events.ts";
import { checkReusePort } from "./reuse-port.ts";

/** An address to send to. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Options of `createDatagramEndpoint`. */
export interface DatagramOptions {
  /** The address and port of this end; port 0 is a free one. */
  readonly localAddr?: { readonly host?: string; readonly port?: number };
  /** The one peer to send to and to receive from. */
  readonly remoteAddr?: Place;
  readonly family?: 0 | 4 | 6;
  readonly allowBroadcast?: boolean;
  /** Lets several processes receive at the same port; each gets a share of the datagrams. */
  readonly reusePort?: boolean;
  /** A socket that is bound already, instead of all the other options. */
  readonly sock?: dgram.Socket;
}

/** What CPython adds to the size of a datagram that waits to be sent. */
const HEADER_BYTES = 8;

/** See `EventLoop.createDatagramEndpoint`. */
export function* createDatagramEndpoint<P extends DatagramProtocol<SocketAddress, Place>>(
  loop: ResolvingLoop,
  makeProtocol: () => P,
  options: DatagramOptions,
): CoroutineGenerator<[DatagramTransport<SocketAddress, Place>, P]> {
  checkOptions(options);
  const remote = options.remoteAddr === undefined ? null : yield* first(loop, options.remoteAddr, options);
  const socket = options.sock ?? (yield* bound(loop, remote, options));
  const peer = remote ?? (options.sock === undefined ? null : peerOf(options.sock));
  let protocol: P;
  try {
    if (remote !== null) yield* untilEvent(loop, socket, "connect", () => socket.connect(remote.port, remote.host));
    if (options.allowBroadcast === true) socket.setBroadcast(true);
    protocol = makeProtocol();
  } catch (error) {
    socket.close();
    throw error;
  }
  const waiter = loop.createFuture();
  const transport = new UdpTransport(loop, socket, protocol, peer, waiter);
  try {
    yield* waiter;
  } catch (error) {
    transport.close();
    throw error;
  }
  return [transport, protocol];
}

function checkOptions({ sock, ...others }: DatagramOptions): void {
  const given = Object.entries(others).filter(([, value]) => value !== undefined && value !== false && value !== 0);
  if (sock !== undefined && given.length > 0) {
    throw new RangeError(`socket modifier keyword arguments can not be used when sock is specified: ${repr(given)}`);
  }
  if (others.reusePort === true) checkReusePort();
}

/** The peer of a socket that was made elsewhere, if it is connected. */
function peerOf(socket: dgram.Socket): SocketAddress | null {
  try {
    const { address, port } = socket.remoteAddress();
    return addressOf(address, port);
  } catch {
    return null;
  }
}

function* bound(
  loop: ResolvingLoop,
  remote: SocketAddress | null,
  options: DatagramOptions,
): CoroutineGenerator<dgram.Socket> {
  const { host = null, port = 0 } = options.localAddr ?? {};
  const unnamed = remote?.family === 6 || options.family === 6 ? "::" : "0.0.0.0";
  const local = yield* first(loop, { host: host ?? unnamed, port }, options);
  const socket = dgram.createSocket({
    type: local.family === 6 ? "udp6" : "udp4",
    ...(options.reusePort === true ? { reusePort: true } : {}),
  });
  try {
    yield* untilEvent(loop, socket, "listening", () => socket.bind({ port: local.port, address: local.host }));
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

function* first(loop: ResolvingLoop, place: Place, options: DatagramOptions): CoroutineGenerator<SocketAddress> {
  const [address] = yield* resolveBy(loop, place.host, place.port, options, ["127.0.0.1", "::1"]);
  if (address === undefined) throw new RangeError(`no address of that family: received ${repr(place)}`);
  return address;
}

interface Datagram {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
}

type UdpEvent = Datagram | { readonly problem: unknown } | { readonly lost: unknown } | (() => void);

/** CPython: `_SelectorDatagramTransport`. */
class UdpTransport implements DatagramTransport<SocketAddress, Place>, Resource {
  readonly #loop: AbstractEventLoop;
  readonly #socket: dgram.Socket;
  readonly #remote: SocketAddress | null;
  readonly #waterMarks: WaterMarks;
  readonly #inbox: Inbox<UdpEvent>;
  readonly #sockname: SocketAddress | null;
  #protocol: DatagramProtocol<SocketAddress, Place>;
  /** Bytes given to the system that it has not sent. */
  #pending: number = 0;
  #state: "open" | "closing" | "cut" | "closed" = "open";
  /** Datagrams that came too late to be sent. */
  #lateDatagrams: number = 0;

  constructor(
    loop: AbstractEventLoop,
    socket: dgram.Socket,
    protocol: DatagramProtocol<SocketAddress, Place>,
    remote: SocketAddress | null,
    waiter: Future<void>,
  ) {
    this.#loop = loop;
    this.#socket = socket;
    this.#protocol = protocol;
    this.#remote = remote;
    this.#waterMarks = new WaterMarks(loop, this);
    this.#inbox = new Inbox(loop, (event) => this.#happened(event));
    const { address, port } = socket.address();
    this.#sockname = addressOf(address, port);
    loop._adopt(this);
    socket.on("close", () => this.#end(this.#state === "open" ? "cut" : "closed", null));
    socket.on("error", (problem) => this.#inbox.push({ problem }));
    socket.on("message", (data, info) => {
      this.#inbox.push({ data, from: addressOf(info.address, info.port)! });
    });
    this.#inbox.push(() => this.#made());
    this.#inbox.push(() => {
      if (!waiter.done()) waiter.setResult();
    });
  }

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    const info: Record<string, unknown> = { socket: this.#socket, sockname: this.#sockname, peername: this.#remote };
    return info[name] ?? fallback;
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
    const to = this.#remote === null ? checked(address) : this.#onlyPeer(address);
    if (this.#isOver) {
      if (++this.#lateDatagrams >= LOG_THRESHOLD_FOR_CONNLOST_WRITES)
        getLogger().warning(`sendto() on ${this.toString()}`);
      return;
    }
    const size = bytes.length + HEADER_BYTES;
    this.#pending += size;
    const sent = (problem: Error | null): void => {
      this.#pending -= size;
      if (problem !== null) this.#inbox.push({ problem });
      if (this.#waterMarks.isPaused || this.#state === "closing") this.#inbox.push(() => this.#wasSent());
    };
    try {
      if (to === null) this.#socket.send(bytes, sent);
      else this.#socket.send(bytes, to.port, to.host, sent);
    } catch (error) {
      this.#pending -= size;
      throw error;
    }
    this.#waterMarks.check(this.#pending);
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

  #happened(event: UdpEvent): void {
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
    this.#closeSocket();
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
    this.#closeSocket();
  }

  /** The socket may be closed already: it may have been made elsewhere. */
  #closeSocket(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed.
    }
  }

  toString(): string {
    const state = this.#isOver ? "closed" : this.#state;
    return `<DatagramTransport ${state} sockname=${repr(this.#sockname)} pending=${this.#pending}>`;
  }
}
inspectAsString("UdpTransport", UdpTransport);

function checked(address: Place | null): Place {
  if (address === null) throw new RangeError("sendto: the endpoint is not connected, and no address was given");
  if (toPort(address.port) === 0) throw new RangeError("sendto: expected a port from 1 to 65535, received 0");
  if (isIP(address.host) === 0) throw new RangeError(`sendto: expected a numeric host, received ${repr(address.host)}`);
  return address;
}
