/**
 * An `await` of a coroutine in an async function: the coroutine runs in the same task, from `then` until the promise is
 * settled. It is no task of its own: `currentTask()`, names and context variables are the task's.
 *
 * @module
 */

import { CancelledError } from "../base/exceptions.ts";
import { FutureWait, TurnWait } from "./awaits.ts";
import type { ChainedWait, OnFinally, OnFulfilled, OnRejected, Reject, Resolve } from "./promise-methods.ts";
import { chainEnded, chainOn, endWith } from "./promise-methods.ts";
import { ask, forgetCount, handUp, levelOf, putInLevel } from "./cancellation.ts";
import type { CountingWaiter, Execution, KernelLoop, Wait, WaitScope } from "./contract.ts";
import { Driver } from "./driver.ts";
import { failedFuture } from "./futures.ts";
import { getAsyncContext, mayGoOn } from "./running.ts";

/** Who awaits a coroutine in an async function: its execution, in a loop. */
export interface Owner extends Execution {
  readonly loop: KernelLoop;
}

/** Where the driver stands: in its first step, which takes no turn; waiting in its scope; at its end. */
type Phase = "starting" | "waiting" | "ended";

export class InlineDriver<T> extends Driver<T> implements Wait, ChainedWait {
  readonly task: object | null;
  readonly scope: WaitScope | null;
  override readonly _outer: CountingWaiter | null;
  /** Whose context it runs in. Found once: awaits may be nested deep. */
  readonly #origin: Execution;
  /** @internal */
  _resolve: Resolve;
  /** @internal */
  _reject: Reject;
  #home: WaitScope | null = null;
  #phase: Phase = "starting";

  constructor(owner: Owner, iterator: Iterator<unknown, unknown, unknown>, resolve: Resolve, reject: Reject) {
    super(owner.loop, iterator);
    this.task = owner.task;
    this.scope = owner.scope;
    this._outer = owner.driver;
    putInLevel(this, levelOf(owner.driver));
    this.#origin = owner.origin ?? owner;
    this._resolve = resolve;
    this._reject = reject;
  }

  get origin(): Execution {
    return this.#origin;
  }

  get context(): object {
    return this.#origin.context;
  }

  override get _strays(): null {
    return null;
  }

  override _askedBy(): void {}

  /** The first step, at once; only a coroutine that then waits is registered as a wait of the async function. */
  start(): this {
    this.run();
    if (this.#phase === "ended") return this;
    this.#phase = "waiting";
    this.ambient = getAsyncContext()?.captureAsIs() ?? null;
    this.#home = this.scope?.addWait(this) ?? null;
    return this;
  }

  override cancel(message?: string): boolean {
    if (this.#phase === "ended") return false;
    ask(this, message);
    return true;
  }

  abandon(): void {
    this.raised(new CancelledError("the event loop is closed"));
  }

  protected override returned(value: T): void {
    if (this.#leave() && !mayGoOn()) {
      chainEnded(this, new TurnWait(this.loop, value, this._resolve, this._reject).start(this.scope));
    } else endWith(this, this._resolve, value);
  }

  protected override raised(error: unknown): void {
    if (this.#leave() && !mayGoOn()) {
      const failed = failedFuture(this.loop, error);
      chainEnded(this, new FutureWait(failed, this._resolve, this._reject).start(this.scope));
    } else endWith(this, this._reject, error);
  }

  /** Whether it ends in its first step, so that a loop around it would never give way. */
  #leave(): boolean {
    const isFirstStep = this.#phase === "starting";
    this.#phase = "ended";
    forgetCount(this);
    this.#home?.removeWait(this);
    handUp(this, this._outer);
    this.loop._promisesDue();
    return isFirstStep;
  }

  // --- what `then` returned: not the future that a driver is, too

  override then<A = T, B = never>(onFulfilled?: OnFulfilled<T, A>, onRejected?: OnRejected<B>): Promise<A | B> {
    return (chainOn(this) as Promise<T>).then(onFulfilled, onRejected);
  }

  override catch<B = never>(onRejected?: OnRejected<B>): Promise<T | B> {
    return (chainOn(this) as Promise<T>).catch(onRejected);
  }

  override finally(onFinally?: OnFinally): Promise<T> {
    return (chainOn(this) as Promise<T>).finally(onFinally);
  }

  override toString(): string {
    return String(this._waitingFor ?? "<a coroutine>");
  }
}

/** The driver of an `await` of a deadline or a group. */
export class ScopeDriver<T> extends InlineDriver<T> {
  override get _isScope(): boolean {
    return true;
  }
}
