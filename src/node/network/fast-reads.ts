/**
 * Reading from sockets without a copy and without a stream between: bytes are read into memory whose size follows the
 * traffic, and that memory is handed on.
 *
 * Node gives every read a new buffer of 64 KiB and sends it through `Readable`. The documented option `onread` avoids both
 * for sockets that are opened; for sockets that are accepted, see `private-sockets`. Where neither works, and on Bun and
 * Deno, sockets are read through their `data` event.
 *
 * @module
 */

import type { OnReadOpts } from "node:net";

const SMALLEST = 4 * 1024;
/** Larger reads are no faster: their memory does not fit the processor's cache. */
const LARGEST = 112 * 1024;
/** Memory is allocated for several small reads at once, up to this size. */
const BLOCK = 64 * 1024;
const READS_PER_BLOCK = 4;
/** A chunk up to this size is copied, and its memory is read into again. */
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

  /** The option for the constructor of a socket. */
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

  /** Finds memory for the next read: the last one, of `count` bytes, was given away with its memory. */
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

/** Bun and Deno do not implement `onread` as Node documents it. */
const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);

/** Memory for a new socket to read into; `null` where there is no `onread`. */
export function readMemory(): ReadMemory | null {
  return isNode ? new ReadMemory() : null;
}
