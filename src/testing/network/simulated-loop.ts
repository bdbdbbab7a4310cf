/**
 * The loop of a simulated host: `openConnection`, `startServer` and `createDatagramEndpoint` ask it for the network, and so
 * run on it unchanged. TLS is not simulated, and neither are Unix sockets.
 *
 * @module
 */

import { repr } from "../../core/base/format.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { sleep } from "../../core/coordination/sleep.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { BaseEventLoop } from "../../core/loop/base-events.ts";
import type { Host } from "../../core/loop/host.ts";
import type { Scheduler } from "../../core/loop/scheduler.ts";
import { connectFirst } from "../../core/network/connect-first.ts";
import type {
  DatagramProtocol,
  DatagramTransport,
  SocketAddress,
  StreamingProtocol,
  Transport,
} from "../../core/network/contracts.ts";
import type { Place } from "../../core/network/datagram-transport.ts";
import { attachDatagrams } from "../../core/network/datagram-transport.ts";
import type { ConnectionOptions, NetworkLoop, ServerOptions } from "../../core/network/network-loop.ts";
import { toPort } from "../../core/network/ports.ts";
import { Server } from "../../core/network/server.ts";
import { attach } from "../../core/network/stream-transport.ts";
import { dial } from "./dial.ts";
import { systemError } from "./errors.ts";
import { SimulatedDatagrams } from "./simulated-datagrams.ts";
import { SimulatedListener } from "./simulated-listener.ts";
import type { Fabric } from "./stack.ts";
import { EVERYWHERE, LOOPBACK, Stack } from "./stack.ts";

/** Options of `createDatagramEndpoint`, as far as they name no platform. */
export interface SimulatedDatagramOptions {
  readonly localAddr?: { readonly host?: string; readonly port?: number };
  readonly remoteAddr?: Place;
  readonly family?: 0 | 4 | 6;
  readonly allowBroadcast?: boolean;
}

const DEFAULT_BACKLOG = 100;

/** The loop of one boot of a host. Its programs get it from `getRunningLoop()`. */
export class SimulatedLoop extends BaseEventLoop implements Pick<NetworkLoop, "createConnection" | "createServer"> {
  /** @internal */
  readonly _stack: Stack;

  /** @internal */
  constructor(host: Host, scheduler: Scheduler | null, fabric: Fabric, address: string) {
    super(host, scheduler === null ? {} : { scheduler });
    this._stack = new Stack(fabric, address, this);
  }

  createConnection<P extends StreamingProtocol>(
    makeProtocol: () => P,
    host: string | null = null,
    port: number | string | null = null,
    options: ConnectionOptions = {},
  ): Coroutine<[Transport, P]> {
    refuse(options);
    return new GeneratorCoroutine(this.#connecting(makeProtocol, host, port, options), "createConnection");
  }

  *#connecting<P extends StreamingProtocol>(
    makeProtocol: () => P,
    host: string | null,
    port: number | string | null,
    options: ConnectionOptions,
  ): CoroutineGenerator<[Transport, P]> {
    const addresses = yield* this.#resolve(host, port, options.family, LOOPBACK);
    const end = yield* connectFirst(addresses, options, (address) => dial(this._stack, address, options.localAddr));
    return yield* attach(this, end, makeProtocol, host === null ? {} : { extra: { host } });
  }

  createServer(
    makeProtocol: () => StreamingProtocol,
    host: string | null | readonly string[] = null,
    port: number | string | null = null,
    options: ServerOptions = {},
  ): Coroutine<Server> {
    refuse(options);
    return new GeneratorCoroutine(this.#serving(makeProtocol, host, port, options), "createServer");
  }

  *#serving(
    makeProtocol: () => StreamingProtocol,
    host: string | null | readonly string[],
    port: number | string | null,
    options: ServerOptions,
  ): CoroutineGenerator<Server> {
    const { firstByteTimeout, idleTimeout, backlog = DEFAULT_BACKLOG } = options;
    const reception = {
      makeProtocol,
      ...(firstByteTimeout === undefined ? {} : { firstByteTimeout }),
      ...(idleTimeout === undefined ? {} : { idleTimeout }),
    };
    const hosts = Array.isArray(host) ? (host as readonly string[]) : [host as string | null];
    const places = new Map<string, SocketAddress>();
    for (const one of hosts) {
      for (const address of yield* this.#resolve(one, port, options.family, EVERYWHERE)) {
        this._stack.checkOwn(address.host, "listen");
        places.set(address.host, address);
      }
    }
    const listeners = Array.from(
      places.values(),
      (place) => new SimulatedListener(this._stack, place.host, place.port, reception, backlog),
    );
    const server = new Server(this, listeners, options.maxConnections);
    for (const listener of listeners) listener.server = server;
    if (options.startServing !== false) yield* server.startServing();
    return server;
  }

  /** Sends and receives datagrams; see `EventLoop.createDatagramEndpoint`. */
  createDatagramEndpoint<P extends DatagramProtocol<SocketAddress, Place>>(
    makeProtocol: () => P,
    options: SimulatedDatagramOptions = {},
  ): Coroutine<[DatagramTransport<SocketAddress, Place>, P]> {
    refuse(options);
    return new GeneratorCoroutine(this.#binding(makeProtocol, options), "createDatagramEndpoint");
  }

  *#binding<P extends DatagramProtocol<SocketAddress, Place>>(
    makeProtocol: () => P,
    { localAddr = {}, remoteAddr, family, allowBroadcast = false }: SimulatedDatagramOptions,
  ): CoroutineGenerator<[DatagramTransport<SocketAddress, Place>, P]> {
    const [remote = null] =
      remoteAddr === undefined ? [] : yield* this.#resolve(remoteAddr.host, remoteAddr.port, family, LOOPBACK);
    const [local] = yield* this.#resolve(localAddr.host ?? null, localAddr.port ?? 0, family, EVERYWHERE);
    this._stack.checkOwn(local!.host, "bind");
    const channel = new SimulatedDatagrams(this._stack, local!, remote, allowBroadcast);
    return yield* attachDatagrams(this, channel, makeProtocol, remote);
  }

  /** The addresses of `host`: a name of the network's, or an address. */
  getaddrinfo(
    host: string | null,
    port: number | string,
    options: { readonly family?: 0 | 4 | 6 } = {},
  ): Coroutine<SocketAddress[]> {
    return new GeneratorCoroutine(this.#resolve(host, port, options.family, LOOPBACK), "getaddrinfo");
  }

  *#resolve(
    host: string | null,
    port: number | string | null,
    family: 0 | 4 | 6 | undefined,
    unnamed: string,
  ): CoroutineGenerator<SocketAddress[]> {
    if (port === null) throw new RangeError(`host and port must be given: received port ${repr(port)}`);
    const number = toPort(port);
    if (family === 6) throw notFound(String(host));
    const addresses = yield* this.#addressesOf(host, unnamed);
    return addresses.map((address) => ({ host: address, port: number, family: 4 }));
  }

  *#addressesOf(host: string | null, unnamed: string): CoroutineGenerator<readonly string[]> {
    if (host === null || host === "" || host === "::") return [unnamed];
    if (host === "localhost" || host === "::1") return [LOOPBACK];
    if (/^\d+(?:\.\d+){3}$/.test(host)) return [host];
    const { fabric } = this._stack;
    if (fabric.resolveTime > 0) yield* sleep(fabric.resolveTime);
    const addresses = fabric.resolve(host);
    if (addresses.length === 0) throw notFound(host);
    return addresses;
  }
}

function notFound(host: string): Error {
  return systemError("ENOTFOUND", "getaddrinfo", host, { hostname: host });
}

/** @throws {RuntimeError} for what a simulated network has not. */
function refuse(options: object): void {
  const { ssl, sock } = options as { readonly ssl?: unknown; readonly sock?: unknown };
  if (ssl !== undefined && ssl !== false) {
    throw new RuntimeError("a simulated network has no TLS: leave out ssl, and test it over a real connection");
  }
  if (sock !== undefined) throw new RuntimeError("a simulated network has no sockets of the system's: leave out sock");
}
