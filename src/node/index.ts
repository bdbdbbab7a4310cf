/**
 * asyncio-ts for Node.js, Bun and Deno.
 *
 * # Layout
 *
 * - `platform/`: what Node lends the loop: `async-context`, `host`, `microtasks`, `process-events`. `install` makes it the
 *   platform.
 * - `events`: the loop with asyncio's methods for the network and the system, each a call into the file of its subject:
 *   `tcp`, `unix`, `tls`, `start-tls`, `udp`, `pipes`, `subprocess-transport`, `signals`, `sendfile`, `addresses`.
 * - `stream-channel`, `fast-reads`, `private-sockets`, `listener`, `node-events`: Node's sockets and servers as channels
 *   and listeners of the core.
 * - `subprocess`, `node-streams`: readers and writers for child processes and Node's streams. `streams`: core's functions
 *   for connections, with Node's types.
 * - everything else is `core`.
 *
 * @module
 */

import "./install.ts";

export * from "../core/index.ts";
export type { AddressOptions } from "./network/addresses.ts";
export { EventLoop, getRunningLoop, newEventLoop } from "./events.ts";
export type { ProcessPoolOptions } from "./executors/process-pool.ts";
export { ProcessPoolExecutor } from "./executors/process-pool.ts";
export type { ThreadPoolOptions } from "./executors/thread-pool.ts";
export { ThreadPoolExecutor } from "./executors/thread-pool.ts";
export { toThread } from "./executors/to-thread.ts";
export type { WorkerOptions } from "./executors/worker-pool.ts";
export { NodeHost } from "./platform/host.ts";
export { fromNodeStream, toNodeStream } from "./network/node-streams.ts";
export type { Pipe } from "./network/pipes.ts";
export type { SendfileOptions } from "./network/sendfile.ts";
export type { BufferClientCallback, BufferReader, BufferStreams } from "./network/streams.ts";
export { openConnection, openUnixConnection, startServer, startUnixServer } from "./network/streams.ts";
export type { Output, ProcessOf, ProcessOptions } from "./processes/subprocess.ts";
export { createSubprocessExec, createSubprocessShell, Process } from "./processes/subprocess.ts";
export type { Stdio, SubprocessOptions } from "./processes/subprocess-transport.ts";
export { DEVNULL, PIPE, STDOUT } from "./processes/subprocess-transport.ts";
export type { ConnectionOptions, ServerOptions } from "./network/tcp.ts";
export type { Ssl, SslTimeouts } from "./network/tls.ts";
export type { Place } from "../core/network/datagram-transport.ts";
export type { DatagramOptions } from "./network/udp.ts";
export type { UnixConnectionOptions, UnixServerOptions } from "./network/unix.ts";
