/**
 * Streams over the network, with Node's types: the functions are core's, whose options name no platform. Node's loop takes
 * a socket of Node's as `sock` and every option of Node's `tls` as `ssl`.
 *
 * @module
 */

import type { Body, Coroutine } from "../../core/kernel/coroutines.ts";
import type { Data } from "../../core/network/contracts.ts";
import type { Server } from "../../core/network/server.ts";
import type { LimitOption } from "../../core/network/streams/connections.ts";
import * as streams from "../../core/network/streams/connections.ts";
import type { StreamReader } from "../../core/network/streams/stream-reader.ts";
import type { StreamWriter } from "../../core/network/streams/stream-writer.ts";
import type { ConnectionOptions, ServerOptions } from "./tcp.ts";
import type { UnixConnectionOptions, UnixServerOptions } from "./unix.ts";

/** A {@link StreamReader} of a connection of Node's: its bytes are a `Buffer`. */
export interface BufferReader extends StreamReader {
  read(n?: number): Coroutine<Buffer>;
  readline(): Coroutine<Buffer>;
  readuntil(separator?: Data | readonly Data[]): Coroutine<Buffer>;
  readexactly(n: number): Coroutine<Buffer>;
  [Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined>;
}

/** What a connection gives. */
export type BufferStreams = [reader: BufferReader, writer: StreamWriter];

/** What a server calls for each client. */
export type BufferClientCallback = (reader: BufferReader, writer: StreamWriter) => ReturnType<Body<unknown>> | void;

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
) => Coroutine<BufferStreams> = streams.openConnection as never;

/** {@link openConnection} to a Unix socket (on Windows: a named pipe). CPython: `asyncio.open_unix_connection`. */
export const openUnixConnection: (
  path?: string | null,
  options?: UnixConnectionOptions & LimitOption,
) => Coroutine<BufferStreams> = streams.openUnixConnection as never;

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
  clientConnected: BufferClientCallback,
  host?: string | null | readonly string[],
  port?: number | string | null,
  options?: ServerOptions & LimitOption,
) => Coroutine<Server> = streams.startServer as never;

/** {@link startServer} at a Unix socket. CPython: `asyncio.start_unix_server`. */
export const startUnixServer: (
  clientConnected: BufferClientCallback,
  path?: string | null,
  options?: UnixServerOptions & LimitOption,
) => Coroutine<Server> = streams.startUnixServer as never;
