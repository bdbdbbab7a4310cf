/**
 * Signals that ask a program to stop (Ctrl-C): the first cancels the main task, which cleans up; a second one ends the
 * process, after saying what still runs.
 *
 * @module
 */

import { SAME_SIGNAL_SECONDS } from "../base/constants.ts";
import { CancelledError, KeyboardInterrupt } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import { getLogger } from "../base/log.ts";
import { drawTasks } from "../kernel/task-tree.ts";
import type { Task } from "../kernel/tasks.ts";
import type { BaseEventLoop } from "./base-events.ts";

/** Which signals ask a program to stop. Ctrl-C, where the application has no handler of its own; or those named; or none. */
type SignalOptions = readonly string[] | false | undefined;

/** The signals that one program gets. */
export class Interrupts {
  readonly #loop: BaseEventLoop;
  readonly #signals: SignalOptions;
  #main: Task<unknown> | null = null;
  /** The first that came, and the last. */
  #first: string | null = null;
  #last: { readonly signal: string; readonly at: number } | null = null;
  /** One that came when main had ended. */
  #late: string | null = null;
  #stop: (() => void) | null = null;

  /** @throws {TypeError} for what are no names of signals. */
  constructor(loop: BaseEventLoop, signals: SignalOptions) {
    const isList = Array.isArray(signals) && signals.every((name) => typeof name === "string");
    if (signals !== undefined && signals !== false && !isList) {
      throw new TypeError(`signals: expected names such as ["SIGINT", "SIGTERM"], or false: received ${repr(signals)}`);
    }
    this.#loop = loop;
    this.#signals = signals;
  }

  /** A signal cancels `main` from now on; with `null`, while the program ends, it only counts. */
  listen(main: Task<unknown> | null): void {
    if (main !== null) this.#first = null;
    this.#main = main;
    if (this.#signals === false) return;
    this.#stop ??= this.#loop._host.onSignal?.(this.#signals ?? null, (signal) => this.#came(signal)) ?? null;
  }

  /** Signals have their own way again, when those that have come already have been told. */
  async stop(): Promise<void> {
    if (this.#stop === null) return;
    await this.#loop._host.signalsTold?.();
    this.#stop();
    this.#stop = null;
  }

  /** What `main` ended with, seen from outside: a `KeyboardInterrupt` if it was cancelled for a signal. */
  errorFor(error: unknown, main: Task<unknown>): unknown {
    if (this.#first === null || !(error instanceof CancelledError) || main.uncancel() > 0) return error;
    return this.#interrupt(this.#first, { cause: error });
  }

  /** @throws {KeyboardInterrupt} for a signal that came when main had ended, once. */
  check(): void {
    const late = this.#late;
    this.#late = null;
    if (late !== null) throw this.#interrupt(late, {});
  }

  #interrupt(signal: string, options: ErrorOptions): KeyboardInterrupt {
    const error = new KeyboardInterrupt(signal === "SIGINT" ? "" : signal, options);
    this.#loop._host.endsProgram?.(error, signal);
    return error;
  }

  #came(signal: string): void {
    const loop = this.#loop;
    if (loop._handlesSignal(signal)) return;
    const now = loop.time();
    // Ctrl-C goes to each process at a terminal, and some of them pass it on to their children, which get it twice.
    const isSame = signal === this.#last?.signal && now - this.#last.at < SAME_SIGNAL_SECONDS;
    this.#last = { signal, at: now };
    if (isSame) return;
    if (this.#first === null) {
      this.#first = signal;
      if (this.#main === null || this.#main.done()) this.#late = signal;
      else this.#main.cancel();
    } else {
      getLogger().error(`Interrupted while these tasks were still running:\n${drawTasks(loop._tasks)}`);
      loop._host.exitBySignal?.(signal);
    }
  }
}
