/** UDP: datagrams. @module */

import * as dgram from "node:dgram";
import { isIP } from "node:net";
import { repr } from "../../core/base/format.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { DatagramProtocol, DatagramTransport, SocketAddress } from "../../core/network/contracts.ts";
import type { DatagramChannel, DatagramChannelClient, Place } from "../../core/network/datagram-transport.ts";
import { attachDatagrams } from "../../core/network/datagram-transport.ts";
import { toPort } from "../../core/network/ports.ts";
import type { ResolvingLoop } from "./addresses.ts";
import { addressOf, resolveBy } from "./addresses.ts";
import { untilEvent } from "./node-events.ts";
import { checkReusePort } from "./reuse-port.ts";

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
  try {
    if (remote !== null) yield* untilEvent(loop, socket, "connect", () => socket.connect(remote.port, remote.host));
    if (options.allowBroadcast === true) socket.setBroadcast(true);
  } catch (error) {
    socket.close();
    throw error;
  }
  return yield* attachDatagrams(loop, new UdpChannel(socket), makeProtocol, peer);
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

/** A socket of Node's. */
class UdpChannel implements DatagramChannel {
  readonly #socket: dgram.Socket;
  readonly #sockname: SocketAddress | null;

  constructor(socket: dgram.Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.#sockname = addressOf(address, port);
  }

  open(client: DatagramChannelClient): void {
    this.#socket.on("close", () => client.closed());
    this.#socket.on("error", (problem) => client.failed(problem));
    this.#socket.on("message", (data, info) => client.received(data, addressOf(info.address, info.port)!));
  }

  getExtraInfo(name: string): unknown {
    return name === "socket" ? this.#socket : name === "sockname" ? this.#sockname : undefined;
  }

  checkPlace({ host, port }: Place): void {
    if (toPort(port) === 0) throw new RangeError("sendto: expected a port from 1 to 65535, received 0");
    if (isIP(host) === 0) throw new RangeError(`sendto: expected a numeric host, received ${repr(host)}`);
  }

  send(data: Uint8Array, to: Place | null, sent: (problem: unknown) => void): void {
    if (to === null) this.#socket.send(data, sent);
    else this.#socket.send(data, to.port, to.host, sent);
  }

  destroy(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed: it may have been made elsewhere.
    }
  }
}
