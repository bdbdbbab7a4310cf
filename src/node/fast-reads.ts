/**
 * Reading from sockets without a copy and without a stream between: what is read lands in memory that grows and shrinks
 * with what comes, and is handed on as it lies.
 *
 * Node gives every read a new buffer of 64 KiB and sends it through `Readable`. For sockets one opens, the documented
 * option `onread` does better; for sockets one accepts, only an option that Node does not document. This is the one file
 * that uses it. It looks whether it is there; where it is not, sockets are read through their `data` event.
 *
 * @module
 */

import { Socket } from "node:net";
import type { OnReadOpts } from "node:net";

const SMALLEST = 4 * 1024;
const LARGEST = 256 * 1024;
/** A block has room for so many reads of the size that is expected. */
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

  /** For the constructor of a socket. */
  get onread(): OnReadOpts {
    return {
      buffer: () => this.#next(),
      callback: (count) => {
        this.#received(count);
        return true;
      },
    };
  }

  /** Where the next read goes. */
  #next(): Buffer {
    if (this.#block.length - this.#offset < this.#expected) {
      this.#block = Buffer.allocUnsafeSlow(this.#expected <= SMALLEST ? SMALLEST : this.#expected * READS_PER_BLOCK);
      this.#offset = 0;
    }
    return this.#block.subarray(this.#offset, this.#offset + this.#expected);
  }

  #received(count: number): void {
    const start = this.#offset;
    if (count <= SMALL) {
      this.onChunk(Buffer.from(this.#block.subarray(start, start + count)));
    } else {
      this.#offset = start + count;
      this.onChunk(this.#block.subarray(start, start + count));
    }
    if (count === this.#expected) this.#expected = Math.min(this.#expected * 4, LARGEST);
    else if (count < this.#expected / 16) this.#expected = Math.max(this.#expected / 4, SMALLEST);
  }
}

/** The inside of Node's socket, as far as it is needed here. */
interface WithHandle {
  _handle?: { readonly useUserBuffer?: unknown } | null;
}

/** Whether `onread` is what Node's documentation says. */
const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);

/** Memory for a socket that is to be opened, or `null` where `onread` is not to be had. */
export function readMemory(): ReadMemory | null {
  return isNode ? new ReadMemory() : null;
}

/**
 * The connection of `accepted`, a socket that has not been read from, as a socket that reads into `memory`; `null` if
 * this platform cannot do so.
 */
export function reopen(accepted: Socket, memory: ReadMemory): Socket | null {
  const handle = isNode ? (accepted as WithHandle)._handle : null;
  if (typeof handle?.useUserBuffer !== "function") return null;
  (accepted as WithHandle)._handle = null;
  const options = { handle, allowHalfOpen: true, onread: memory.onread };
  return new Socket(options);
}
