/**
 * Signals that ask the process to stop, for all the loops in it, and how a process ends that got one.
 *
 * Node's own action for Ctrl-C, to end the process, is gone as soon as anybody listens. A loop that was not told to listen
 * does so for as long as the application does not: with a handler of its own, the signal is the application's.
 *
 * @module
 */

import { constants } from "node:os";
import { repr } from "../../core/base/format.ts";

type Receiver = (signal: string) => void;

/** Marks our listeners, for another copy of the package in the process too: neither is the application's. */
const OURS: unique symbol = Symbol.for("asyncio-ts.signal");

/** One signal, and who wants to hear of it. */
class StopSignal {
  readonly #name: string;
  readonly #told: Set<Receiver> = new Set();
  readonly #byDefault: Set<Receiver> = new Set();
  readonly #listener: () => void = Object.assign(() => this.#came(), { [OURS]: true });
  #isListening: boolean = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds `receiver`: in any case, or only while the application has no handler; the function returned removes it. */
  add(receiver: Receiver, isTold: boolean): () => void {
    const receivers = isTold ? this.#told : this.#byDefault;
    if (this.#isUnused) {
      process.on("newListener", this.#handlerIsAdded);
      process.on("removeListener", this.#handlerWasRemoved);
    }
    receivers.add(receiver);
    this.#update(this.#hasHandler());
    return () => {
      receivers.delete(receiver);
      this.#update(this.#hasHandler());
      if (!this.#isUnused) return;
      process.off("newListener", this.#handlerIsAdded);
      process.off("removeListener", this.#handlerWasRemoved);
    };
  }

  get #isUnused(): boolean {
    return this.#told.size === 0 && this.#byDefault.size === 0;
  }

  readonly #handlerIsAdded = (event: unknown, handler: object): void => {
    if (event === this.#name && !(OURS in handler)) this.#update(true);
  };

  readonly #handlerWasRemoved = (event: unknown): void => {
    if (event === this.#name) this.#update(this.#hasHandler());
  };

  #came(): void {
    for (const receiver of this.#told) receiver(this.#name);
    if (!this.#hasHandler()) for (const receiver of this.#byDefault) receiver(this.#name);
  }

  #hasHandler(): boolean {
    return process.listeners(this.#name as NodeJS.Signals).some((listener) => !(OURS in listener));
  }

  #update(hasHandler: boolean): void {
    const wants = this.#told.size > 0 || (this.#byDefault.size > 0 && !hasHandler);
    if (wants === this.#isListening) return;
    this.#isListening = wants;
    if (wants) process.on(this.#name, this.#listener);
    else process.off(this.#name, this.#listener);
  }
}

const stopSignals: Map<string, StopSignal> = new Map();

/** Calls `came` for each of `signals` that the process gets; `null` is Ctrl-C while the application has no handler. */
export function onSignal(signals: readonly string[] | null, came: Receiver): () => void {
  const names = signals ?? ["SIGINT"];
  for (const name of names) {
    if (!(name in constants.signals))
      throw new RangeError(`signals: expected names such as 'SIGTERM', received ${repr(name)}`);
  }
  const removers = names.map((name) => {
    const signal = stopSignals.get(name) ?? new StopSignal(name);
    stopSignals.set(name, signal);
    return signal.add(came, signals !== null);
  });
  return () => {
    for (const remove of removers) remove();
  };
}

/** Ends the process as a shell expects of one that `signal` ended: 128 and the signal's number. */
export function exitBySignal(signal: string): void {
  process.exit(exitCodeOf(signal));
}

/**
 * If nobody handles `error`, the process ends with the exit code of `signal`, and without a stack: it was asked to end, and
 * did. An `uncaughtException` handler of the application's goes before.
 */
export function exitWhenUncaught(error: Error, signal: string): void {
  process.on("uncaughtExceptionMonitor", (uncaught) => {
    if (uncaught === error && process.listenerCount("uncaughtException") === 0) process.exit(exitCodeOf(signal));
  });
}

function exitCodeOf(signal: string): number {
  return 128 + constants.signals[signal as NodeJS.Signals];
}
