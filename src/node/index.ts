/**
 * asyncio-ts for Node.js, Bun and Deno.
 *
 * # Layout
 *
 * - `platform`: makes Node the platform, from `async-context`, `host` and `microtasks`.
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
