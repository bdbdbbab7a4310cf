/**
 * Connections in memory: what a program does over a network, on the virtual clock of a test, or in one process.
 *
 * They are byte channels, so that everything above the socket (transports, flow control, streams, servers) is the code
 * that runs over a network. Weighed and refused: a fake reader and writer, which would have rules of their own.
 *
 * @module
 */

import type { ByteChannel, ByteChannelClient } from "../../core/network/byte-channels.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { Deque } from "../../core/base/deque.ts";
import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { ConnectionResetError } from "../../core/base/exceptions.ts";
import { copyToMemory } from "../../core/network/bytes.ts";
import { ByteBuffer } from "../../core/network/streams/byte-buffer.ts";
import type { Streams } from "../../core/network/streams/streams-over.ts";
import { streamsOver } from "../../core/network/streams/streams-over.ts";

/** How a connection in memory behaves. */
export interface MemoryOptions {
  /** How many bytes are on their way at most, in each direction, before the sender has to wait; 64 KiB by default. */
  readonly capacity?: number;
  /** How long bytes are on their way; no time by default. */
  readonly latency?: Duration;
  /** How many bytes a second are sent, in each direction; as many as there are by default. */
  readonly bytesPerSecond?: number;
  /** After how many bytes, in one direction, the connection breaks for both ends, as a reset does; never by default. */
  readonly resetAfter?: number;
  /** How many of the bytes that have arrived are received at once; all of them by default. */
  readonly chunk?: (available: number) => number;
  /** See the `limit` of a `StreamReader`. */
  readonly limit?: number;
}

/**
 * Two ends of one connection, each a reader and a writer.
 *
 * ```ts
 * const loop = new asyncio.BaseEventLoop(new VirtualHost());
 * await loop.runUntilComplete(async () => {
 *   const [[, ours], [theirs]] = await memoryStreams({ latency: 60, chunk: () => 1 });
 *   ours.write("a minute away, and byte by byte\n");
 *   assert.equal((await theirs.readline()).length, 32);
 * });
 * ```
 */
export function memoryStreams(options: MemoryOptions = {}): Coroutine<[Streams, Streams]> {
  return new GeneratorCoroutine(connected(options), "memoryStreams");
}

function* connected(options: MemoryOptions): CoroutineGenerator<[Streams, Streams]> {
  const loop = getRunningLoop();
  const [here, there] = memoryChannels(loop, options);
  const limit = options.limit === undefined ? {} : { limit: options.limit };
  return [yield* streamsOver(loop, here, limit), yield* streamsOver(loop, there, limit)];
}

/** The channels of a connection in memory, for protocols and transports. */
export function memoryChannels(loop: AbstractEventLoop, options: MemoryOptions = {}): [MemoryChannel, MemoryChannel] {
  const wires = [new Wire(loop, options), new Wire(loop, options)] as const;
  const here = new MemoryChannel(wires[0], wires[1]);
  const there = new MemoryChannel(wires[1], wires[0]);
  return [here, there];
}

/** One end. */
export class MemoryChannel implements ByteChannel {
  readonly #incoming: Wire;
  readonly #outgoing: Wire;
  #isDestroyed: boolean = false;

  /** @internal */
  constructor(incoming: Wire, outgoing: Wire) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    outgoing.reset = () => this.reset();
  }

  open(client: ByteChannelClient): void {
    this.#outgoing.writer = client;
    this.#incoming.read(client);
  }

  getExtraInfo(name: string): unknown {
    return name === "peername" || name === "sockname" ? "memory" : undefined;
  }

  pause(): void {
    this.#incoming.pause();
  }

  resume(): void {
    this.#incoming.resume();
  }

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#outgoing.write(piece);
  }

  get pending(): number {
    return this.#outgoing.pending;
  }

  get canWriteEof(): boolean {
    return true;
  }

  writeEof(): void {
    this.#outgoing.end();
  }

  /** The peer receives what is on its way, and then the end; what still waits for room is lost. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#outgoing.writer = null;
    this.#outgoing.abandon();
    this.#incoming.close();
  }

  /** Breaks the connection for both ends, as a reset does: what was on its way is lost. */
  reset(error: unknown = new ConnectionResetError("reset by peer")): void {
    this.#incoming.break(error);
    this.#outgoing.break(error);
  }
}

/**
 * One direction of a connection.
 *
 * ```text
 *   write ──► waiting ──room?──► on the way ──latency──► arrived ──a turn each──► reader
 *                                └───────── capacity ─────────┘
 * ```
 *
 * The end of what is written takes the same way, behind the bytes:
 *
 * | end       | it holds                                                   | next      |
 * | --------- | ---------------------------------------------------------- | --------- |
 * | `none`    | while more may be written                                  | `asked`   |
 * | `asked`   | from `end` or `abandon` until every byte before it is sent | `sent`    |
 * | `sent`    | while it is on the way                                     | `arrived` |
 * | `arrived` | until the reader has taken every byte before it            | `told`    |
 * | `told`    | once the reader knows                                      | –         |
 */
class Wire {
  readonly #loop: AbstractEventLoop;
  readonly #capacity: number;
  readonly #latency: number;
  readonly #bytesPerSecond: number;
  readonly #resetAfter: number;
  readonly #chunk: (available: number) => number;
  /** Written, and waits until there is room on the way. */
  readonly #waiting: ByteBuffer = new ByteBuffer();
  /** Bytes that were sent, or the end, in the order in which they arrive. */
  readonly #onTheWay: Deque<Uint8Array | null> = new Deque();
  #bytesOnTheWay: number = 0;
  #bytesSent: number = 0;
  /** When everything that was sent has left, on the loop's clock. */
  #lineIsFree: number = 0;
  readonly #arrived: ByteBuffer = new ByteBuffer();
  /** The end that writes. */
  #writer: ByteChannelClient | null = null;
  #reader: ByteChannelClient | null = null;
  #end: "none" | "asked" | "sent" | "arrived" | "told" = "none";
  #isPaused: boolean = false;
  /** The reader has closed, or the connection is broken: bytes that are written are refused. */
  #isClosed: boolean = false;
  /** Breaks the connection, in both directions. */
  reset: () => void = () => {};
  /** A delivery is scheduled. */
  #isDelivering: boolean = false;
  #broken: { readonly error: unknown } | null = null;

  constructor(loop: AbstractEventLoop, options: MemoryOptions) {
    this.#loop = loop;
    this.#capacity = options.capacity ?? 64 * 1024;
    this.#latency = toSeconds(options.latency ?? 0, "latency");
    this.#bytesPerSecond = options.bytesPerSecond ?? Infinity;
    this.#resetAfter = options.resetAfter ?? Infinity;
    this.#chunk = options.chunk ?? ((available) => available);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  set writer(writer: ByteChannelClient | null) {
    this.#writer = writer;
  }

  write(data: Uint8Array): void {
    if (this.#isClosed) {
      this.#refuse();
      return;
    }
    this.#waiting.add(copyToMemory(data));
    this.#send();
  }

  end(): void {
    if (this.#end === "none") this.#end = "asked";
    this.#send();
  }

  /** The writer is gone: what still waits for room is lost. */
  abandon(): void {
    this.#waiting.clear();
    this.end();
  }

  read(reader: ByteChannelClient): void {
    this.#reader = reader;
    if (this.#broken === null) this.#deliverSoon();
    else reader.failed(this.#broken.error);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliverSoon();
  }

  /** The reader is gone. */
  close(): void {
    this.#reader = null;
    this.#isClosed = true;
    if (this.#waiting.size > 0) this.#refuse();
  }

  break(error: unknown): void {
    this.#broken = { error };
    this.#isClosed = true;
    this.#waiting.clear();
    this.#arrived.clear();
    this.#onTheWay.clear();
    for (const client of [this.#writer, this.#reader]) client?.failed(error);
  }

  #refuse(): void {
    if (this.#loop.isClosed()) return;
    this.#loop.callSoon(() => this.#writer?.failed(new ConnectionResetError("the other end is closed")));
  }

  /** Sends what there is room for, and the end behind it. */
  #send(): void {
    if (this.#loop.isClosed() || this.#isClosed) return;
    const room = this.#capacity - this.#bytesOnTheWay - this.#arrived.size;
    const left = this.#resetAfter - this.#bytesSent;
    if (this.#waiting.size > 0 && left <= 0) {
      this.#loop.callSoon(() => this.reset());
      return;
    }
    const count = Math.min(room, left, this.#waiting.size);
    if (count > 0) this.#sendPacket(this.#waiting.take(count));
    if (this.#end !== "asked" || this.#waiting.size > 0) return;
    this.#end = "sent";
    this.#sendPacket(null);
  }

  #sendPacket(data: Uint8Array | null): void {
    const size = data?.length ?? 0;
    this.#bytesOnTheWay += size;
    this.#onTheWay.push(data);
    this.#bytesSent += size;
    // The line is busy with what was sent before.
    this.#lineIsFree = Math.max(this.#lineIsFree, this.#loop.time()) + size / this.#bytesPerSecond;
    this.#loop.callAt(this.#lineIsFree + this.#latency, () => this.#arrive());
  }

  #arrive(): void {
    const data = this.#onTheWay.shift();
    if (data === undefined) return;
    if (data === null) {
      this.#end = "arrived";
    } else {
      this.#bytesOnTheWay -= data.length;
      this.#arrived.add(data);
    }
    this.#deliver();
  }

  get #hasSomething(): boolean {
    return this.#arrived.size > 0 || this.#end === "arrived";
  }

  #deliverSoon(): void {
    if (this.#isDelivering || !this.#hasSomething || this.#loop.isClosed()) return;
    this.#isDelivering = true;
    this.#loop.callSoon(() => {
      this.#isDelivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const reader = this.#reader;
    if (reader === null || this.#isPaused || this.#isDelivering) return;
    if (this.#arrived.size > 0) {
      const count = Math.min(Math.max(this.#chunk(this.#arrived.size), 1), this.#arrived.size);
      reader.received(this.#arrived.take(count));
      const hadToWait = this.#waiting.size > 0;
      this.#send();
      if (hadToWait) this.#writer?.flushed();
    } else if (this.#end === "arrived") {
      this.#end = "told";
      reader.ended();
    }
    this.#deliverSoon();
  }
}
