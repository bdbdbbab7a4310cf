/** The Web's streams as ours, and ours as the Web's. @module */

import type { Channel, ChannelClient } from "../channels.ts";
import type { Coroutine } from "../coroutines.ts";
import { GeneratorCoroutine } from "../coroutines.ts";
import { getRunningLoop } from "../events.ts";
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
  close(): void;
  abort(): void;
}) => WebWritable;

/** How much is read for one pull, in bytes. */
const CHUNK = 64 * 1024;

/**
 * A reader and a writer over a pair of the Web's streams, such as those of a `CompressionStream` or a `WebTransport`.
 * They are theirs from here on. Without a `writable`, nothing can be written, and the other way round.
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
  const channel = new WebChannel(streams.readable, streams.writable);
  return new GeneratorCoroutine(streamsOver(getRunningLoop(), channel, options), "fromWebStreams");
}

/** A reader as a `ReadableStream` of bytes. Nothing is read before somebody asks; cancelling it stops nobody else. */
export function toReadableStream(reader: StreamReader): WebReadable {
  const loop = getRunningLoop();
  return new ReadableStream(
    {
      async pull(controller) {
        const chunk = await settled(loop.createTask(() => reader.read(CHUNK)));
        if (chunk.length === 0) controller.close();
        else controller.enqueue(chunk);
      },
      cancel() {},
    },
    { highWaterMark: 0 },
  );
}

/** A writer as a `WritableStream` of bytes. Closing or aborting it closes the writer. */
export function toWritableStream(writer: StreamWriter): WebWritable {
  const loop = getRunningLoop();
  return new WritableStream({
    async write(chunk) {
      writer.write(chunk);
      await settled(loop.createTask(() => writer.drain()));
    },
    close: () => writer.close(),
    abort: () => writer.close(),
  });
}

/** A future as a plain promise, for code that runs outside of any task. */
function settled<T>(
  future: PromiseLike<T> | { then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown): void },
): Promise<T> {
  return new Promise((resolve, reject) => {
    future.then(resolve, reject);
  });
}

class WebChannel implements Channel {
  readonly #reader: ReturnType<ReadableStreamLike["getReader"]> | null;
  readonly #writer: ReturnType<WritableStreamLike["getWriter"]> | null;
  #client: ChannelClient | null = null;
  #pending: number = 0;
  #isPaused: boolean = false;
  #isPulling: boolean = false;
  #eofWritten: boolean = false;

  constructor(readable: ReadableStreamLike | undefined, writable: WritableStreamLike | undefined) {
    this.#reader = readable?.getReader() ?? null;
    this.#writer = writable?.getWriter() ?? null;
  }

  open(client: ChannelClient): void {
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
    for (const piece of pieces) {
      this.#pending += piece.length;
      this.#writer!.write(piece).then(
        () => {
          this.#pending -= piece.length;
          this.#client?.flushed();
        },
        (error: unknown) => this.#client?.failed(error),
      );
    }
  }

  get pending(): number {
    return this.#pending;
  }

  get canWriteEof(): boolean {
    return this.#writer !== null;
  }

  writeEof(): void {
    this.#eofWritten = true;
    this.#writer!.close().catch((error: unknown) => this.#client?.failed(error));
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
        this.#client?.received(value!);
        this.#pull();
      },
      (error: unknown) => this.#client?.failed(error),
    );
  }
}

function ignore(): void {}
