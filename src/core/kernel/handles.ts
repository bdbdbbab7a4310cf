/** Handle: a callback that was scheduled, and can be taken back. @module */

import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import { leavesTheLoop } from "../base/exceptions.ts";
import { functionName, inspectAsString, repr } from "../base/format.ts";
import { captureStack, locationOf } from "../base/stack.ts";
import type { Execution, KernelLoop, Runnable, Timer } from "./contract.ts";
import type { Context } from "./contextvars.ts";
import { checkedContext, copyContext } from "./contextvars.ts";
import type { Ambient } from "./running.ts";
import { getAsyncContext, swapRunning } from "./running.ts";

/** A callback and its arguments. */
export type Callback<A extends unknown[]> = (...args: A) => unknown;

/**
 * A callback that was scheduled; `cancel` takes it back.
 *
 * CPython: `asyncio.Handle`.
 */
export class Handle implements Runnable, Execution {
  readonly loop: KernelLoop;
  readonly context: Context;
  /** @internal */
  _callback: Callback<never[]> | null;
  /** @internal */
  _args: readonly unknown[];
  readonly #ambient: Ambient | null;
  #cancelled: boolean = false;
  #reprWhenCancelled: string = "";
  /** @internal */
  readonly _sourceTraceback: readonly string[] | null;

  /** @internal */
  constructor(loop: KernelLoop, callback: Callback<never[]>, args: readonly unknown[], context: Context | null) {
    this.loop = loop;
    this._callback = callback;
    this._args = args;
    this.context = checkedContext(context) ?? copyContext();
    this.#ambient = getAsyncContext()?.capture(this) ?? null;
    this._sourceTraceback = loop.getDebug() ? captureStack(DEBUG_STACK_DEPTH) : null;
  }

  /** No task runs in a callback. */
  get task(): null {
    return null;
  }

  get scope(): null {
    return null;
  }

  get driver(): null {
    return null;
  }

  /** Takes the callback back; it has no effect on one that has run. */
  cancel(): void {
    if (this.#cancelled) return;
    if (this.loop.getDebug()) this.#reprWhenCancelled = this.#describeCall();
    this.#cancelled = true;
    this._callback = null;
    this._args = [];
  }

  cancelled(): boolean {
    return this.#cancelled;
  }

  getContext(): Context {
    return this.context;
  }

  /** @internal */
  run(): void {
    if (this.#cancelled) return;
    if (this.#ambient === null) this.#call();
    else this.#ambient.runInAsyncScope(Handle.#callThis, this);
  }

  static #callThis(this: Handle): void {
    this.#call();
  }

  #call(): void {
    const previous = swapRunning(this);
    this.context._enter();
    try {
      this._callback!(...(this._args as never[]));
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.loop.callExceptionHandler({
        message: `Exception in callback ${this.#describeCall()}`,
        exception: error,
        handle: this,
        ...(this._sourceTraceback === null ? {} : { sourceTraceback: this._sourceTraceback }),
      });
    } finally {
      this.context._leave();
      swapRunning(previous);
    }
  }

  /** @internal */
  _describe(): string {
    return this._callback === null ? "" : `${functionName(this._callback)}()`;
  }

  /** The callback as reports name it, with its arguments in debug mode. */
  #describeCall(): string {
    if (this._callback === null) return this.#reprWhenCancelled;
    const args = this.loop.getDebug() ? this._args.map((arg) => repr(arg)).join(", ") : "";
    return `${functionName(this._callback)}(${args})`;
  }

  /** @internal */
  _reprParts(): string[] {
    const parts = [];
    if (this.#cancelled) parts.push("cancelled");
    const callback = this.#describeCall();
    if (callback !== "") parts.push(callback);
    const made = this._sourceTraceback?.[0];
    if (made !== undefined) parts.push(`created at ${locationOf(made)}`);
    return parts;
  }

  toString(): string {
    return `<${["Handle", ...this._reprParts()].join(" ")}>`;
  }
}
inspectAsString("Handle", Handle);

let timersMade = 0;

/** @internal The number of the next timer. */
export function nextTimerSerial(): number {
  return timersMade++;
}

/** A callback that was scheduled for a time. CPython: `asyncio.TimerHandle`. */
export class TimerHandle extends Handle implements Timer {
  /** @internal */
  readonly _when: number;
  /** @internal */
  readonly _serial: number = nextTimerSerial();
  /** @internal */
  _scheduled: boolean = false;

  /** @internal */
  constructor(
    loop: KernelLoop,
    when: number,
    callback: Callback<never[]>,
    args: readonly unknown[],
    context: Context | null,
  ) {
    super(loop, callback, args, context);
    this._when = when;
  }

  /** When it is due, on the loop's clock, in seconds. */
  when(): number {
    return this._when;
  }

  override cancel(): void {
    if (!this.cancelled()) this.loop._timerCancelled(this);
    super.cancel();
  }

  override toString(): string {
    const parts = this._reprParts();
    parts.splice(this.cancelled() ? 1 : 0, 0, `when=${Number(this._when.toFixed(6))}`);
    return `<${["TimerHandle", ...parts].join(" ")}>`;
  }
}
