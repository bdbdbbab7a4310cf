/** The loop's host on Node.js, and on Bun and Deno, which have its API. @module */

import type { Host, HostClient } from "../../core/loop/host.ts";
import { drainMicrotasks } from "./microtasks.ts";
import { beforeExit, interrupt, unhandledRejection } from "./process-events.ts";

/** `setTimeout` takes a signed 32-bit number of milliseconds, and fires at once beyond it. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** Node's timers may fire so much too early, by its own clock of whole milliseconds. */
const EARLY_SECONDS = 1e-3;

/** What a program that Ctrl-C ended exits with: 128 + SIGINT. */
const INTERRUPTED = 130;

/**
 * A turn comes from `setImmediate`: after poll phase of libuv, so that I/O callbacks stand in the queue before timers
 * that are due, as in CPython. One `setTimeout` serves the nearest deadline of all.
 */
export class NodeHost implements Host {
  readonly clockResolution: number = 1e-6;
  #client: HostClient | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** When the timer fires, and when the turn is wanted, on {@link now}'s clock: it may fire before, and is set again. */
  #timerDue: number = Infinity;
  #wanted: number = Infinity;
  #stopListening: (() => void)[] = [];

  now(): number {
    return performance.now() / 1000;
  }

  /** Deno may refuse to tell. */
  get debug(): boolean {
    try {
      return (process.env["ASYNCIO_DEBUG"] ?? "") !== "";
    } catch {
      return false;
    }
  }

  connect(client: HostClient): void {
    this.#client = client;
    this.#stopListening = [
      beforeExit.add(() => this.#client?.exhausted()),
      // The last promises are rejected after the loop has stopped.
      later(unhandledRejection.add(() => {})),
    ];
  }

  disconnect(): void {
    this.#forget();
    this.#client = null;
    for (const stop of this.#stopListening.splice(0)) stop();
  }

  requestTurn(delay: number, isExpected: boolean = false): void {
    if (delay === 0) {
      this.#immediate ??= setImmediate(this.#turn);
      return;
    }
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#wanted = this.now() + delay;
    // A busy loop asks again after each turn, mostly for the same deadline: to set a timer each time costs more than a turn.
    const isTimed = delay !== Infinity || isExpected;
    if (isTimed && this.#timer !== null && this.#timerDue <= this.#wanted) return;
    this.#clearTimer();
    if (isTimed) this.#setTimer(delay);
  }

  #setTimer(delay: number): void {
    const milliseconds = Math.min(Math.ceil(delay * 1000), LONGEST_TIMEOUT);
    this.#timerDue = this.now() + milliseconds / 1000;
    this.#timer = setTimeout(this.#timerFired, milliseconds);
  }

  readonly #timerFired = (): void => {
    this.#timer = null;
    if (this.#immediate !== null) return;
    const left = this.#wanted - this.now();
    if (left <= EARLY_SECONDS) this.requestTurn(0);
    else this.#setTimer(left);
  };

  drainMicrotasks(): boolean {
    return drainMicrotasks();
  }

  onInterrupt(interrupted: () => void): () => void {
    return interrupt.add(interrupted);
  }

  exitInterrupted(): void {
    process.exit(INTERRUPTED);
  }

  readonly #turn = (): void => {
    this.#immediate = null;
    this.#client?.turn();
  };

  #forget(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#clearTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerDue = Infinity;
  }
}

/** `fn`, when what is under way in this turn of libuv's loop has come to its end. */
function later(fn: () => void): () => void {
  return () => void setImmediate(fn);
}
