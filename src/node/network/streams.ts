/** Streams over the network: a reader and a writer for each connection. @module */

import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Server } from "../../core/network/server.ts";
import type { ClientConnectedCallback } from "../../core/network/streams/stream-protocol.ts";
import { StreamReaderProtocol } from "../../core/network/streams/stream-protocol.ts";
import { StreamReader } from "../../core/network/streams/stream-reader.ts";
import type { ClientSide, Streams } from "../../core/network/streams/streams-over.ts";
import { clientSide } from "../../core/network/streams/streams-over.ts";
import type { Transport } from "../../core/network/contracts.ts";
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
  const side = clientSide(loop, options);
  const connecting = createConnection(loop, () => side.protocol, host, port, options);
  return new GeneratorCoroutine(opened(side, connecting), "openConnection");
}

/** {@link openConnection} to a Unix socket (on Windows: a named pipe). CPython: `asyncio.open_unix_connection`. */
export function openUnixConnection(
  path: string | null = null,
  options: UnixConnectionOptions & LimitOption = {},
): Coroutine<Streams> {
  const loop = getRunningLoop();
  const side = clientSide(loop, options);
  const connecting = createUnixConnection(loop, () => side.protocol, path, options);
  return new GeneratorCoroutine(opened(side, connecting), "openUnixConnection");
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

function serverSide(
  loop: AbstractEventLoop,
  clientConnected: ClientConnectedCallback,
  options: LimitOption,
): () => StreamReaderProtocol {
  // A bad limit is the caller's mistake, and not one for each client to find.
  const { limit } = options;
  const checked = { loop, ...(limit === undefined ? {} : { limit }) };
  void new StreamReader(checked);
  return () => new StreamReaderProtocol(new StreamReader(checked), clientConnected, { loop });
}

function* opened(side: ClientSide, connecting: CoroutineGenerator<[Transport, unknown]>): CoroutineGenerator<Streams> {
  const [transport] = yield* connecting;
  return side.streams(transport);
}
