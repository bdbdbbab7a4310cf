/** TCP: connections to a host, and servers. @module */

import type { ListenOptions, Socket } from "node:net";
import * as net from "node:net";
import { networkInterfaces } from "node:os";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { toSeconds } from "../../core/base/duration.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { repr } from "../../core/base/format.ts";
import type {
  ConnectionOptions as PortableConnectionOptions,
  ServerOptions as PortableServerOptions,
} from "../../core/network/network-loop.ts";
import type { SocketAddress, StreamingProtocol, Transport } from "../../core/network/contracts.ts";
import { Server } from "../../core/network/server.ts";
import { connectFirst } from "../../core/network/connect-first.ts";
import { attach } from "../../core/network/stream-transport.ts";
import type { ResolvingLoop } from "./addresses.ts";
import { resolveBy } from "./addresses.ts";
import { readMemory } from "./fast-reads.ts";
import type { Reception } from "./listener.ts";
import { NetListener } from "./listener.ts";
import { untilEvent } from "./node-events.ts";
import { checkReusePort } from "./reuse-port.ts";
import { StreamChannel } from "./stream-channel.ts";
import type { Ssl, SslTimeouts } from "./tls.ts";
import { checkNoSslOptions, ClientTls, ServerTls } from "./tls.ts";

/** Options of `createConnection` and `openConnection`. */
export interface ConnectionOptions extends PortableConnectionOptions {
  /** TLS: `true`, or the options of Node's `tls.connect`. */
  readonly ssl?: Ssl | boolean;
  /** A socket that is connected already, instead of host and port. */
  readonly sock?: Socket;
}

/** Options of `createServer` and `startServer`. */
export interface ServerOptions extends PortableServerOptions {
  /** TLS: the options of Node's `tls.createServer`, with `key` and `cert`. */
  readonly ssl?: Ssl;
  /** A server of Node's to accept from, instead of host and port. */
  readonly sock?: net.Server;
}

/** The extra info under which a transport keeps the host it was connected to: the name that STARTTLS expects. */
export const CONNECTED_HOST = "host";

/** See `EventLoop.createConnection`. */
export function* createConnection<P extends StreamingProtocol>(
  loop: ResolvingLoop,
  makeProtocol: () => P,
  host: string | null,
  port: number | string | null,
  options: ConnectionOptions,
): CoroutineGenerator<[Transport, P]> {
  checkConnection(host, port, options);
  const tls = clientTlsOf(options);
  const channel =
    options.sock === undefined ? yield* connect(loop, host, port!, options) : new StreamChannel(options.sock);
  const secured = tls === null ? channel : yield* secure(loop, channel, tls, options.serverHostname ?? host);
  return yield* attach(loop, secured, makeProtocol, host === null ? {} : { extra: { [CONNECTED_HOST]: host } });
}

/** The TLS that the options ask for, or `null`. */
export function clientTlsOf(options: SslTimeouts & { readonly ssl?: Ssl | boolean }): ClientTls | null {
  const { ssl } = options;
  return ssl === undefined || ssl === false ? null : new ClientTls(ssl, options);
}

/** `channel` under TLS. */
export function* secure(
  loop: AbstractEventLoop,
  channel: StreamChannel,
  tls: ClientTls,
  serverHostname: string | null,
): CoroutineGenerator<StreamChannel> {
  return yield* tls.connect(loop, channel.handOver() as Socket, serverHostname);
}

function* connect(
  loop: ResolvingLoop,
  host: string | null,
  port: number | string,
  options: ConnectionOptions,
): CoroutineGenerator<StreamChannel> {
  const addresses = yield* resolveBy(loop, host, port, options, ["127.0.0.1", "::1"]);
  return yield* connectFirst(addresses, options, (address) => connectTo(loop, address, options));
}

/** One attempt, at one address. */
function* connectTo(
  loop: AbstractEventLoop,
  address: SocketAddress,
  options: ConnectionOptions,
): CoroutineGenerator<StreamChannel> {
  const memory = readMemory();
  const socket = new net.Socket({ allowHalfOpen: true, ...(memory === null ? {} : { onread: memory.onread }) });
  const { host: localAddress, port: localPort } = options.localAddr ?? {};
  yield* connecting(loop, socket, {
    host: address.host,
    port: address.port,
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  });
  return new StreamChannel(socket, memory);
}

/** Connects `socket`. Cancelled meanwhile, it is closed. */
export function* connecting(
  loop: AbstractEventLoop,
  socket: Socket,
  options: net.TcpSocketConnectOpts | net.IpcSocketConnectOpts,
): CoroutineGenerator<void> {
  // The socket may break before a channel listens.
  socket.on("error", () => {});
  try {
    socket.pause();
    yield* untilEvent(loop, socket, "connect", () => socket.connect(options));
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function checkConnection(host: string | null, port: number | string | null, options: ConnectionOptions): void {
  checkNoSslOptions(options);
  if (options.ssl && options.serverHostname === undefined && host === null) {
    throw new RangeError("You must set serverHostname when using ssl without a host");
  }
  if (options.sock === undefined) {
    if (port === null) throw new RangeError(`host and port, or sock, must be given: received port ${repr(port)}`);
  } else if (host !== null || port !== null) {
    throw new RangeError("host and port can not be given together with sock");
  }
}

/** See `EventLoop.createServer`. */
export function* createServer(
  loop: ResolvingLoop,
  makeProtocol: () => StreamingProtocol,
  host: string | null | readonly string[],
  port: number | string | null,
  options: ServerOptions,
): CoroutineGenerator<Server> {
  const { sock } = options;
  if (sock !== undefined && (host !== null || port !== null)) {
    throw new RangeError("host and port can not be given together with sock");
  }
  if (sock === undefined && port === null) throw new RangeError("Neither a port nor sock was given");
  if (options.reusePort === true) checkReusePort();
  const reception = receptionOf(makeProtocol, options);
  const places = sock === undefined ? yield* placesOf(loop, host, port!, options) : [{}];
  const listeners = places.map((place) => new NetListener(loop, place, reception, sock));
  return yield* serve(loop, listeners, options);
}

/** What a server does with each client, from its options. */
export function receptionOf(makeProtocol: () => StreamingProtocol, options: ServerOptions): Reception {
  const { ssl, firstByteTimeout, idleTimeout } = options;
  checkNoSslOptions(options);
  if (typeof ssl === "boolean") throw new TypeError("ssl: a server needs { key, cert }, received a boolean");
  if (firstByteTimeout !== undefined) toSeconds(firstByteTimeout, "firstByteTimeout");
  if (idleTimeout !== undefined) toSeconds(idleTimeout, "idleTimeout");
  return {
    makeProtocol,
    tls: ssl === undefined ? null : new ServerTls(ssl, options),
    keepAlive: options.keepAlive === true,
    ...(firstByteTimeout === undefined ? {} : { firstByteTimeout }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  };
}

/** The server of `listeners`; it serves unless `startServing` is `false`. */
export function* serve(
  loop: AbstractEventLoop,
  listeners: readonly NetListener[],
  options: Pick<ServerOptions, "maxConnections" | "startServing">,
): CoroutineGenerator<Server> {
  const server = new Server(loop, listeners, options.maxConnections);
  for (const listener of listeners) listener.server = server;
  if (options.startServing !== false) yield* server.startServing();
  return server;
}

function* placesOf(
  loop: ResolvingLoop,
  host: string | null | readonly string[],
  port: number | string,
  options: ServerOptions,
): CoroutineGenerator<ListenOptions[]> {
  const hosts = Array.isArray(host) ? (host as readonly string[]) : [host as string | null];
  const places = new Map<string, ListenOptions>();
  for (const one of hosts) {
    for (const address of yield* resolveBy(loop, one, port, options, everywhere())) {
      places.set(address.host, {
        host: address.host,
        port: address.port,
        backlog: options.backlog ?? DEFAULT_BACKLOG,
        ipv6Only: address.family === 6,
        ...(options.reusePort === true ? { reusePort: true } : {}),
      });
    }
  }
  return [...places.values()];
}

/** How many connections may wait to be accepted. */
export const DEFAULT_BACKLOG = 100;

/** All addresses of this machine; those of IPv6 only if it has any. */
function everywhere(): string[] {
  const interfaces = Object.values(networkInterfaces()).flat();
  return interfaces.some((one) => one?.family === "IPv6") ? ["0.0.0.0", "::"] : ["0.0.0.0"];
}
