/** Signals of the operating system as callbacks of the loop. @module */

import { constants } from "node:os";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { Callback } from "../../core/kernel/handles.ts";
import { Handle } from "../../core/kernel/handles.ts";
import { repr } from "../../core/base/format.ts";

/** Signals no process can catch. */
const UNCATCHABLE: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP"]);

/** The handlers of one loop. */
export class SignalHandlers {
  readonly #loop: AbstractEventLoop;
  readonly #handlers: Map<string, { readonly handle: Handle; readonly listener: () => void }> = new Map();

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  get size(): number {
    return this.#handlers.size;
  }

  has(signal: string): boolean {
    return this.#handlers.has(signal);
  }

  /** Has `callback(...args)` called in a turn of the loop when `signal` comes, instead of the handler before. */
  add(signal: NodeJS.Signals, callback: Callback<never[]>, args: readonly unknown[]): void {
    checkName(signal);
    if (UNCATCHABLE.has(signal)) throw new RangeError(`signal: ${signal} cannot be caught`);
    if (typeof callback !== "function")
      throw new TypeError(`addSignalHandler: expected a function, received ${repr(callback)}`);
    if (/(Async|Generator)Function\]$/.test(Object.prototype.toString.call(callback))) {
      throw new TypeError("coroutines cannot be used with addSignalHandler(): start a task in a plain function");
    }
    this.remove(signal);
    const handle = new Handle(this.#loop, callback, args, null);
    const listener = (): void => this.#loop._enqueue(handle);
    this.#handlers.set(signal, { handle, listener });
    process.on(signal, listener);
  }

  /** Puts the default action of the signal back; whether there was a handler. */
  remove(signal: NodeJS.Signals): boolean {
    checkName(signal);
    const handler = this.#handlers.get(signal);
    if (handler === undefined) return false;
    this.#handlers.delete(signal);
    process.off(signal, handler.listener);
    handler.handle.cancel();
    return true;
  }

  clear(): void {
    for (const signal of this.#handlers.keys()) this.remove(signal as NodeJS.Signals);
  }
}

function checkName(signal: string): void {
  if (typeof signal !== "string" || !(signal in constants.signals)) {
    throw new RangeError(`signal: expected a name such as 'SIGTERM', received ${repr(signal)}`);
  }
}
