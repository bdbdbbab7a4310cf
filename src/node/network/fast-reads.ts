/**
 * Reading from sockets without a copy and without a stream between: what is read lands in memory that grows and shrinks
 * with what comes, and is handed on as it lies.
 *
 * Node gives every read a new buffer of 64 KiB and sends it through `Readable`. For sockets one opens, the documented
 * option `onread` does better; for sockets one accepts, see `private-sockets`. Elsewhere, and where that does not work,
 * sockets are read through their `data` event.
 *
 * @module
 */

import type { OnReadOpts } from "node:net";

const SMALLEST = 4 * 1024;
/** Larger reads are no faster, and their memory no longer fits the processor's cache. */
const LARGEST = 112 * 1024;
/** Memory for several small reads is had at once. */
const BLOCK = 64 * 1024;
const READS_PER_BLOCK = 4;
/** Less than this is copied out, and the memory read into again. */
const SMALL = 2 * 1024;

/** Memory to read into, for one socket. */
export class ReadMemory {
  /** Receives what was read, which is never written to again. */
  onChunk: (chunk: Buffer) => void = () => {};
  #expected: number = SMALLEST;
  #block: Buffer = Buffer.allocUnsafeSlow(SMALLEST);
  #offset: number = 0;
  /** The part of the block that is read into. */
  #view: Buffer = this.#block;

  /** For the constructor of a socket. */
  get onread(): OnReadOpts {
    return {
      buffer: () => this.#view,
      callback: (count) => {
        this.#received(count);
        return true;
      },
    };
  }

  #received(count: number): void {
    if (count <= SMALL) {
      const copy = Buffer.allocUnsafe(count);
      copy.set(this.#view.subarray(0, count));
      this.onChunk(copy);
    } else {
      const chunk = this.#view.subarray(0, count);
      this.#offset += count;
      this.#adapt(count);
      this.onChunk(chunk);
    }
  }

  /** Finds a place for the next read, after one of `count` bytes whose memory was given away. */
  #adapt(count: number): void {
    if (count === this.#expected) this.#expected = Math.min(this.#expected * 4, LARGEST);
    else if (count < this.#expected / 16) this.#expected = Math.max(this.#expected / 4, SMALLEST);
    if (this.#block.length - this.#offset < this.#expected) {
      const size = Math.max(this.#expected, Math.min(this.#expected * READS_PER_BLOCK, BLOCK));
      this.#block = Buffer.allocUnsafeSlow(size);
      this.#offset = 0;
    }
    this.#view = this.#block.subarray(this.#offset, this.#offset + this.#expected);
  }
}

/** Whether `onread` is what Node's documentation says. */
const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);

/** Memory for a socket that is to be opened, or `null` where `onread` is not to be had. */
export function readMemory(): ReadMemory | null {
  return isNode ? new ReadMemory() : null;
}
