/**
 * What moves the bytes of a {@link StreamTransport}: a socket, a pipe, or the memory of a test.
 *
 * A byte channel is the little that differs between kinds of connections. It has no rules of asyncio's: it reports when
 * something happens, and the transport sees to the order and to the turns of the loop.
 *
 * @module
 */

import type { WriteBufferLimits } from "./contracts.ts";

/** What a channel tells its transport, in a turn of the loop or between turns. */
export interface ByteChannelClient {
  /** Bytes came. The array will not be changed any more. */
  received(data: Uint8Array): void;
  /** The peer sends no more. */
  ended(): void;
  /** Some of what was written has been sent. */
  flushed(): void;
  /** It broke, and is closed. */
  failed(error: unknown): void;
  /** The channel is closed although the transport did not close it; or its farewell is over. */
  closed(): void;
}

/** One end of a connection. */
export interface ByteChannel {
  /** Reports to `client` from now on, and begins to read. */
  open(client: ByteChannelClient): void;
  getExtraInfo(name: string): unknown;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  /** Sends `pieces` in this order, as one if it can. */
  write(pieces: readonly Uint8Array[]): void;
  /** How many bytes were written and not sent. */
  readonly pending: number;
  /** What broke the channel, from the moment it is known; {@link ByteChannelClient.failed} reports it later. */
  readonly error?: unknown;
  /** A number that changes while what was written is being sent, if the channel has one. */
  readonly progress?: number;
  readonly canWriteEof: boolean;
  /** Ends the sending side, after what was written. */
  writeEof(): void;
  /** Ends the connection in the way of its protocol (TLS), and reports `closed`. Without it, closing takes no time. */
  farewell?: (() => void) | undefined;
  /** The transport is closing, and waits for what was written to be sent. */
  closing?: (() => void) | undefined;
  /** Closes it at once. Nothing is reported from here on. */
  destroy(): void;
  /** See {@link WaterMarks}. */
  readonly limits?: WriteBufferLimits;
}
