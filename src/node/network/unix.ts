/** Unix sockets, and named pipes on Windows: connections by path. @module */

import * as net from "node:net";
import { linkSync, lstatSync, renameSync, rmSync } from "node:fs";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { repr } from "../../core/base/format.ts";
import type { StreamingProtocol, Transport } from "../../core/network/contracts.ts";
import type { Server } from "../../core/network/server.ts";
import { attach } from "../../core/network/stream-transport.ts";
import { readMemory } from "./fast-reads.ts";
import type { Reception } from "./listener.ts";
import { NetListener } from "./listener.ts";
import { StreamChannel } from "./stream-channel.ts";
import { checkNoSslOptions } from "./tls.ts";
import type { ConnectionOptions, ServerOptions } from "./tcp.ts";
import { clientTlsOf, connecting, DEFAULT_BACKLOG, receptionOf, secure, serve } from "./tcp.ts";

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

/** See `EventLoop.createUnixConnection`. */
export function* createUnixConnection<P extends StreamingProtocol>(
  loop: AbstractEventLoop,
  makeProtocol: () => P,
  path: string | null,
  options: UnixConnectionOptions,
): CoroutineGenerator<[Transport, P]> {
  checkNoSslOptions(options);
  if (options.ssl && options.serverHostname === undefined) {
    throw new RangeError("You must set serverHostname when using ssl");
  }
  checkPlace(path, options.sock);
  const tls = clientTlsOf(options);
  const channel = options.sock === undefined ? yield* connect(loop, path) : new StreamChannel(options.sock);
  const secured = tls === null ? channel : yield* secure(loop, channel, tls, options.serverHostname ?? null);
  return yield* attach(loop, secured, makeProtocol);
}

function* connect(loop: AbstractEventLoop, path: string | null): CoroutineGenerator<StreamChannel> {
  const memory = readMemory();
  const socket = new net.Socket({ allowHalfOpen: true, ...(memory === null ? {} : { onread: memory.onread }) });
  yield* connecting(loop, socket, { path: checkedPath(path) });
  return new StreamChannel(socket, memory);
}

/** See `EventLoop.createUnixServer`. */
export function* createUnixServer(
  loop: AbstractEventLoop,
  makeProtocol: () => StreamingProtocol,
  path: string | null,
  options: UnixServerOptions,
): CoroutineGenerator<Server> {
  const { sock } = options;
  checkPlace(path, sock);
  const reception = receptionOf(makeProtocol, options);
  if (sock !== undefined) return yield* serve(loop, [new NetListener(loop, {}, reception, sock)], options);
  const place = checkedPath(path);
  removeStale(place);
  return yield* serve(loop, [new UnixListener(loop, place, reception, options)], options);
}

class UnixListener extends NetListener {
  readonly #path: string;
  readonly #isKept: boolean;
  /** The file that this listener made: another server may have replaced it. */
  #inode: number | null = null;

  constructor(loop: AbstractEventLoop, path: string, reception: Reception, options: UnixServerOptions) {
    super(loop, { path, backlog: options.backlog ?? DEFAULT_BACKLOG }, reception);
    this.#path = path;
    this.#isKept = options.cleanupSocket === false;
  }

  override *listen(): CoroutineGenerator<void> {
    yield* super.listen();
    this.#inode = inodeOf(this.#path);
  }

  /** Libuv removes the file of that name, even if it is another server's by now: that one is moved aside for the moment. */
  override close(): void {
    const present = inodeOf(this.#path);
    if (!this.socket.listening || present === null || (present === this.#inode && !this.#isKept)) {
      super.close();
      return;
    }
    const refuge = `${this.#path}.${process.pid}-${Date.now()}`;
    let isSafe = true;
    try {
      linkSync(this.#path, refuge);
    } catch {
      // The file cannot be linked: it is not kept, and the server closes all the same.
      isSafe = false;
    }
    super.close();
    if (isSafe) renameSync(refuge, this.#path);
  }
}

/** Removes the socket's file that an earlier server left behind. A file of any other kind stays. */
function removeStale(path: string): void {
  try {
    if (lstatSync(path).isSocket()) rmSync(path);
  } catch {
    // There is none, or listening fails with the reason.
  }
}

function inodeOf(path: string | null): number | null {
  try {
    return path === null ? null : lstatSync(path).ino;
  } catch {
    return null;
  }
}

/** How many bytes the system's address of a Unix socket has room for. */
const LONGEST_PATH = process.platform === "linux" ? 107 : 103;

function checkPlace(path: string | null, sock: unknown): void {
  if (sock !== undefined && path !== null) throw new RangeError("path and sock can not be specified at the same time");
  if (sock === undefined && path === null) throw new RangeError("no path and sock were specified");
}

/** @throws for a path that is too long: the system would cut it off, and the socket would be elsewhere. */
function checkedPath(path: string | null): string {
  if (typeof path !== "string" || path === "") {
    throw new TypeError(`path: expected the path of a socket, received ${repr(path)}`);
  }
  const size = Buffer.byteLength(path);
  if (process.platform === "win32" || size <= LONGEST_PATH) return path;
  const message = `AF_UNIX path too long: ${path} has ${size} bytes, and ${LONGEST_PATH} are the most`;
  throw Object.assign(new Error(message), { code: "ENAMETOOLONG" });
}
