/** `AbortSignal`, the platform's way to say stop, in as little of it as the library needs. @module */

import { repr } from "./format.ts";

/** An `AbortSignal`, as far as the library reads one. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The platform's own `AbortSignal` type where it is declared. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : AbortSignalLike;

/** The end of a signal that aborts it. */
export interface Aborter {
  readonly signal: Signal;
  abort(reason: unknown): void;
}

declare const AbortController: new () => Aborter;

export function newAborter(): Aborter {
  return new AbortController();
}

/** Who wants to hear of each signal: one listener on the signal serves them all, since many slow it down badly. */
const listeners: WeakMap<AbortSignalLike, Set<() => void>> = new WeakMap();

/** Calls `cancel` with the reason's message when `signal` is aborted, or now; the function returned breaks the link. */
export function onAbort(signal: AbortSignalLike, cancel: (message: string | undefined) => void): () => void {
  if (typeof signal?.addEventListener !== "function") {
    throw new TypeError(`An AbortSignal is expected as signal: received ${repr(signal)}`);
  }
  const abort = (): void => cancel(messageOf(signal.reason));
  if (signal.aborted) {
    abort();
    return () => {};
  }
  const known = listeners.get(signal);
  const all = known ?? new Set();
  if (known === undefined) {
    listeners.set(signal, all);
    signal.addEventListener("abort", () => all.forEach((listener) => listener()), { once: true });
  }
  all.add(abort);
  return () => void all.delete(abort);
}

function messageOf(reason: unknown): string | undefined {
  if (reason instanceof Error) return reason.message;
  return reason === undefined ? undefined : String(reason);
}
