/** Streams over the network: a reader and a writer for each connection. @module */

import type { Coroutine, CoroutineGenerator } from "../core/coroutines.ts";
import { GeneratorCoroutine } from "../core/coroutines.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { getRunningLoop } from "../core/events.ts";
import type { Server } from "../core/server.ts";
import type { ClientConnectedCallback } from "../core/streams/stream-protocol.ts";
import { StreamReaderProtocol } from "../core/streams/stream-protocol.ts";
import { StreamReader } from "../core/streams/stream-reader.ts";
import { StreamWriter } from "../core/streams/stream-writer.ts";
import type { Streams } from "../core/streams/streams-over.ts";
import type { Transport } from "../core/transports.ts";
import type { ConnectionOptions, ServerOptions } from "./tcp.ts";
import { createConnection, createServer } from "./tcp.ts";
import type { UnixConnectionOptions, UnixServerOptions } from "./unix.ts";
import { createUnixConnection, createUnixServer } from "./unix.ts";

interface LimitOption {
  /** See the `limit` of a {@link StreamReader}; 64 KiB by default. */
  readonly limit?: number;
}

/**
 * Connects to `host` and `port`: a reader and a writer.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   await using server = await asyncio.startServer(
 *     async (reader, writer) => {
 *       for await (const line of reader) writer.write(line);
 *       writer.close();
 *     },
 *     "127.0.0.1",
 *     0,
 *   );
 *   const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
 *   writer.write("hello\n");
 *   assert.equal(String(await reader.readline()), "hello\n");
 *   writer.close();
 *   await writer.waitClosed();
 * });
 * ```
 *
 * @param options those of `loop.createConnection`, and `limit`.
 * @throws what the system says, such as `ECONNREFUSED`. Cancelled, the connection is closed.
 *
 * CPython: `asyncio.open_connection`.
 */
export function openConnection(
  host: string | null = null,
  port: number | string | null = null,
  options: ConnectionOptions & LimitOption = {},
): Coroutine<Streams> {
  const loop = getRunningLoop();
  const { makeProtocol, streams } = clientSide(loop, options);
  return new GeneratorCoroutine(streams(createConnection(loop, makeProtocol, host, port, options)), "openConnection");
}

/** {@link openConnection} to a Unix socket (on Windows: a named pipe). CPython: `asyncio.open_unix_connection`. */
export function openUnixConnection(
  path: string | null = null,
  options: UnixConnectionOptions & LimitOption = {},
): Coroutine<Streams> {
  const loop = getRunningLoop();
  const { makeProtocol, streams } = clientSide(loop, options);
  return new GeneratorCoroutine(streams(createUnixConnection(loop, makeProtocol, path, options)), "openUnixConnection");
}

/**
 * Listens at `host` and `port`, and calls `clientConnected(reader, writer)` for each client, as a task of its own.
 *
 * The connection stays open when the function returns: close the writer. If it fails, the error goes to the loop's
 * exception handler and the connection is closed; if it is cancelled, too.
 *
 * Clients that are slow on purpose are told off by `sslHandshakeTimeout`, `firstByteTimeout` and `idleTimeout`, and a
 * flood of them by `maxConnections`; none is set by default but the first, as in asyncio.
 *
 * @param options those of `loop.createServer`, and `limit`.
 *
 * CPython: `asyncio.start_server`.
 */
export function startServer(
  clientConnected: ClientConnectedCallback,
  host: string | null | readonly string[] = null,
  port: number | string | null = null,
  options: ServerOptions & LimitOption = {},
): Coroutine<Server> {
  const loop = getRunningLoop();
  const makeProtocol = serverSide(loop, clientConnected, options);
  return new GeneratorCoroutine(createServer(loop, makeProtocol, host, port, options), "startServer");
}

/** {@link startServer} at a Unix socket. CPython: `asyncio.start_unix_server`. */
export function startUnixServer(
  clientConnected: ClientConnectedCallback,
  path: string | null = null,
  options: UnixServerOptions & LimitOption = {},
): Coroutine<Server> {
  const loop = getRunningLoop();
  const makeProtocol = serverSide(loop, clientConnected, options);
  return new GeneratorCoroutine(createUnixServer(loop, makeProtocol, path, options), "startUnixServer");
}

function readerOptions(loop: AbstractEventLoop, { limit }: LimitOption): { loop: AbstractEventLoop; limit?: number } {
  return { loop, ...(limit === undefined ? {} : { limit }) };
}

function serverSide(
  loop: AbstractEventLoop,
  clientConnected: ClientConnectedCallback,
  options: LimitOption,
): () => StreamReaderProtocol {
  // A bad limit is the caller's mistake, and not one for each client to find.
  const checked = readerOptions(loop, options);
  void new StreamReader(checked);
  return () => new StreamReaderProtocol(new StreamReader(checked), clientConnected, { loop });
}

function clientSide(
  loop: AbstractEventLoop,
  options: LimitOption,
): {
  makeProtocol(): StreamReaderProtocol;
  streams(connecting: CoroutineGenerator<[Transport, StreamReaderProtocol]>): CoroutineGenerator<Streams>;
} {
  const reader = new StreamReader(readerOptions(loop, options));
  return {
    makeProtocol: () => new StreamReaderProtocol(reader, null, { loop }),
    *streams(connecting) {
      const [transport, protocol] = yield* connecting;
      return [reader, new StreamWriter(transport, protocol, reader, { loop })];
    },
  };
}
