/** Bytes: from text, in memory of the platform's own kind. @module */

import { repr } from "../base/format.ts";
import { getPlatform } from "../loop/platform.ts";
import type { Data } from "./contracts.ts";

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

/** Made when it is first needed: Jest's jsdom has none, and programs that need none run there. */
let encoder: TextEncoder | null = null;

/** @throws {TypeError} for what is neither bytes nor a string. */
export function toBytes(data: Data): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (typeof data === "string") {
    encoder ??= new TextEncoder();
    return encoder.encode(data);
  }
  throw new TypeError(`data: expected bytes (a Uint8Array) or a string, received ${repr(data)}`);
}

/** Memory of the platform's kind: a `Buffer` on Node.js. */
export function allocate(size: number): Uint8Array {
  return getPlatform().allocate?.(size) ?? new Uint8Array(size);
}

/** A copy of `bytes` in memory of the platform's kind: whoever has written them may change them afterwards. */
export function copyToMemory(bytes: Uint8Array): Uint8Array {
  const memory = allocate(bytes.length);
  memory.set(bytes);
  return memory;
}

/** `bytes` as an array of the platform's kind: itself if it is one, else a copy. */
export function sameKind(bytes: Uint8Array): Uint8Array {
  const memory = allocate(bytes.length);
  if (memory.constructor === bytes.constructor) return bytes;
  memory.set(bytes);
  return memory;
}

/** A copy, of the same kind: a `Buffer` of a `Buffer`, whose own `slice` copies nothing. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}
