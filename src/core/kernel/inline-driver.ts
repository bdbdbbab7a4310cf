/**
 * An `await` of a coroutine in an async function: the coroutine runs in the same task, from `then` until the promise is
 * settled. It is no task of its own: `currentTask()`, names and context variables are the task's.
 *
 * @module
 */

import { CancelledError } from "../base/exceptions.ts";
import type { Reject, Resolve } from "./awaits.ts";
import { FutureWait, TurnWait } from "./awaits.ts";
import { ask, forgetCount, handUp } from "./cancellation.ts";
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

export class InlineDriver<T> extends Driver<T> implements Wait {
  readonly task: object | null;
  readonly scope: WaitScope | null;
  override readonly _outer: CountingWaiter | null;
  /** Whose context it runs in. Found once: awaits may be nested deep. */
  readonly #origin: Execution;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  #home: WaitScope | null = null;
  #phase: Phase = "starting";

  constructor(owner: Owner, iterator: Iterator<unknown, unknown, unknown>, resolve: Resolve, reject: Reject) {
    super(owner.loop, iterator);
    this.task = owner.task;
    this.scope = owner.scope;
    this._outer = owner.driver;
    this.#origin = owner.origin ?? owner;
    this.#resolve = resolve;
    this.#reject = reject;
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
  start(): void {
    this.run();
    if (this.#phase === "ended") return;
    this.#phase = "waiting";
    this.ambient = getAsyncContext()?.captureAsIs() ?? null;
    this.#home = this.scope?.addWait(this) ?? null;
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
    const mayGiveWay = this.#leave();
    if (!mayGiveWay || mayGoOn()) this.#resolve(value as never);
    else new TurnWait(this.loop, value, this.#resolve, this.#reject).start(this.scope);
  }

  protected override raised(error: unknown): void {
    const mayGiveWay = this.#leave();
    if (!mayGiveWay || mayGoOn()) this.#reject(error);
    else new FutureWait(failedFuture(this.loop, error), this.#resolve, this.#reject).start(this.scope);
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

  override toString(): string {
    return String(this._waitingFor ?? "<a coroutine>");
  }
}
