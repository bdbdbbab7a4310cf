/** UDP: datagrams. @module */

import * as dgram from "node:dgram";
import { isIP } from "node:net";
import { LOG_THRESHOLD_FOR_CONNLOST_WRITES } from "../../core/base/constants.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop, Resource } from "../../core/kernel/events.ts";
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

/** Where to, or where from. */
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
  /** Lets several processes receive at the same port, each its share. */
  readonly reusePort?: boolean;
  /** A socket that is bound already, instead of all this. */
  readonly sock?: dgram.Socket;
}

/** CPython counts so much for each datagram that waits, beside its bytes. */
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

/** Whom a socket that was made elsewhere is connected to. */
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
  #isClosing: boolean = false;
  #isLost: boolean = false;
  #lostWrites: number = 0;

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
    socket.on("close", () => this.#lose(null));
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
    return this.#isClosing;
  }

  sendto(data: Data, address: Place | null = null): void {
    const bytes = toBytes(data);
    const to = this.#remote === null ? checked(address) : this.#onlyPeer(address);
    if (this.#lostWrites > 0) {
      if (this.#lostWrites++ >= LOG_THRESHOLD_FOR_CONNLOST_WRITES)
        getLogger().warning(`sendto() on ${this.toString()}`);
      return;
    }
    const size = bytes.length + HEADER_BYTES;
    this.#pending += size;
    const sent = (problem: Error | null): void => {
      this.#pending -= size;
      if (problem !== null) this.#inbox.push({ problem });
      if (this.#waterMarks.isPaused || this.#isClosing) this.#inbox.push(() => this.#wasSent());
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
    this.#waterMarks.check(this.#pending);
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (this.#pending === 0) this.#lose(null);
  }

  abort(): void {
    this.#isClosing = true;
    this.#lose(null);
  }

  #happened(event: UdpEvent): void {
    if (typeof event === "function") event();
    else if ("lost" in event) this.#wasLost(event.lost);
    else if (this.#isClosing) return;
    else if ("problem" in event) this.#tell("errorReceived", () => this.#protocol.errorReceived?.(event.problem));
    else this.#tell("datagramReceived", () => this.#protocol.datagramReceived?.(event.data, event.from));
  }

  #wasSent(): void {
    if (this.#isLost) return;
    this.#waterMarks.check(this.#pending);
    if (this.#isClosing && this.#pending === 0) this.#lose(null);
  }

  #lose(lost: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#lostWrites ||= 1;
    this.#inbox.push({ lost });
  }

  #wasLost(error: unknown): void {
    this.#tell("connectionLost", () => this.#protocol.connectionLost?.(error));
    this.#closeSocket();
    this.#loop._release(this);
  }

  #made(): void {
    const failure = callProtocol(this.#loop, this, "connectionMade", () => this.#protocol.connectionMade?.(this));
    if (failure === null) return;
    this.#isClosing = true;
    this.#lose(failure.error);
  }

  /** What the protocol throws is reported. It ends nothing: anybody may send a datagram that is too much for it. */
  #tell(name: string, method: () => void): void {
    callProtocol(this.#loop, this, name, method);
  }

  _abandon(): void {
    this.#isClosing = true;
    this.#isLost = true;
    this.#closeSocket();
  }

  /** Whoever made the socket may have closed it. */
  #closeSocket(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed.
    }
  }

  toString(): string {
    const state = this.#isLost ? "closed" : this.#isClosing ? "closing" : "open";
    return `<DatagramTransport ${state} sockname=${repr(this.#sockname)} pending=${this.#pending}>`;
  }
}
inspectAsString(UdpTransport);

function checked(address: Place | null): Place {
  if (address === null) throw new RangeError("sendto: the endpoint is not connected, and no address was given");
  if (toPort(address.port) === 0) throw new RangeError("sendto: expected a port from 1 to 65535, received 0");
  if (isIP(address.host) === 0) throw new RangeError(`sendto: expected a numeric host, received ${repr(address.host)}`);
  return address;
}
