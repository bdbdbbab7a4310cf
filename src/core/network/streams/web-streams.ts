/** The Web's streams as ours, and ours as the Web's. @module */

import type { ByteChannel, ByteChannelClient } from "../byte-channels.ts";
import type { Coroutine } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { getRunningLoop } from "../../kernel/events.ts";
import { ConnectionResetError, RuntimeError } from "../../base/exceptions.ts";
import type { Future } from "../../kernel/futures.ts";
import type { Task } from "../../kernel/tasks.ts";
import { sameKind, toBytes } from "../bytes.ts";
import { repr } from "../../base/format.ts";
import type { StreamReader } from "./stream-reader.ts";
import type { StreamWriter } from "./stream-writer.ts";
import type { Streams } from "./streams-over.ts";
import { streamsOver } from "./streams-over.ts";

/** A `ReadableStream` of bytes, as far as the library reads one. */
export interface ReadableStreamLike {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** A `WritableStream` of bytes, as far as the library writes one. */
export interface WritableStreamLike {
  getWriter(): {
    write(chunk: Uint8Array): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
  };
}

/** The platform's own type where it is declared. */
export type WebReadable = typeof globalThis extends { ReadableStream: { prototype: infer S } } ? S : ReadableStreamLike;
/** The platform's own type where it is declared. */
export type WebWritable = typeof globalThis extends { WritableStream: { prototype: infer S } } ? S : WritableStreamLike;

declare const ReadableStream: new (
  source: {
    pull(controller: { enqueue(chunk: Uint8Array): void; close(): void }): Promise<void>;
    cancel(): void;
  },
  strategy: { readonly highWaterMark: number },
) => WebReadable;

declare const WritableStream: new (sink: {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(): void;
}) => WebWritable;

/** How much is read for one pull, in bytes. */
const CHUNK = 64 * 1024;

/**
 * A reader and a writer over a pair of the Web's streams, such as those of a `CompressionStream` or a `WebTransport`,
 * which nothing else may use from here on. Without a `writable`, writing is an error; without a `readable`, no byte and no
 * end ever comes.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const [reader, writer] = await asyncio.fromWebStreams(new TransformStream<Uint8Array, Uint8Array>());
 *   writer.write("there and back\n");
 *   assert.equal(new TextDecoder().decode(await reader.readline()), "there and back\n");
 * });
 * ```
 *
 * @param options `limit`: see {@link StreamReader}.
 */
export function fromWebStreams(
  streams: { readonly readable?: ReadableStreamLike; readonly writable?: WritableStreamLike },
  options: { readonly limit?: number } = {},
): Coroutine<Streams> {
  const loop = getRunningLoop();
  const channel = new WebChannel(loop, streams.readable, streams.writable);
  return new GeneratorCoroutine(streamsOver(loop, channel, options), "fromWebStreams");
}

/** A reader as a `ReadableStream` of bytes. It reads when it is read from, and no more once it is cancelled. */
export function toReadableStream(reader: StreamReader): WebReadable {
  const loop = getRunningLoop();
  let reading: Task<Uint8Array> | null = null;
  return new ReadableStream(
    {
      async pull(controller) {
        reading = loop.createTask(() => reader.read(CHUNK));
        const chunk = await settled(reading);
        reading = null;
        if (chunk.length === 0) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => void reading?.cancel(),
    },
    { highWaterMark: 0 },
  );
}

/** A writer as a `WritableStream` of bytes. Closing it closes the writer, and so does a write that fails. */
export function toWritableStream(writer: StreamWriter): WebWritable {
  const loop = getRunningLoop();
  return new WritableStream({
    async write(chunk) {
      try {
        writer.write(chunk);
        await settled(loop.createTask(() => writer.drain()));
      } catch (error) {
        writer.close();
        throw error;
      }
    },
    async close() {
      writer.close();
      await settled(loop.createTask(() => writer.waitClosed()));
    },
    abort: () => writer.transport.abort(),
  });
}

/** A future as a plain promise. It is not a wait of the running task, so cancelling that task does not cancel the future. */
function settled<T>(future: Future<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    future._onDone(() => future._settle(resolve, reject));
  });
}

class WebChannel implements ByteChannel {
  readonly #loop: AbstractEventLoop;
  readonly #reader: ReturnType<ReadableStreamLike["getReader"]> | null;
  readonly #writer: ReturnType<WritableStreamLike["getWriter"]> | null;
  #client: ByteChannelClient | null = null;
  #pending: number = 0;
  #isPaused: boolean = false;
  #isPulling: boolean = false;
  #eofWritten: boolean = false;

  constructor(
    loop: AbstractEventLoop,
    readable: ReadableStreamLike | undefined,
    writable: WritableStreamLike | undefined,
  ) {
    this.#loop = loop;
    this.#reader = readable?.getReader() ?? null;
    this.#writer = writable?.getWriter() ?? null;
  }

  open(client: ByteChannelClient): void {
    this.#client = client;
    this.#pull();
  }

  getExtraInfo(): undefined {
    return undefined;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#pull();
  }

  write(pieces: readonly Uint8Array[]): void {
    const writer = this.#writer;
    if (writer === null) throw new RuntimeError("this stream cannot be written to: it has no writable");
    for (const piece of pieces) {
      this.#pending += piece.length;
      writer.write(piece).then(
        () => {
          this.#pending -= piece.length;
          this.#client?.flushed();
        },
        (error: unknown) => this.#failed(error),
      );
    }
  }

  /** A stream may be aborted without a reason. */
  #failed(error: unknown): void {
    this.#client?.failed(error ?? new ConnectionResetError("the stream was broken off"));
  }

  get pending(): number {
    return this.#pending;
  }

  get canWriteEof(): boolean {
    return this.#writer !== null;
  }

  writeEof(): void {
    this.#eofWritten = true;
    this.#writer!.close().catch((error: unknown) => this.#failed(error));
  }

  destroy(): void {
    if (this.#client === null) return;
    this.#client = null;
    this.#reader?.cancel().catch(ignore);
    if (this.#eofWritten) return;
    const end = this.#pending === 0 ? this.#writer?.close() : this.#writer?.abort();
    end?.catch(ignore);
  }

  #pull(): void {
    if (this.#reader === null || this.#isPulling || this.#isPaused || this.#client === null) return;
    this.#isPulling = true;
    this.#reader.read().then(
      ({ done, value }) => {
        this.#isPulling = false;
        if (done) {
          this.#client?.ended();
          return;
        }
        const bytes = bytesOf(value);
        if (bytes === null) {
          this.#failed(new TypeError(`a stream of bytes was expected, and it brought ${repr(value)}`));
          return;
        }
        this.#client?.received(sameKind(bytes));
        // In a turn of its own: a stream that always has more must not starve the loop, and may be paused by then.
        if (!this.#loop.isClosed()) this.#loop.callSoon(() => this.#pull());
      },
      (error: unknown) => this.#failed(error),
    );
  }
}

/** The bytes of a chunk of any type that has some; else `null`. */
function bytesOf(chunk: unknown): Uint8Array | null {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string") return toBytes(chunk);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  return ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : null;
}

function ignore(): void {}
