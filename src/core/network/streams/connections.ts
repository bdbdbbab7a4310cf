/**
 * Streams over the network: a reader and a writer for each connection.
 *
 * What connects and listens is the running loop: each function is one call of its method, with a protocol between the
 * loop's transport and the reader and writer.
 *
 * @module
 */

import type { Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { getRunningLoop } from "../../kernel/events.ts";
import type { Transport } from "../contracts.ts";
import type {
  ConnectionOptions,
  NetworkLoop,
  ServerOptions,
  UnixConnectionOptions,
  UnixServerOptions,
} from "../network-loop.ts";
import { checkHas } from "../network-loop.ts";
import type { Server } from "../server.ts";
import type { ClientConnectedCallback } from "./stream-protocol.ts";
import { StreamReaderProtocol } from "./stream-protocol.ts";
import { StreamReader } from "./stream-reader.ts";
import type { ClientSide, Streams } from "./streams-over.ts";
import { clientSide } from "./streams-over.ts";

/** How much a reader holds. */
export interface LimitOption {
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
 * @param options those of the running loop's `createConnection`, which is what connects, and `limit`.
 * @throws {RuntimeError} if the running loop has no network.
 * @throws the system's error, such as `ECONNREFUSED`. Cancelled, the connection is closed.
 *
 * CPython: `asyncio.open_connection`.
 */
export function openConnection(
  host: string | null = null,
  port: number | string | null = null,
  options: ConnectionOptions & LimitOption = {},
): Coroutine<Streams> {
  const loop = runningLoop("createConnection", "openConnection");
  const side = clientSide(loop, options);
  const connect = (): Connecting => loop.createConnection(() => side.protocol, host, port, options);
  return new GeneratorCoroutine(connected(side, connect), "openConnection");
}

/** {@link openConnection} to a Unix socket (on Windows: a named pipe). CPython: `asyncio.open_unix_connection`. */
export function openUnixConnection(
  path: string | null = null,
  options: UnixConnectionOptions & LimitOption = {},
): Coroutine<Streams> {
  const loop = runningLoop("createUnixConnection", "openUnixConnection");
  const side = clientSide(loop, options);
  const connect = (): Connecting => loop.createUnixConnection(() => side.protocol, path, options);
  return new GeneratorCoroutine(connected(side, connect), "openUnixConnection");
}

/**
 * Listens at `host` and `port`, and calls `clientConnected(reader, writer)` for each client, as a task of its own.
 *
 * The connection stays open when the function returns: close the writer. If the function fails, the error goes to the
 * loop's exception handler and the connection is closed; if it is cancelled, the connection is closed too.
 *
 * `sslHandshakeTimeout`, `firstByteTimeout` and `idleTimeout` end the connections of clients that are slow on purpose,
 * and `maxConnections` bounds a flood of clients. As in asyncio, only the first is set by default.
 *
 * @param options those of the running loop's `createServer`, which is what listens, and `limit`.
 * @throws {RuntimeError} if the running loop has no network.
 *
 * CPython: `asyncio.start_server`.
 */
export function startServer(
  clientConnected: ClientConnectedCallback,
  host: string | null | readonly string[] = null,
  port: number | string | null = null,
  options: ServerOptions & LimitOption = {},
): Coroutine<Server> {
  const loop = runningLoop("createServer", "startServer");
  const makeProtocol = serverSide(loop, clientConnected, options);
  return new GeneratorCoroutine(
    listening(() => loop.createServer(makeProtocol, host, port, options)),
    "startServer",
  );
}

/** {@link startServer} at a Unix socket. CPython: `asyncio.start_unix_server`. */
export function startUnixServer(
  clientConnected: ClientConnectedCallback,
  path: string | null = null,
  options: UnixServerOptions & LimitOption = {},
): Coroutine<Server> {
  const loop = runningLoop("createUnixServer", "startUnixServer");
  const makeProtocol = serverSide(loop, clientConnected, options);
  return new GeneratorCoroutine(
    listening(() => loop.createUnixServer(makeProtocol, path, options)),
    "startUnixServer",
  );
}

type Connecting = Coroutine<[Transport, unknown]>;

/** @throws {RuntimeError} if the running loop has no such method. */
function runningLoop(method: keyof NetworkLoop, caller: string): NetworkLoop {
  const loop = getRunningLoop() as NetworkLoop;
  checkHas(loop, method, caller);
  return loop;
}

/** The loop is asked when the coroutine runs: one that is never awaited must not leave a second behind, of the loop's. */
function* connected(side: ClientSide, connect: () => Connecting): CoroutineGenerator<Streams> {
  const [transport] = yield* connect();
  return side.streams(transport);
}

function* listening(listen: () => Coroutine<Server>): CoroutineGenerator<Server> {
  return yield* listen();
}

function serverSide(
  loop: AbstractEventLoop,
  clientConnected: ClientConnectedCallback,
  { limit }: LimitOption,
): () => StreamReaderProtocol {
  const options = { loop, ...(limit === undefined ? {} : { limit }) };
  // A bad limit is the caller's mistake: it is raised here, and not for each client.
  void new StreamReader(options);
  return () => new StreamReaderProtocol(new StreamReader(options), clientConnected, { loop });
}
