/**
 * Giving up on a peer that is slow on purpose, or gone without a word.
 *
 * The watch is a channel around a channel, so that transports and protocols need not know of it. It has one timer for the
 * life of a connection: re-arming it at every byte would cost more than the byte.
 *
 * @module
 */

import type { ByteChannel, ByteChannelClient } from "./byte-channels.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { TimerHandle } from "../kernel/handles.ts";
import { TimeoutError } from "../base/exceptions.ts";
import type { WriteBufferLimits } from "./contracts.ts";

/** How long a server waits for its peers; without an option there is no limit. The connection is lost with a {@link TimeoutError}. */
export interface PeerTimeouts {
  /** How long a client may take to send its first byte. */
  readonly firstByteTimeout?: Duration;
  /** How long a connection may be without a byte in either direction. While reading is paused it is not idle. */
  readonly idleTimeout?: Duration;
}

/** `channel`, with a watch over its peer if `timeouts` asks for one. */
export function watched(loop: AbstractEventLoop, channel: ByteChannel, timeouts: PeerTimeouts): ByteChannel {
  const { firstByteTimeout, idleTimeout } = timeouts;
  if (firstByteTimeout === undefined && idleTimeout === undefined) return channel;
  const idle = idleTimeout === undefined ? Infinity : toSeconds(idleTimeout, "idleTimeout");
  const firstByte = firstByteTimeout === undefined ? Infinity : toSeconds(firstByteTimeout, "firstByteTimeout");
  return new WatchedChannel(loop, channel, firstByte, idle);
}

/** A channel with a watch over its peer. */
export class WatchedChannel implements ByteChannel, ByteChannelClient {
  readonly #loop: AbstractEventLoop;
  readonly #channel: ByteChannel;
  readonly #idle: number;
  #firstByte: number;
  #client: ByteChannelClient | null = null;
  #timer: TimerHandle | null = null;
  /** The channel's `progress` when the timer last fired. */
  #progress: number | undefined = undefined;
  #isPaused: boolean = false;
  /** When the last byte went by, in either direction. */
  #lastByte: number;
  /** When the connection began. */
  readonly #opened: number;

  constructor(loop: AbstractEventLoop, channel: ByteChannel, firstByte: number, idle: number) {
    this.#loop = loop;
    this.#channel = channel;
    this.#firstByte = firstByte;
    this.#idle = idle;
    this.#opened = loop.time();
    this.#lastByte = this.#opened;
  }

  // --- the channel

  open(client: ByteChannelClient): void {
    this.#client = client;
    this.#watch();
    this.#channel.open(this);
  }

  getExtraInfo(name: string): unknown {
    return this.#channel.getExtraInfo(name);
  }

  pause(): void {
    this.#isPaused = true;
    this.#channel.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#lastByte = this.#loop.time();
    this.#channel.resume();
  }

  write(pieces: readonly Uint8Array[]): void {
    this.#channel.write(pieces);
    if (this.#channel.pending === 0) this.#lastByte = this.#loop.time();
  }

  get pending(): number {
    return this.#channel.pending;
  }

  get error(): unknown {
    return this.#channel.error;
  }

  get canWriteEof(): boolean {
    return this.#channel.canWriteEof;
  }

  get limits(): WriteBufferLimits {
    return this.#channel.limits ?? {};
  }

  writeEof(): void {
    this.#channel.writeEof();
  }

  get farewell(): (() => void) | undefined {
    return this.#channel.farewell?.bind(this.#channel);
  }

  /** While closing, the peer is what the connection waits for: a pause of reading does not count any more. */
  closing(): void {
    this.#isPaused = false;
    this.#channel.closing?.();
  }

  get watchedChannel(): ByteChannel {
    return this.#channel;
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** `channel` under the same watch: the peer is the same, and its first byte has come. */
  goOnWith(channel: ByteChannel): ByteChannel {
    return new WatchedChannel(this.#loop, channel, Infinity, this.#idle);
  }

  destroy(): void {
    this.stop();
    this.#channel.destroy();
  }

  // --- its client

  received(data: Uint8Array): void {
    this.#firstByte = Infinity;
    this.#lastByte = this.#loop.time();
    this.#client!.received(data);
  }

  ended(): void {
    this.#client!.ended();
  }

  flushed(): void {
    this.#lastByte = this.#loop.time();
    this.#client!.flushed();
  }

  failed(error: unknown): void {
    this.#client!.failed(error);
  }

  closed(): void {
    this.#client!.closed();
  }

  /** Sets the timer for the present deadline; when it fires, the deadline may have moved. */
  #watch(): void {
    const deadline = Math.min(this.#opened + this.#firstByte, this.#lastByte + this.#idle);
    if (deadline !== Infinity) this.#timer = this.#loop.callAt(deadline, () => this.#look());
  }

  #look(): void {
    const now = this.#loop.time();
    // The system reports only the end of a long write.
    const { progress } = this.#channel;
    if (progress !== this.#progress) this.#lastByte = now;
    this.#progress = progress;
    if (this.#isPaused) this.#lastByte = now;
    if (now >= this.#opened + this.#firstByte) {
      this.#client!.failed(new TimeoutError(`the peer sent nothing for ${this.#firstByte} seconds`));
    } else if (now >= this.#lastByte + this.#idle) {
      this.#client!.failed(new TimeoutError(`the connection was idle for ${this.#idle} seconds`));
    } else {
      this.#watch();
    }
  }
}
