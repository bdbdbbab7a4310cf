/**
 * The contract of a loop that has a network. Streams call these methods of the running loop and nothing below them, so a
 * subclass of a loop, or a loop over another network, carries unmodified programs.
 *
 * Core has no such loop: on Node.js it is `EventLoop`. The options are asyncio's, as far as no platform is named in
 * them; Node's loop takes more in `ssl` and `sock`. Weighed and refused: an object of its own for the network, handed to
 * `run` beside the loop. asyncio's programs call methods of the loop, and so a subclass can change one of them alone.
 *
 * @module
 */

import type { Duration } from "../base/duration.ts";
import { RuntimeError } from "../base/exceptions.ts";
import type { Coroutine } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { StartTlsOptions, StreamingProtocol, TlsOptions, Transport } from "./contracts.ts";
import type { PeerTimeouts } from "./peer-timeouts.ts";
import type { Server } from "./server.ts";

/** A loop that has a network. A loop may lack some of these methods; what needs one of them then says so. */
export interface NetworkLoop extends AbstractEventLoop {
  /** Connects to `host` and `port`: a transport, and the protocol that `makeProtocol` made for it. */
  createConnection<P extends StreamingProtocol>(
    makeProtocol: () => P,
    host?: string | null,
    port?: number | string | null,
    options?: ConnectionOptions,
  ): Coroutine<[Transport, P]>;

  /** Listens at `port` of `host`, or of several; each client has a transport, and a protocol made by `makeProtocol`. */
  createServer(
    makeProtocol: () => StreamingProtocol,
    host?: string | null | readonly string[],
    port?: number | string | null,
    options?: ServerOptions,
  ): Coroutine<Server>;

  /** {@link createConnection} by the path of a socket. */
  createUnixConnection<P extends StreamingProtocol>(
    makeProtocol: () => P,
    path?: string | null,
    options?: UnixConnectionOptions,
  ): Coroutine<[Transport, P]>;

  /** {@link createServer} at the path of a socket. */
  createUnixServer(
    makeProtocol: () => StreamingProtocol,
    path?: string | null,
    options?: UnixServerOptions,
  ): Coroutine<Server>;

  /** Goes on under TLS on `transport`: a new transport, whose protocol is `protocol`. */
  startTls(
    transport: Transport,
    protocol: StreamingProtocol,
    tls: TlsOptions,
    options?: StartTlsOptions & { readonly serverSide?: boolean },
  ): Coroutine<Transport>;
}

/** Options of `createConnection` and `openConnection`. */
export interface ConnectionOptions extends StartTlsOptions {
  /** TLS: `true`, or the options of the platform's TLS. */
  readonly ssl?: TlsOptions | boolean;
  /** The name the server's certificate must have; the host by default. An empty one is not checked. */
  readonly serverHostname?: string;
  /** Only addresses of IPv4 or of IPv6. */
  readonly family?: 0 | 4 | 6;
  /** The address and port of this end. */
  readonly localAddr?: { readonly host?: string; readonly port?: number };
  /**
   * Tries the next address when one has not answered for this long, and takes the first that does (RFC 8305; 0.25 is
   * recommended). Without it, an address is tried when the one before has failed.
   */
  readonly happyEyeballsDelay?: Duration;
  /**
   * How many addresses of the first family come first; then the families take turns. 1 with `happyEyeballsDelay`; else 0,
   * which leaves the order as it is.
   */
  readonly interleave?: number;
  /** Raises an `ExceptionGroup` with the error of each address. */
  readonly allErrors?: boolean;
  /** A socket of the platform's that is connected already, instead of host and port. */
  readonly sock?: object;
}

/** Options of `createServer` and `startServer`. */
export interface ServerOptions extends Omit<StartTlsOptions, "serverHostname">, PeerTimeouts {
  /** TLS: the options of the platform's TLS, with `key` and `cert`. */
  readonly ssl?: TlsOptions;
  /** Only addresses of IPv4 or of IPv6. */
  readonly family?: 0 | 4 | 6;
  /** How many connections may wait to be accepted; 100 by default. */
  readonly backlog?: number;
  /** Lets several processes listen at the same port, where the system and this version of Node.js can do so. */
  readonly reusePort?: boolean;
  /** Has the system find out about peers that are gone. */
  readonly keepAlive?: boolean;
  /** Listens at once (by default), or when `startServing` is called. */
  readonly startServing?: boolean;
  /** Connections beyond this number are closed when they come. */
  readonly maxConnections?: number;
  /** A server of the platform's to accept from, instead of host and port. */
  readonly sock?: object;
}

/** Options of `createUnixConnection` and `openUnixConnection`. */
export type UnixConnectionOptions = Pick<
  ConnectionOptions,
  "ssl" | "serverHostname" | "sslHandshakeTimeout" | "sslShutdownTimeout" | "sock"
>;

/** Options of `createUnixServer` and `startUnixServer`. */
export interface UnixServerOptions extends Omit<ServerOptions, "family" | "reusePort" | "keepAlive"> {
  /** Removes the socket's file when the server closes, as by default. */
  readonly cleanupSocket?: boolean;
}

/**
 * @internal Whether `loop` can do what `caller` needs.
 *
 * @throws {RuntimeError} if it has no method of that name.
 */
export function checkHas(loop: AbstractEventLoop, method: string, caller: string): void {
  if (typeof (loop as unknown as Readonly<Record<string, unknown>>)[method] === "function") return;
  throw new RuntimeError(
    `${caller}() needs a loop that has ${method}(), and ${loop.constructor.name} has none: ` +
      `run on a loop with a network, such as EventLoop on Node.js, or give the method to a subclass of this one`,
  );
}
