/**
 * What the process has to say, for all the loops in it: one listener each, however many loops there are.
 *
 * @module
 */

import { CancelledError } from "../../core/base/exceptions.ts";

/** Listeners of one event of the process, which is listened to while there are any. */
class ProcessEvent {
  readonly #name: string;
  readonly #listener: (...args: unknown[]) => void;
  readonly listeners: Set<() => void> = new Set();

  constructor(name: string, emit: (listeners: ReadonlySet<() => void>, ...args: unknown[]) => void) {
    this.#name = name;
    this.#listener = (...args) => emit(this.listeners, ...args);
  }

  /** Adds `listener`; the function returned takes it away. */
  add(listener: () => void): () => void {
    if (this.listeners.size === 0) process.on(this.#name, this.#listener);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) process.off(this.#name, this.#listener);
    };
  }
}

/**
 * The process is about to end. One loop hears of it, the last that began to run: others may wait for it, and are asked
 * when they have had the chance to go on.
 */
export const beforeExit: ProcessEvent = new ProcessEvent("beforeExit", (listeners) => {
  const last = [...listeners].at(-1);
  last?.();
  setImmediate(() => {});
});

/** The user pressed Ctrl-C: every loop hears of it. */
export const interrupt: ProcessEvent = new ProcessEvent("SIGINT", (listeners) => {
  for (const listener of listeners) listener();
});

/**
 * A promise was rejected and nobody awaits it. If it was cancelled, that is no error: the one who would have awaited it
 * has been cancelled too. Any other goes the way it would go without us.
 */
export const unhandledRejection: ProcessEvent = new ProcessEvent("unhandledRejection", (_listeners, reason) => {
  if (reason instanceof CancelledError) return;
  if (process.listenerCount("unhandledRejection") === 1) throw reason;
});
