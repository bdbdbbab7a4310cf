/**
 * Streams over the network, with Node's types: the functions are core's, whose options name no platform. Node's loop takes
 * a socket of Node's as `sock` and every option of Node's `tls` as `ssl`.
 *
 * @module
 */

import type { Coroutine } from "../../core/kernel/coroutines.ts";
import type { Server } from "../../core/network/server.ts";
import type { LimitOption } from "../../core/network/streams/connections.ts";
import * as streams from "../../core/network/streams/connections.ts";
import type { ClientConnectedCallback } from "../../core/network/streams/stream-protocol.ts";
import type { Streams } from "../../core/network/streams/streams-over.ts";
import type { ConnectionOptions, ServerOptions } from "./tcp.ts";
import type { UnixConnectionOptions, UnixServerOptions } from "./unix.ts";

/**
 * Connects to `host` and `port`, by the running loop's `createConnection`: a reader and a writer.
 *
 * @param options those of `loop.createConnection`, and `limit`.
 * @throws the system's error, such as `ECONNREFUSED`. Cancelled, the connection is closed.
 *
 * CPython: `asyncio.open_connection`.
 */
export const openConnection: (
  host?: string | null,
  port?: number | string | null,
  options?: ConnectionOptions & LimitOption,
) => Coroutine<Streams> = streams.openConnection;

/** {@link openConnection} to a Unix socket (on Windows: a named pipe). CPython: `asyncio.open_unix_connection`. */
export const openUnixConnection: (
  path?: string | null,
  options?: UnixConnectionOptions & LimitOption,
) => Coroutine<Streams> = streams.openUnixConnection;

/**
 * Listens at `host` and `port`, by the running loop's `createServer`, and calls `clientConnected(reader, writer)` for each
 * client, as a task of its own.
 *
 * The connection stays open when the function returns: close the writer. If the function fails, the error goes to the
 * loop's exception handler and the connection is closed; if it is cancelled, the connection is closed too.
 *
 * `sslHandshakeTimeout`, `firstByteTimeout` and `idleTimeout` end the connections of clients that are slow on purpose,
 * and `maxConnections` bounds a flood of clients. As in asyncio, only the first is set by default.
 *
 * @param options those of `loop.createServer`, and `limit`.
 *
 * CPython: `asyncio.start_server`.
 */
export const startServer: (
  clientConnected: ClientConnectedCallback,
  host?: string | null | readonly string[],
  port?: number | string | null,
  options?: ServerOptions & LimitOption,
) => Coroutine<Server> = streams.startServer;

/** {@link startServer} at a Unix socket. CPython: `asyncio.start_unix_server`. */
export const startUnixServer: (
  clientConnected: ClientConnectedCallback,
  path?: string | null,
  options?: UnixServerOptions & LimitOption,
) => Coroutine<Server> = streams.startUnixServer;
