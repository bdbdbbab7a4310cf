/** A channel over one of Node's streams: a socket, a pipe, a terminal. @module */

import { Socket } from "node:net";
import type { Duplex, Readable, Writable } from "node:stream";
import type { ByteChannel, ByteChannelClient } from "../../core/network/byte-channels.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import { addressOf } from "./addresses.ts";
import type { ReadMemory } from "./fast-reads.ts";
import { unsentOf } from "./private-sockets.ts";

/** The streams of Node that a channel can be made of. */
export type NodeStream = Duplex | Readable | Writable;

export class StreamChannel implements ByteChannel {
  protected readonly stream: NodeStream;
  readonly #readable: Readable | null;
  readonly #writable: Writable | null;
  readonly #extra: Readonly<Record<string, unknown>>;
  #client: ByteChannelClient | null = null;
  /** Reports that came before `open`. */
  readonly #early: ((client: ByteChannelClient) => void)[] = [];
  /** The stream has ended: it sends no more. */
  #hasEnded: boolean = false;
  #eofWritten: boolean = false;
  /** The stream can only be written to: its end is reported at once. */
  readonly #hasNothingToRead: boolean;
  #isPaused: boolean = false;
  /** The stream was destroyed or handed over: nothing is reported any more. */
  #isSilent: boolean = false;
  readonly #written: (error?: Error | null) => void;

  /**
   * @param memory what the socket reads into, if it was made with the `onread` of it.
   * @param direction `read` or `write` to use the stream in one direction only.
   */
  constructor(stream: NodeStream, memory: ReadMemory | null = null, direction: "read" | "write" | "both" = "both") {
    this.stream = stream;
    this.#readable = direction !== "write" && "readable" in stream && stream.readable ? stream : null;
    this.#writable =
      direction !== "read" && "writable" in stream && (stream.writable || stream.destroyed) ? stream : null;
    this.#extra = extraInfoOf(stream);
    this.#written = (error) => {
      if (error === undefined || error === null) this.#client?.flushed();
    };
    // At once: when a child ends, Node reads its pipes to their end, and drops the data if nothing listens.
    if (memory === null) this.#readable?.on("data", this.#onData);
    else memory.onChunk = this.#onData;
    this.#readable?.pause();
    // The end of what is received is not the end of what is sent.
    if (stream instanceof Socket) stream.allowHalfOpen = true;
    this.#hasNothingToRead = this.#readable === null && direction === "both";
    // From the first moment on: an error without a listener ends the process.
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
    if (direction !== "write") stream.on("end", this.#onEnd);
    // All of this may have happened before.
    if (stream.errored !== null && stream.errored !== undefined) this.#onError(stream.errored);
    else if (stream.destroyed) this.#onClose();
    else if (direction !== "write" && "readableEnded" in stream && stream.readableEnded) this.#onEnd();
  }

  readonly #onError = (error: unknown): void => this.tell((client) => client.failed(error));

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.tell((client) => client.ended());
  };

  /** Node closes a socket whose two directions have ended; asyncio's transport stays open until it is closed. */
  readonly #onClose = (): void => {
    const isOver = this.#hasEnded && (this.#writable === null || this.#eofWritten);
    if (!isOver) this.tell((client) => client.closed());
  };

  readonly #onData = (chunk: unknown): void => {
    if (this.#isPaused) this.#readable?.pause();
    const bytes = chunk instanceof Uint8Array ? chunk : this.#bytesOf(chunk);
    if (this.#client === null) this.tell((client) => client.received(bytes));
    else this.#client.received(bytes);
  };

  /** A stream in object mode may carry text. */
  #bytesOf(chunk: unknown): Uint8Array {
    if (typeof chunk === "string") return Buffer.from(chunk);
    this.stream.destroy(new TypeError(`a stream of bytes was expected, and it brought ${repr(chunk)}`));
    return Buffer.alloc(0);
  }

  open(client: ByteChannelClient): void {
    this.#client = client;
    for (const event of this.#early.splice(0)) event(client);
    if (!this.#isPaused) this.#readable?.resume();
    if (this.#hasNothingToRead) client.ended();
  }

  getExtraInfo(name: string): unknown {
    return this.#extra[name];
  }

  pause(): void {
    this.#isPaused = true;
    this.#readable?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#readable?.resume();
  }

  write(pieces: readonly Uint8Array[]): void {
    const writable = this.#writable;
    if (writable === null) throw new RuntimeError(`this stream cannot be written to: ${repr(this.stream)}`);
    if (pieces.length === 1) {
      writable.write(pieces[0], this.#written);
      return;
    }
    writable.cork();
    for (const piece of pieces) writable.write(piece, this.#written);
    writable.uncork();
  }

  get pending(): number {
    return this.#writable?.writableLength ?? 0;
  }

  get error(): unknown {
    return this.stream.errored;
  }

  get progress(): number {
    return unsentOf(this.stream);
  }

  get canWriteEof(): boolean {
    return this.#writable !== null;
  }

  writeEof(): void {
    this.#eofWritten = true;
    this.#writable!.end();
  }

  destroy(): void {
    this.#isSilent = true;
    this.#client = null;
    this.stream.destroy();
  }

  /** Gives the stream away, for TLS; nothing is reported from here on. */
  handOver(): Readable {
    this.#readable?.pause();
    this.#isSilent = true;
    this.#client = null;
    const { stream } = this;
    stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose);
    return stream as Readable;
  }

  /** Tells the transport, now or when there is one. */
  protected tell(event: (client: ByteChannelClient) => void): void {
    if (this.#isSilent) return;
    if (this.#client === null) this.#early.push(event);
    else event(this.#client);
  }
}

/** The channel of a stream that is no socket: what was written is sent only when the stream says that it has finished. */
class FinishingChannel extends StreamChannel {
  #hasFinished: boolean = false;

  farewell(): void {
    const writable = this.stream as Writable;
    const finished = (): void => {
      this.#hasFinished = true;
      this.tell((client) => client.closed());
    };
    if (!this.canWriteEof || writable.writableFinished) {
      finished();
      return;
    }
    // A stream such as a transform finishes only if its other side is read.
    this.resume();
    writable.once("finish", finished).end();
  }

  /** Reads on for a moment, so that the other side comes to its end by itself; more data ends the stream at once. */
  override destroy(): void {
    if (!this.#hasFinished || !("readable" in this.stream) || !this.stream.readable) {
      super.destroy();
      return;
    }
    const stream = this.handOver();
    const end = (): void => void stream.destroy();
    const timer = setTimeout(end, LINGER_MILLISECONDS).unref();
    stream.once("close", () => clearTimeout(timer)).once("data", end);
    stream.resume();
  }
}

/** How long a stream that has finished is read on, until its other side ends. */
const LINGER_MILLISECONDS = 1000;

/** A channel over any of Node's streams. */
export function channelOver(stream: NodeStream, direction: "read" | "write" | "both" = "both"): StreamChannel {
  const isSocket = stream instanceof Socket || direction === "read";
  return isSocket ? new StreamChannel(stream, null, direction) : new FinishingChannel(stream, null, direction);
}

function extraInfoOf(stream: NodeStream): Record<string, unknown> {
  if (!(stream instanceof Socket)) return { pipe: stream };
  if (stream.remoteAddress === undefined && stream.localAddress === undefined) return { socket: stream, pipe: stream };
  return {
    socket: stream,
    peername: addressOf(stream.remoteAddress, stream.remotePort),
    sockname: addressOf(stream.localAddress, stream.localPort),
  };
}
