/**
 * Bytes that came and were not read. One chunk is kept as it came, without a copy; a second one is copied together with
 * it, into memory that then has room for more.
 *
 * What is taken out is a view of that memory, without a copy, unless a small piece would keep much larger memory alive.
 *
 * Weighed and refused: a list of chunks. `readuntil` looks for a separator across chunks, and most programs read what one
 * chunk brought before the next one comes.
 *
 * @module
 */

import { allocate, copyOf } from "../bytes.ts";

/** A piece smaller than this share of the memory it lies in is copied out of it. */
const SMALL_SHARE = 1 / 32;

export class ByteBuffer {
  #memory: Uint8Array = EMPTY;
  #start: number = 0;
  #end: number = 0;
  /** The memory was made here and is shared with no one: bytes may be added behind the end. */
  #isOurs: boolean = false;

  get size(): number {
    return this.#end - this.#start;
  }

  /** All bytes, as a view that is good until the next change. */
  get view(): Uint8Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  add(chunk: Uint8Array): void {
    if (this.size === 0) {
      this.#memory = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#isOurs = false;
      return;
    }
    if (!this.#isOurs || this.#end + chunk.length > this.#memory.length) this.#grow(chunk.length);
    this.#memory.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first `count` bytes, which are taken out. */
  take(count: number): Uint8Array {
    if (this.size === 0) return allocate(0);
    if (!this.#isOurs && count >= this.size && this.size === this.#memory.length) {
      const whole = this.#memory;
      this.clear();
      return whole;
    }
    const end = Math.min(this.#start + count, this.#end);
    const memory = this.#memory;
    const isSmall = end - this.#start < memory.buffer.byteLength * SMALL_SHARE;
    const taken = isSmall ? copyOf(memory, this.#start, end) : memory.subarray(this.#start, end);
    this.drop(count);
    return taken;
  }

  drop(count: number): void {
    this.#start = Math.min(this.#start + count, this.#end);
    if (this.#start === this.#end) this.clear();
  }

  clear(): void {
    this.#memory = EMPTY;
    this.#start = 0;
    this.#end = 0;
    this.#isOurs = false;
  }

  /** Moves to memory of its own with room for `more` bytes. Views of the old memory stay as they are. */
  #grow(more: number): void {
    const { size } = this;
    const memory = allocate(Math.max(2 * (size + more), 1024));
    memory.set(this.view);
    this.#memory = memory;
    this.#start = 0;
    this.#end = size;
    this.#isOurs = true;
  }
}

const EMPTY = new Uint8Array(0);

/** @internal Where `pattern` begins in `bytes`, at or behind `from`; -1 if it does not. */
export function indexOf(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const first = pattern[0]!;
  const last = bytes.length - pattern.length;
  for (let at = bytes.indexOf(first, from); at !== -1 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let matched = 1;
    while (matched < pattern.length && bytes[at + matched] === pattern[matched]) matched++;
    if (matched === pattern.length) return at;
  }
  return -1;
}
