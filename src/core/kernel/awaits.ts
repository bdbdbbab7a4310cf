/** What async functions wait for: a set of waits, and the wait for one future. @module */

import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import type { AbstractEventLoop, Runnable } from "./events.ts";
import { CancelledError } from "../base/exceptions.ts";
import type { Future } from "./futures.ts";
import type { Cancellable, WaitScope } from "./running.ts";
import { captureStack } from "../base/stack.ts";
import type { Task } from "./tasks.ts";

/** What an `await` hands to `then`: the two ends of the promise that carries the async function on. */
export type Resolve = (value: never) => void;
/** See {@link Resolve}. */
export type Reject = (error: unknown) => void;

/** A set of waits. Nearly always it holds one, which then lies in a field. */
export class WaitSet implements Cancellable {
  #only: Cancellable | null = null;
  #several: Set<Cancellable> | null = null;
  /** Where the set itself is a wait, since its owner has ended before what it waits for. */
  #home: WaitScope | null = null;

  get size(): number {
    return this.#several?.size ?? (this.#only === null ? 0 : 1);
  }

  add(wait: Cancellable): void {
    if (this.#several !== null) this.#several.add(wait);
    else if (this.#only === null) this.#only = wait;
    else {
      this.#several = new Set([this.#only, wait]);
      this.#only = null;
    }
  }

  delete(wait: Cancellable): void {
    if (this.#only === wait) this.#only = null;
    else this.#several?.delete(wait);
    if (this.#home !== null && this.size === 0) this.#home.removeWait(this);
  }

  /** The owner has ended: what still waits is `scope`'s from here on. */
  moveTo(scope: WaitScope): void {
    if (this.size > 0) this.#home = scope.addWait(this);
  }

  /** Cancels each; whether there was one to cancel. */
  cancel(message?: string): boolean {
    let accepted = false;
    for (const wait of this) accepted = wait.cancel(message) || accepted;
    return accepted;
  }

  forgetCancel(): void {
    for (const wait of this) wait.forgetCancel();
  }

  abandon(): void {
    for (const wait of this) wait.abandon();
  }

  *[Symbol.iterator](): Generator<Cancellable, void, undefined> {
    if (this.#only !== null) yield this.#only;
    else if (this.#several !== null) yield* this.#several;
  }
}

/** An `await` of one of ours in an async function, from `then` until the promise is settled, which takes one handle. */
abstract class Wait implements Runnable, Cancellable {
  protected readonly loop: AbstractEventLoop;
  protected readonly resolve: Resolve;
  protected readonly reject: Reject;
  #scope: WaitScope | null = null;
  /** What was waited for was done when the request to cancel came: its result is lost, as in CPython. */
  #mustCancel: boolean = false;
  #message: string | undefined = undefined;

  constructor(loop: AbstractEventLoop, resolve: Resolve, reject: Reject) {
    this.loop = loop;
    this.resolve = resolve;
    this.reject = reject;
  }

  get task(): Task<unknown> | null {
    return this.#scope?.task ?? null;
  }

  /** Waits on behalf of `scope`, or of nobody. */
  start(scope: WaitScope | null): void {
    if (scope !== null) this.#scope = scope.addWait(this);
  }

  /** Passes a request to cancel on to what is waited for; whether that took it. */
  protected abstract passOn(message: string | undefined): boolean;
  /** Settles the promise with what came of the wait. */
  protected abstract settle(): void;
  /** Whether what is waited for raises a `CancelledError` by itself. */
  protected abstract raisesCancelled(): boolean;

  cancel(message?: string): boolean {
    if (this.passOn(message)) return true;
    this.#mustCancel = true;
    this.#message = message;
    return true;
  }

  forgetCancel(): void {
    this.#mustCancel = false;
  }

  abandon(): void {
    this.reject(new CancelledError("the event loop is closed"));
  }

  run(): void {
    this.#scope?.removeWait(this);
    this.loop._promisesDue();
    try {
      if (this.#mustCancel && !this.raisesCancelled()) this.reject(new CancelledError(this.#message));
      else this.settle();
    } catch (error) {
      // The engine's own functions do not throw: this is a callback that somebody gave to then().
      this.loop.callExceptionHandler({ message: "Exception in a callback of then()", exception: error });
    }
  }

  /** What a loop that reports a slow callback calls it. */
  abstract toString(): string;

  /** How the callbacks of a future name it. */
  _describe(): string {
    return "await";
  }
}

/** An `await` of a future. */
export class FutureWait extends Wait {
  readonly #future: Future<unknown>;

  constructor(future: Future<unknown>, resolve: Resolve, reject: Reject) {
    super(future._loop, resolve, reject);
    this.#future = future;
  }

  /** What is waited for, for those who draw the tasks. */
  get future(): Future<unknown> {
    return this.#future;
  }

  override start(scope: WaitScope | null): void {
    this.#future._addWaiter(this);
    super.start(scope);
  }

  protected override passOn(message: string | undefined): boolean {
    const accepted = this.#future.cancel(message);
    if (!accepted && this.#future._isCancelling) {
      // The request came round a circle of tasks that wait for each other; see Driver.
      this.#future._removeWaiter(this);
      this.loop._enqueue(this);
    }
    return accepted;
  }

  protected override settle(): void {
    this.#future._settle(this.resolve, this.reject);
  }

  protected override raisesCancelled(): boolean {
    return this.#future._raisesCancelled();
  }

  override toString(): string {
    return `<await of ${this.#future.toString()}>`;
  }
}

/** An `await` of nothing but the next turn. */
export class TurnWait extends Wait {
  readonly #result: unknown;

  constructor(loop: AbstractEventLoop, result: unknown, resolve: Resolve, reject: Reject) {
    super(loop, resolve, reject);
    this.#result = result;
  }

  override start(scope: WaitScope | null): void {
    this.loop._enqueue(this);
    super.start(scope);
  }

  protected override passOn(): boolean {
    return false;
  }

  protected override settle(): void {
    this.resolve(this.#result as never);
  }

  protected override raisesCancelled(): boolean {
    return false;
  }

  override toString(): string {
    return "<await of the next turn>";
  }
}

/** The waits that outlived their task: they go on, and end when the loop does. */
export class Orphans implements WaitScope {
  readonly loop: AbstractEventLoop;
  readonly task: null = null;
  readonly driver: null = null;
  readonly #waits: WaitSet = new WaitSet();

  constructor(loop: AbstractEventLoop) {
    this.loop = loop;
  }

  get size(): number {
    return this.#waits.size;
  }

  addWait(wait: Cancellable): this {
    if (this.loop.isClosed()) {
      wait.abandon();
      return this;
    }
    this.#waits.add(wait);
    if (this.loop.getDebug()) {
      this.loop.callExceptionHandler({
        message: "An async function outlived its task: await it, or make it a task of its own",
        sourceTraceback: captureStack(DEBUG_STACK_DEPTH),
      });
    }
    return this;
  }

  removeWait(wait: Cancellable): void {
    this.#waits.delete(wait);
  }

  /** Cancels each, so that its cleanup runs in the turns that follow. */
  cancel(): void {
    this.#waits.cancel();
  }

  /** The loop is closed: nothing will come of these waits any more. */
  abandon(): void {
    this.#waits.abandon();
  }
}
