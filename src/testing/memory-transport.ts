/** Connections in memory: what a program does over a network, on a virtual clock and without one. @module */

import type { Channel, ChannelClient } from "../core/channels.ts";
import type { Coroutine, CoroutineGenerator } from "../core/coroutines.ts";
import { GeneratorCoroutine } from "../core/coroutines.ts";
import type { Duration } from "../core/duration.ts";
import { toSeconds } from "../core/duration.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { getRunningLoop } from "../core/events.ts";
import { ConnectionResetError } from "../core/exceptions.ts";
import { ByteBuffer } from "../core/streams/byte-buffer.ts";
import type { Streams } from "../core/streams/streams-over.ts";
import { streamsOver } from "../core/streams/streams-over.ts";

/** How a connection in memory behaves. */
export interface MemoryOptions {
  /** How many bytes are on their way at most, in each direction, before the sender has to wait; 64 KiB by default. */
  readonly capacity?: number;
  /** How long bytes are on their way. */
  readonly latency?: Duration;
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
export class MemoryChannel implements Channel {
  readonly #incoming: Wire;
  readonly #outgoing: Wire;
  #isDestroyed: boolean = false;

  /** @internal */
  constructor(incoming: Wire, outgoing: Wire) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  open(client: ChannelClient): void {
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

  /** The peer receives what is on its way, and then the end. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#outgoing.writer = null;
    this.#outgoing.end();
    this.#incoming.close();
  }

  /** Breaks the connection, as a reset does: for both ends, whatever was on its way is lost. */
  reset(error: unknown = new ConnectionResetError("reset by peer")): void {
    this.#incoming.break(error);
    this.#outgoing.break(error);
  }
}

/** One direction of a connection. */
class Wire {
  readonly #loop: AbstractEventLoop;
  readonly #capacity: number;
  readonly #latency: number;
  readonly #chunk: (available: number) => number;
  /** Written, and not on its way for want of room. */
  readonly #waiting: ByteBuffer = new ByteBuffer();
  readonly #sent: ByteBuffer = new ByteBuffer();
  /** Who wrote. */
  writer: ChannelClient | null = null;
  #reader: ChannelClient | null = null;
  #isPaused: boolean = false;
  #hasEnded: boolean = false;
  #endDelivered: boolean = false;
  #isClosed: boolean = false;
  #isDelivering: boolean = false;

  constructor(loop: AbstractEventLoop, options: MemoryOptions) {
    this.#loop = loop;
    this.#capacity = options.capacity ?? 64 * 1024;
    this.#latency = toSeconds(options.latency ?? 0, "latency");
    this.#chunk = options.chunk ?? ((available) => available);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  write(data: Uint8Array): void {
    if (this.#isClosed) {
      this.#loop.callSoon(() => this.writer?.failed(new ConnectionResetError("the other end is closed")));
      return;
    }
    // The writer may use its memory again.
    this.#waiting.add(data.slice());
    this.#move();
  }

  end(): void {
    this.#hasEnded = true;
    this.#move();
  }

  read(reader: ChannelClient): void {
    this.#reader = reader;
    this.#deliverSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliverSoon();
  }

  /** Nobody reads any more. */
  close(): void {
    this.#reader = null;
    this.#isClosed = true;
  }

  break(error: unknown): void {
    this.#waiting.clear();
    this.#sent.clear();
    this.#isClosed = true;
    for (const client of [this.writer, this.#reader]) client?.failed(error);
  }

  /** Sends what there is room for. */
  #move(): void {
    const room = this.#capacity - this.#sent.size;
    const count = Math.min(room, this.#waiting.size);
    if (count > 0) this.#sent.add(this.#waiting.take(count));
    this.#deliverSoon();
  }

  #deliverSoon(): void {
    const hasSomething = this.#sent.size > 0 || (this.#hasEnded && !this.#endDelivered);
    if (this.#isDelivering || this.#isPaused || this.#reader === null || !hasSomething) return;
    this.#isDelivering = true;
    this.#loop.callLater(this.#latency, () => this.#deliver());
  }

  #deliver(): void {
    this.#isDelivering = false;
    const reader = this.#reader;
    if (reader === null || this.#isPaused) return;
    if (this.#sent.size > 0) {
      const count = Math.min(Math.max(this.#chunk(this.#sent.size), 1), this.#sent.size);
      reader.received(this.#sent.take(count));
      const hadToWait = this.#waiting.size > 0;
      this.#move();
      if (hadToWait) this.writer?.flushed();
    } else if (this.#hasEnded && this.#waiting.size === 0) {
      this.#endDelivered = true;
      reader.ended();
    }
    this.#deliverSoon();
  }
}
