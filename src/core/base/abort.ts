/** `AbortSignal`, the platform's way to say stop, in as little of it as the library needs. @module */

import { AbortMessage } from "./exceptions.ts";
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

/** Who wants to hear of a signal: one listener on it serves them all, since many slow it down badly. */
class Listeners {
  readonly #signal: AbortSignalLike;
  readonly #all: Set<() => void> = new Set();
  readonly #listener = (): void => {
    bySignal.delete(this.#signal);
    for (const abort of this.#all) abort();
  };

  constructor(signal: AbortSignalLike) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#listener, { once: true });
  }

  add(abort: () => void): void {
    this.#all.add(abort);
  }

  /** The last one takes the listener with it: a signal that was composed of others is held by these while it has one. */
  delete(abort: () => void): void {
    if (!this.#all.delete(abort) || this.#all.size > 0) return;
    bySignal.delete(this.#signal);
    this.#signal.removeEventListener("abort", this.#listener);
  }
}

const bySignal: WeakMap<AbortSignalLike, Listeners> = new WeakMap();

/** Calls `cancel` with the message for a request when `signal` is aborted, or now; the function returned breaks the link. */
export function onAbort(signal: AbortSignalLike, cancel: (message: string | undefined) => void): () => void {
  if (typeof signal?.addEventListener !== "function") {
    throw new TypeError(`An AbortSignal is expected as signal: received ${repr(signal)}`);
  }
  const abort = (): void => cancel(messageOf(signal.reason));
  if (signal.aborted) {
    abort();
    return () => {};
  }
  const listeners = bySignal.get(signal) ?? new Listeners(signal);
  bySignal.set(signal, listeners);
  listeners.add(abort);
  return () => listeners.delete(abort);
}

function messageOf(reason: unknown): string | undefined {
  if (reason === undefined) return undefined;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new AbortMessage(text, reason) as unknown as string;
}
