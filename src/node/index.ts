/**
 * asyncio-ts for Node.js, Bun and Deno.
 *
 * # Layout
 *
 * - `platform`: makes Node the platform, from `async-context`, `host` and `microtasks`.
 * - `events`: the loop with asyncio's methods for the network and the system, each a call into the file of its subject:
 *   `tcp`, `unix`, `tls`, `start-tls`, `udp`, `pipes`, `subprocess-transport`, `signals`, `sendfile`, `addresses`.
 * - `stream-channel`, `fast-reads`, `private-sockets`, `listener`, `node-events`: Node's sockets and servers as channels
 *   and listeners of the core.
 * - `streams`, `subprocess`, `node-streams`: readers and writers for connections, child processes and Node's streams.
 * - everything else is `core`.
 *
 * @module
 */

import "./platform.ts";

export * from "../core/index.ts";
export type { AddressOptions } from "./addresses.ts";
export { EventLoop, getRunningLoop, newEventLoop } from "./events.ts";
export { NodeHost } from "./host.ts";
export { fromNodeStream, toNodeStream } from "./node-streams.ts";
export type { Pipe } from "./pipes.ts";
export type { SendfileOptions } from "./sendfile.ts";
export { openConnection, openUnixConnection, startServer, startUnixServer } from "./streams.ts";
export type { Output, ProcessOptions } from "./subprocess.ts";
export { createSubprocessExec, createSubprocessShell, Process } from "./subprocess.ts";
export type { Stdio, SubprocessOptions } from "./subprocess-transport.ts";
export { DEVNULL, PIPE, STDOUT } from "./subprocess-transport.ts";
export type { ConnectionOptions, ServerOptions } from "./tcp.ts";
export type { Ssl, SslTimeouts } from "./tls.ts";
export type { DatagramOptions, Place } from "./udp.ts";
export type { UnixConnectionOptions, UnixServerOptions } from "./unix.ts";
