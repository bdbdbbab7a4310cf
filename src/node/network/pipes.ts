/** Pipes, terminals and other streams of the process as byte channels. @module */

import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { isatty, ReadStream, WriteStream } from "node:tty";
import { repr } from "../../core/base/format.ts";
import type { NodeStream, StreamChannel } from "./stream-channel.ts";
import { channelOver } from "./stream-channel.ts";

/** What `connectReadPipe` and `connectWritePipe` take: a stream of Node's, or a file descriptor. */
export type Pipe = NodeStream | number;

/** The channel of a pipe to be read from. */
export function readPipe(pipe: Pipe): StreamChannel {
  const stream = typeof pipe === "number" ? open(pipe, "read") : pipe;
  if (!("readable" in stream) || !stream.readable)
    throw new RangeError(`pipe: expected one that can be read from, received ${repr(pipe)}`);
  return channelOver(stream, "read");
}

/** The channel of a pipe to be written to. */
export function writePipe(pipe: Pipe): StreamChannel {
  const stream = typeof pipe === "number" ? open(pipe, "write") : pipe;
  if (!("writable" in stream) || !stream.writable)
    throw new RangeError(`pipe: expected one that can be written to, received ${repr(pipe)}`);
  return channelOver(stream, "write");
}

function open(fd: number, direction: "read" | "write"): NodeStream {
  const kind = fstatSync(fd);
  if (isatty(fd)) return direction === "read" ? new ReadStream(fd) : new WriteStream(fd);
  if (!kind.isFIFO() && !kind.isSocket() && !kind.isCharacterDevice()) {
    throw new RangeError(
      `Pipe transport is for pipes, sockets and terminals only: received the descriptor ${fd} of a file`,
    );
  }
  return new Socket({ fd, readable: direction === "read", writable: direction === "write", allowHalfOpen: true });
}
