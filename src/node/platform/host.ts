/** The loop's host on Node.js, and on Bun and Deno, which have its API. @module */

import type { Host, HostClient } from "../../core/loop/host.ts";
import { afterIo, cancelAfterIo } from "./immediates.ts";
import { drainMicrotasks, provenDrain } from "./microtasks.ts";
import { beforeExit } from "./process-events.ts";
import { exitBySignal, exitWhenUncaught, onSignal } from "./stop-signals.ts";

/** `setTimeout` takes a signed 32-bit number of milliseconds, and fires at once beyond it. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** How early Node's timers may fire: its clock for them has whole milliseconds. */
const EARLY_SECONDS = 1e-3;

/**
 * A turn comes from `setImmediate`, which runs after the poll phase of libuv: I/O callbacks are in the queue before timers
 * that are due, as in CPython. One `setTimeout` serves the nearest of all deadlines.
 */
export class NodeHost implements Host {
  readonly clockResolution: number = 1e-6;
  #client: HostClient | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** When the timer fires, on {@link now}'s clock. */
  #timerDue: number = Infinity;
  /** When the next turn is wanted. The timer may fire before, for an older deadline, and is set again then. */
  #wanted: number = Infinity;
  #stopListening: (() => void) | null = null;

  now(): number {
    return performance.now() / 1000;
  }

  /** Deno throws unless the program may read its environment. */
  get debug(): boolean {
    try {
      return (process.env["ASYNCIO_DEBUG"] ?? "") !== "";
    } catch {
      return false;
    }
  }

  connect(client: HostClient): void {
    this.#client = client;
    this.#stopListening = beforeExit.add(() => this.#exhausted());
  }

  #exhausted(): void {
    if (this.#client?.mayBeAborted()) this.requestTurn(Infinity, true);
    else this.#client?.exhausted();
  }

  disconnect(): void {
    this.#forget();
    this.#client = null;
    this.#stopListening?.();
    this.#stopListening = null;
  }

  requestTurn(delay: number, isExpected: boolean = false): void {
    if (delay === 0) {
      this.#immediate ??= afterIo(this.#turn);
      return;
    }
    if (this.#immediate !== null) cancelAfterIo(this.#immediate);
    this.#immediate = null;
    this.#wanted = this.now() + delay;
    // A busy loop asks after each turn, usually for the same deadline: re-arming the timer costs more than a turn.
    const isTimed = delay !== Infinity || isExpected;
    if (isTimed && this.#timer !== null && this.#timerDue <= this.#wanted) return;
    this.#clearTimer();
    if (isTimed) this.#setTimer(delay);
  }

  #setTimer(delay: number): void {
    // A difference of two times is seldom whole: what is less than the clock's resolution above a number is that number.
    const milliseconds = Math.min(Math.ceil((delay - this.clockResolution) * 1000), LONGEST_TIMEOUT);
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

  provenDrain(): (() => void) | null {
    return provenDrain();
  }

  afterSilence(delay: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delay * 1000).unref();
    return () => clearTimeout(timer);
  }

  /** Bun and Deno may not know. */
  activeResources(): readonly string[] {
    const { getActiveResourcesInfo: list } = process as Partial<typeof process>;
    return list?.() ?? [];
  }

  onSignal(signals: readonly string[] | null, came: (signal: string) => void): () => void {
    return onSignal(signals, came);
  }

  /** A signal that has come is told in the poll phase of libuv, before the next check phase. */
  signalsTold(): Promise<void> {
    return new Promise((resolve) => void afterIo(resolve));
  }

  endsProgram(error: Error, signal: string): void {
    exitWhenUncaught(error, signal);
  }

  exitBySignal(signal: string): void {
    exitBySignal(signal);
  }

  readonly #turn = (): void => {
    this.#immediate = null;
    this.#client?.turn();
  };

  #forget(): void {
    if (this.#immediate !== null) cancelAfterIo(this.#immediate);
    this.#immediate = null;
    this.#clearTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerDue = Infinity;
  }
}
