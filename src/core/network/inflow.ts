/**
 * What comes in, on its way from a channel to a protocol: held while the protocol has paused reading, and bounded by what
 * may come between two turns.
 *
 * A channel may report bytes after it was told to pause: they were read already, or are in the transport's inbox. They
 * are held here and delivered when the protocol resumes, one event a turn. CPython's transports need none of this: they
 * read once a turn, and only while they are not paused.
 *
 * @module
 */

import { RuntimeError } from "../base/exceptions.ts";
import type { ByteChannel } from "./byte-channels.ts";
import type { StreamingProtocol } from "./contracts.ts";
import { isBuffered } from "./contracts.ts";

/** How many bytes may come between two turns before the channel is paused, so that the system keeps the rest. */
const MOST_UNDELIVERED = 256 * 1024;

/** What may come in: bytes, or the end of what the peer sends. */
export type Incoming = Uint8Array | "ended";

/** What an inflow asks of its transport. */
export interface InflowOwner {
  getProtocol(): StreamingProtocol;
  /** From the first step of closing on, nothing more is delivered. */
  isClosing(): boolean;
  close(): void;
  /** Calls the protocol's method `name`; an error thrown there ends the connection. */
  tellProtocol(name: string, method: () => void): void;
  /** Has {@link Inflow.goOn} called in a turn of its own. */
  goOnSoon(): void;
}

export class Inflow {
  readonly #owner: InflowOwner;
  readonly #channel: ByteChannel;
  /** What came while reading was paused, in order. */
  #held: Incoming[] = [];
  /** The protocol has paused reading. */
  #isPaused: boolean = false;
  /** Bytes that are in the transport's inbox. */
  #undelivered: number = 0;
  /** The channel was paused because too much was undelivered; it goes on when the inbox has no bytes left. */
  #isFull: boolean = false;
  /** The protocol has been told that the peer sends no more. */
  #hasEnded: boolean = false;

  constructor(owner: InflowOwner, channel: ByteChannel) {
    this.#owner = owner;
    this.#channel = channel;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** What was received and not delivered, besides what is in the inbox. */
  get held(): readonly Incoming[] {
    return this.#held;
  }

  /** Drops what is held: the transport closes. */
  drop(): void {
    this.#held = [];
  }

  pause(): void {
    if (this.#owner.isClosing() || this.#isPaused) return;
    this.#isPaused = true;
    this.#channel.pause();
  }

  resume(): void {
    if (this.#owner.isClosing() || !this.#isPaused) return;
    this.#isPaused = false;
    if (this.#held.length > 0) this.#owner.goOnSoon();
    else this.#resumeChannel();
  }

  /** `count` bytes went into the inbox. */
  queued(count: number): void {
    this.#undelivered += count;
    if (this.#isFull || this.#undelivered <= MOST_UNDELIVERED) return;
    this.#isFull = true;
    this.#channel.pause();
  }

  /** The turn of `event` has come: it has left the inbox. */
  arrived(event: Incoming): void {
    if (event !== "ended") this.#unqueued(event.length);
    if (this.#isPaused || this.#held.length > 0) this.#held.push(event);
    else this.#deliver(event);
  }

  #unqueued(count: number): void {
    this.#undelivered -= count;
    if (!this.#isFull || this.#undelivered > 0) return;
    this.#isFull = false;
    if (!this.#owner.isClosing() && !this.#isPaused) this.#channel.resume();
  }

  /** After a resume: delivers the first event that is held, and sees to the next. */
  goOn(): void {
    if (this.#isPaused || this.#owner.isClosing()) return;
    const event = this.#held.shift();
    if (event !== undefined) this.#deliver(event);
    if (this.#isPaused || this.#owner.isClosing()) return;
    if (this.#held.length > 0) this.#owner.goOnSoon();
    else this.#resumeChannel();
  }

  #resumeChannel(): void {
    if (!this.#isFull) this.#channel.resume();
  }

  #deliver(event: Incoming): void {
    if (this.#owner.isClosing() || this.#hasEnded) return;
    const protocol = this.#owner.getProtocol();
    if (event === "ended") this.#end(protocol);
    else if (isBuffered(protocol)) this.#fill(event);
    else this.#owner.tellProtocol("dataReceived", () => protocol.dataReceived?.(event));
  }

  #end(protocol: StreamingProtocol): void {
    this.#hasEnded = true;
    let staysOpen: unknown = false;
    this.#owner.tellProtocol("eofReceived", () => {
      staysOpen = protocol.eofReceived?.();
    });
    if (!this.#owner.isClosing() && (staysOpen !== true || !this.#channel.canWriteEof)) this.#owner.close();
  }

  /** Gives `data` to a protocol that has buffers of its own, which may pause, close or be replaced at each of them. */
  #fill(data: Uint8Array): void {
    let rest = data;
    while (rest.length > 0 && !this.#owner.isClosing()) {
      if (this.#isPaused) {
        this.#held.unshift(rest);
        return;
      }
      const { length } = rest;
      const protocol = this.#owner.getProtocol();
      if (!isBuffered(protocol)) {
        this.#deliver(rest);
        return;
      }
      let taken = 0;
      this.#owner.tellProtocol("getBuffer", () => {
        const buffer = protocol.getBuffer(length);
        if (buffer.length === 0) throw new RuntimeError("getBuffer() returned an empty buffer");
        taken = Math.min(length, buffer.length);
        buffer.set(rest.subarray(0, taken));
      });
      if (taken === 0) return;
      this.#owner.tellProtocol("bufferUpdated", () => protocol.bufferUpdated(taken));
      rest = rest.subarray(taken);
    }
  }
}
