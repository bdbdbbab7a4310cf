/** Two sockets that are connected with each other. @module */

import { mkdtempSync, rmSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { connecting } from "./tcp.ts";

/**
 * A pair of sockets, connected through a folder that only this user may enter, so that no stranger can be at the other
 * end. A child's output and errors keep their order only if both are written to one socket.
 *
 * Weighed and refused: a pipe, which Node cannot make; a connection over 127.0.0.1, which any user may accept.
 */
export function* socketPair(
  loop: AbstractEventLoop,
): CoroutineGenerator<{ readonly ours: net.Socket; readonly theirs: net.Socket }> {
  const folder = process.platform === "win32" ? null : mkdtempSync(join(tmpdir(), "asyncio-"));
  const path = folder === null ? `\\\\.\\pipe\\asyncio-${process.pid}-${++pairsMade}` : join(folder, "pair");
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const theirs = new net.Socket({ allowHalfOpen: true });
  const accepted = loop.createFuture<net.Socket>();
  const fail = (error: unknown): void => {
    if (!accepted.done()) accepted.setException(error);
  };
  server.on("error", fail).once("connection", (socket: net.Socket) => {
    socket.on("error", () => {});
    if (accepted.done()) socket.destroy();
    else accepted.setResult(socket);
  });
  try {
    server.listen(path);
    yield* connecting(loop, theirs, { path });
    return { ours: yield* accepted, theirs };
  } catch (error) {
    theirs.destroy();
    if (accepted.done() && !accepted._failed && !accepted.cancelled()) accepted.result().destroy();
    throw error;
  } finally {
    server.close();
    accepted.logTraceback = false;
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

let pairsMade = 0;
