/**
 * Events of the process, for all the loops in it: each event has one listener, however many loops there are.
 *
 * @module
 */

import { afterIo } from "./immediates.ts";

/** The listeners of one event. The process is listened to while there are any. */
class ProcessEvent {
  readonly #name: string;
  readonly #listener: (...args: unknown[]) => void;
  readonly listeners: Set<() => void> = new Set();

  constructor(name: string, emit: (listeners: ReadonlySet<() => void>, ...args: unknown[]) => void) {
    this.#name = name;
    this.#listener = (...args) => emit(this.listeners, ...args);
  }

  /** Adds `listener`; the function it returns removes it. */
  add(listener: () => void): () => void {
    if (this.listeners.size === 0) process.on(this.#name, this.#listener);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) process.off(this.#name, this.#listener);
    };
  }
}

/** Whether the event came before, and nothing has come of what its other listeners did. */
let isSecond: boolean = false;

/**
 * The process is about to end. Other listeners may give it work, and so the loops hear of it when it comes a second time. Only
 * the loop that began to run last hears of it: the others may wait for that one, and the event comes again when they have
 * had a turn to go on.
 */
export const beforeExit: ProcessEvent = new ProcessEvent("beforeExit", (listeners) => {
  if (isSecond) [...listeners].at(-1)?.();
  isSecond = !isSecond;
  afterIo(() => {});
});
