/** StreamReader: bytes that can be waited for. @module */

import { STREAM_LIMIT } from "../../base/constants.ts";
import type { Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { Attempt } from "../../kernel/attempts.ts";
import type { KernelLoop } from "../../kernel/contract.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { getRunningLoop } from "../../kernel/events.ts";
import { IncompleteReadError, LimitOverrunError, RuntimeError } from "../../base/exceptions.ts";
import { inspectAsString, repr } from "../../base/format.ts";
import { Future } from "../../kernel/futures.ts";
import { toBytes } from "../bytes.ts";
import type { Data, ReadTransport } from "../contracts.ts";
import { allocate } from "../bytes.ts";
import { ByteBuffer, indexOf } from "./byte-buffer.ts";

/** Options of a {@link StreamReader}. */
export interface StreamReaderOptions {
  /**
   * How long a line may be, in bytes; 64 KiB by default. The transport stops reading when twice as much is held.
   */
  readonly limit?: number;
  /** The loop it belongs to; the running one by default. */
  readonly loop?: AbstractEventLoop;
}

/**
 * Reads from a stream of bytes: `read`, `readline`, `readuntil`, `readexactly`, and line by line with `for await`.
 *
 * - It returns bytes: `Buffer`s on Node.js, so that `String(line)` is their text.
 * - One task at a time may wait.
 * - Cancelling a read loses nothing: the bytes stay in the reader.
 * - When it holds twice its limit, the transport stops reading, and backpressure reaches the peer.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const reader = new asyncio.StreamReader();
 *   reader.feedData(new TextEncoder().encode("first\nsecond\n"));
 *   reader.feedEof();
 *   const lines: string[] = [];
 *   for await (const line of reader) lines.push(new TextDecoder().decode(line));
 *   assert.deepEqual(lines, ["first\n", "second\n"]);
 * });
 * ```
 *
 * CPython: `asyncio.StreamReader`.
 */
export class StreamReader {
  readonly #limit: number;
  readonly #loop: AbstractEventLoop;
  readonly #buffer: ByteBuffer = new ByteBuffer();
  #hasEnded: boolean = false;
  /** The read that waits for bytes, if one does. */
  #waiter: Future<unknown> | null = null;
  /** What the connection was lost with: raised by every read from then on. */
  #error: { readonly value: unknown } | null = null;
  #transport: ReadTransport | null = null;
  /** The transport was told to stop reading, because too much is held. */
  #isPaused: boolean = false;

  /** @throws {RangeError} if the limit is not more than zero. */
  constructor(options: StreamReaderOptions = {}) {
    const { limit = STREAM_LIMIT } = options;
    if (!(limit > 0)) throw new RangeError(`Limit cannot be <= 0: received ${repr(limit)}`);
    this.#limit = limit;
    this.#loop = options.loop ?? getRunningLoop();
  }

  // --- reading

  /**
   * Waits for bytes and returns up to `n` of them; none at the end of the stream. Without `n` it reads to the end.
   *
   * @throws what the connection was lost with.
   */
  read(n: number = -1): Coroutine<Uint8Array> {
    if (!Number.isInteger(n)) throw new RangeError(`read size must be a whole number: received ${repr(n)}`);
    return n > 0 ? new Read(this, n) : new GeneratorCoroutine(this.#reading(n), "StreamReader.read");
  }

  /**
   * Reads a line, with the `\n` at its end; at the end of the stream the rest, which may be empty.
   *
   * @throws {RangeError} if the line is longer than the limit; it is dropped then. CPython: `ValueError`.
   */
  readline(): Coroutine<Uint8Array> {
    return new GeneratorCoroutine(this.#readingLine(), "StreamReader.readline");
  }

  /**
   * Reads up to and with `separator`; of several, the one that ends first.
   *
   * @throws {IncompleteReadError} if the stream ends before; its `partial` has what came.
   * @throws {LimitOverrunError} if no separator comes within the limit; the bytes stay in the reader.
   */
  readuntil(separator: Data | readonly Data[] = "\n"): Coroutine<Uint8Array> {
    const separators = Array.isArray(separator) ? (separator as readonly Data[]) : [separator as Data];
    const patterns = separators.map((one) => toBytes(one)).toSorted((a, b) => a.length - b.length);
    if (patterns.length === 0) throw new RangeError("Separator should contain at least one element");
    if (patterns.some((one) => one.length === 0)) throw new RangeError("Separator should be at least one-byte string");
    return new GeneratorCoroutine(this.#readingUntil(patterns), "StreamReader.readuntil");
  }

  /**
   * Reads exactly `n` bytes.
   *
   * @throws {IncompleteReadError} if the stream ends before; its `partial` has what came.
   */
  readexactly(n: number): Coroutine<Uint8Array> {
    if (!(n >= 0)) throw new RangeError(`readexactly size can not be less than zero: received ${repr(n)}`);
    if (!Number.isInteger(n)) throw new RangeError(`readexactly size must be a whole number: received ${repr(n)}`);
    return new GeneratorCoroutine(this.#readingExactly(n), "StreamReader.readexactly");
  }

  /** The lines, until the stream ends. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, undefined> {
    return { next: () => new GeneratorCoroutine(this.#nextLine(), "StreamReader.readline") };
  }

  *#nextLine(): CoroutineGenerator<IteratorResult<Uint8Array, void>> {
    const line = yield* this.readline();
    return line.length > 0 ? { done: false, value: line } : { done: true, value: undefined };
  }

  /** Whether the stream has ended and everything was read. */
  atEof(): boolean {
    return this.#hasEnded && this.#buffer.size === 0;
  }

  /** What the connection was lost with, or `null`. */
  exception(): unknown {
    return this.#error?.value ?? null;
  }

  // --- what the protocol calls

  setException(error: unknown): void {
    this.#error = { value: error };
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter !== null && !waiter.done()) waiter.setException(error);
  }

  setTransport(transport: ReadTransport): void {
    if (this.#transport !== null) throw new RuntimeError("Transport already set");
    this.#transport = transport;
  }

  /** @internal After STARTTLS. What came before is gone: it must not be read as if it had come under TLS. */
  _replaceTransport(transport: ReadTransport): void {
    this.#transport = transport;
    this.#isPaused = false;
  }

  /**
   * @internal Takes out the bytes that were not read, for STARTTLS.
   *
   * @throws {RuntimeError} if a task waits for bytes: it would get those of the handshake.
   */
  _takeUnread(): Uint8Array {
    this._checkNotWaitedFor();
    return this.#takeAll();
  }

  #takeAll(): Uint8Array {
    return this.#buffer.take(this.#buffer.size);
  }

  /** @internal */
  _checkNotWaitedFor(): void {
    if (this.#waiter !== null) throw new RuntimeError("startTls: another task is reading; let it end first");
  }

  /** Adds bytes. @throws {RuntimeError} after `feedEof`. */
  feedData(data: Uint8Array): void {
    if (this.#hasEnded) throw new RuntimeError("feedData after feedEof");
    if (data.length === 0) return;
    this.#buffer.add(data);
    this.#wake();
    if (this.#transport === null || this.#isPaused || this.#buffer.size <= 2 * this.#limit) return;
    this.#transport.pauseReading();
    this.#isPaused = true;
  }

  /** The stream has ended. */
  feedEof(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter !== null && !waiter.done()) waiter.setResult(undefined);
  }

  // --- waiting

  *#reading(n: number): CoroutineGenerator<Uint8Array> {
    this.#raise();
    return n === 0 ? allocate(0) : yield* this.#readingAll();
  }

  *#readingAll(): CoroutineGenerator<Uint8Array> {
    const blocks = new ByteBuffer();
    for (;;) {
      const block = yield* this.read(this.#limit);
      if (block.length === 0) return blocks.take(blocks.size);
      blocks.add(block);
    }
  }

  *#readingLine(): CoroutineGenerator<Uint8Array> {
    try {
      return yield* this.#readingUntil([NEWLINE]);
    } catch (error) {
      if (error instanceof IncompleteReadError) return error.partial;
      if (!(error instanceof LimitOverrunError)) throw error;
      const isWhole = indexOf(this.#buffer.view, NEWLINE, error.consumed) === error.consumed;
      this.#buffer.drop(isWhole ? error.consumed + NEWLINE.length : this.#buffer.size);
      this.#maybeResume();
      throw new RangeError(error.message, { cause: error });
    }
  }

  *#readingUntil(separators: readonly Uint8Array[]): CoroutineGenerator<Uint8Array> {
    this.#raise();
    const longest = separators.at(-1)!.length;
    let from = 0;
    for (;;) {
      const found = firstOf(separators, this.#buffer.view, from);
      if (found !== null) {
        if (found.start > this.#limit) {
          throw new LimitOverrunError("Separator is found, but chunk is longer than limit", found.start);
        }
        const taken = this.#buffer.take(found.end);
        this.#maybeResume();
        return taken;
      }
      // The last bytes may be the beginning of a separator.
      from = Math.max(0, this.#buffer.size + 1 - longest);
      if (from > this.#limit) {
        throw new LimitOverrunError("Separator is not found, and chunk exceed the limit", from);
      }
      if (this.#hasEnded) throw new IncompleteReadError(this.#takeAll(), null);
      yield* this.#waitForData("readuntil");
    }
  }

  *#readingExactly(n: number): CoroutineGenerator<Uint8Array> {
    this.#raise();
    if (n === 0) return allocate(0);
    while (this.#buffer.size < n) {
      if (this.#hasEnded) throw new IncompleteReadError(this.#takeAll(), n);
      yield* this.#waitForData("readexactly");
    }
    const taken = this.#buffer.take(n);
    this.#maybeResume();
    return taken;
  }

  /** @internal Whether there is nothing to read yet. */
  get _isEmpty(): boolean {
    return this.#buffer.size === 0 && !this.#hasEnded && this.#error === null;
  }

  /** @internal Up to `n` of the bytes that are there. @throws what the connection was lost with. */
  _take(n: number): Uint8Array {
    this.#raise();
    return this._takeArrived(n);
  }

  /** @internal Up to `n` of the bytes that are there, for a read that waited: they came before any error that is set now. */
  _takeArrived(n: number): Uint8Array {
    const taken = this.#buffer.take(n);
    this.#maybeResume();
    return taken;
  }

  /**
   * @internal `waiter` waits for bytes, until {@link _leave}.
   *
   * @throws {RuntimeError} if another read waits already.
   */
  _join(waiter: Future<unknown>, caller: string): void {
    if (this.#waiter !== null) {
      throw new RuntimeError(`${caller}() called while another coroutine is already waiting for incoming data`);
    }
    if (this.#isPaused) this.#resume();
    this.#waiter = waiter;
  }

  /** @internal `waiter` no longer waits. */
  _leave(waiter: Future<unknown>): void {
    if (this.#waiter === waiter) this.#waiter = null;
  }

  #raise(): void {
    if (this.#error !== null) throw this.#error.value;
  }

  *#waitForData(caller: string): CoroutineGenerator<void> {
    const waiter = this.#loop.createFuture();
    this._join(waiter, caller);
    try {
      yield* waiter;
    } finally {
      this._leave(waiter);
    }
  }

  #maybeResume(): void {
    if (this.#isPaused && this.#buffer.size <= this.#limit) this.#resume();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#transport?.resumeReading();
  }

  toString(): string {
    const parts = ["StreamReader"];
    if (this.#buffer.size > 0) parts.push(`${this.#buffer.size} bytes`);
    if (this.#hasEnded) parts.push("eof");
    if (this.#limit !== STREAM_LIMIT) parts.push(`limit=${this.#limit}`);
    if (this.#waiter !== null) parts.push(`waiter=${this.#waiter.toString()}`);
    if (this.#error !== null) parts.push(`exception=${repr(this.#error.value)}`);
    if (this.#transport !== null) parts.push(`transport=${String(this.#transport)}`);
    if (this.#isPaused) parts.push("paused");
    return `<${parts.join(" ")}>`;
  }
}
inspectAsString("StreamReader", StreamReader);

/** `read(n)`: what servers do in their innermost loops. The bytes stay in the reader until the one that waits goes on. */
class Read extends Attempt<Uint8Array> {
  readonly #reader: StreamReader;
  readonly #n: number;

  constructor(reader: StreamReader, n: number) {
    super();
    this.#reader = reader;
    this.#n = n;
  }

  get name(): string {
    return "StreamReader.read";
  }

  protected override mustWait(hasWaited: boolean): boolean {
    return !hasWaited && this.#reader._isEmpty;
  }

  protected override makeWait(loop: KernelLoop): Future<void> {
    return new MoreBytes(loop, this.#reader);
  }

  protected override goOn(hasWaited: boolean): Uint8Array {
    return hasWaited ? this.#reader._takeArrived(this.#n) : this.#reader._take(this.#n);
  }
}

/** The wait for bytes that will come, or for the end. */
class MoreBytes extends Future<void> {
  readonly #reader: StreamReader;

  constructor(loop: KernelLoop, reader: StreamReader) {
    super({ loop });
    this.#reader = reader;
    reader._join(this, "read");
  }

  override cancel(message?: string): boolean {
    this.#reader._leave(this);
    return super.cancel(message);
  }

  override get _typeName(): string {
    return "Future";
  }
}

const NEWLINE = Uint8Array.of(0x0a);

/** The separator that ends first; the shorter one of two that end together. */
function firstOf(
  separators: readonly Uint8Array[],
  bytes: Uint8Array,
  from: number,
): { readonly start: number; readonly end: number } | null {
  let found: { start: number; end: number } | null = null;
  for (const separator of separators) {
    const start = indexOf(bytes, separator, from);
    if (start === -1) continue;
    const end = start + separator.length;
    if (found === null || end < found.end) found = { start, end };
  }
  return found;
}
