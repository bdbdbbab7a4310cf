/** An `await` in an async function: what it waits for, and the set of those that one function has under way. @module */

import { CancelledError } from "../base/exceptions.ts";
import { ask, askBranches, deliverKept, levelOf, putInLevel, takeDelivery } from "./cancellation.ts";
import type { ChainedWait, OnFinally, OnFulfilled, OnRejected, Reject, Resolve } from "./promise-methods.ts";
import { chainEnded, chainOn, chainThrew } from "./promise-methods.ts";
import type { Asked, Awaited, Cancellable, Fork, KernelLoop, Runnable, Wait, Waiter, WaitScope } from "./contract.ts";
import { countStep } from "./running.ts";

/** What an `await` asks of its future. */
interface AwaitedFuture extends Awaited {
  readonly _loop: KernelLoop;
  _addWaiter(waiter: Runnable): void;
  _settle(resolve: Resolve, reject: Reject): unknown;
  _interrupted(error: unknown): void;
  toString(): string;
}

/** An `await` of one of ours in an async function, from `then` until the promise is settled, which takes one entry. */
export abstract class PendingAwait implements Waiter, Wait, ChainedWait, Promise<unknown> {
  _resolve: Resolve;
  _reject: Reject;
  #scope: WaitScope | null = null;
  _asked: Asked | null = null;

  constructor(resolve: Resolve, reject: Reject) {
    this._resolve = resolve;
    this._reject = reject;
  }

  abstract get loop(): KernelLoop;

  get task(): object | null {
    return this.#scope?.task ?? null;
  }

  /** Registers the wait in `scope`, if there is one. */
  protected startIn(scope: WaitScope | null): this {
    if (scope === null) return this;
    // Known before it is taken in: a request that the scope's driver keeps is handed down at once, and asks for the task.
    this.#scope = scope;
    putInLevel(this, levelOf(scope.driver));
    this.#scope = scope.addWait(this);
    if (this._asked !== null) deliverKept(this);
    return this;
  }

  abstract get _waitingFor(): AwaitedFuture | null;
  /** Whether what is waited for is not done: a request broke the wait off, and was taken back before it was delivered. */
  protected abstract waitsAgain(): boolean;
  abstract _breakOff(): void;
  /** Settles the promise with what came of the wait; what the callback returned, if it was one by hand. */
  protected abstract settle(): unknown;

  cancel(message?: string): boolean {
    ask(this, message);
    return true;
  }

  get _onward(): this {
    return this;
  }

  /** It leaves its scope when it ends, and is not asked after that. */
  get _hasEnded(): boolean {
    return false;
  }

  get _strays(): null {
    return null;
  }

  _askedBy(): void {}

  abandon(): void {
    this._reject(new CancelledError("the event loop is closed"));
  }

  run(): void {
    countStep(this.task);
    let request: { readonly message: string | undefined } | null = null;
    if (this._asked !== null) {
      request = takeDelivery(this, this._waitingFor);
      if (request === null && this.waitsAgain()) return;
    }
    this.#scope?.removeWait(this);
    this.loop._promisesDue();
    try {
      chainEnded(this, request === null ? this.settle() : this.#interrupt(new CancelledError(request.message)));
    } catch (error) {
      // The engine's own functions do not throw: it is a callback given to then() by hand.
      chainThrew(this, error);
    }
  }

  #interrupt(error: CancelledError): unknown {
    this._waitingFor?._interrupted(error);
    return this._reject(error);
  }

  // --- what `then` returned

  then<A = unknown, B = never>(onFulfilled?: OnFulfilled<unknown, A>, onRejected?: OnRejected<B>): Promise<A | B> {
    return chainOn(this).then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: OnRejected<B>): Promise<unknown> {
    return chainOn(this).catch(onRejected);
  }

  finally(onFinally?: OnFinally): Promise<unknown> {
    return chainOn(this).finally(onFinally);
  }

  get [Symbol.toStringTag](): string {
    return "Promise";
  }

  /** What a loop that reports a slow callback calls it. */
  abstract toString(): string;

  /** How the callbacks of a future name it. */
  _describe(): string {
    return "await";
  }
}

/** An `await` of a future. */
export class FutureWait extends PendingAwait {
  readonly #future: AwaitedFuture;

  constructor(future: AwaitedFuture, resolve: Resolve, reject: Reject) {
    super(resolve, reject);
    this.#future = future;
  }

  get loop(): KernelLoop {
    return this.#future._loop;
  }

  start(scope: WaitScope | null): this {
    this.#future._addWaiter(this);
    return this.startIn(scope);
  }

  override get _waitingFor(): AwaitedFuture | null {
    return this._asked?.hasBrokenOff === true ? null : this.#future;
  }

  override _breakOff(): void {
    this._asked!.hasBrokenOff = true;
  }

  protected override waitsAgain(): boolean {
    if (this._asked?.hasBrokenOff !== true) return false;
    this._asked.hasBrokenOff = false;
    this.#future._addWaiter(this);
    return true;
  }

  protected override settle(): unknown {
    return this.#future._settle(this._resolve, this._reject);
  }

  override toString(): string {
    return `<await of ${this.#future.toString()}>`;
  }
}

/** An `await` of nothing but the next turn. */
export class TurnWait extends PendingAwait {
  readonly loop: KernelLoop;
  readonly #result: unknown;

  constructor(loop: KernelLoop, result: unknown, resolve: Resolve, reject: Reject) {
    super(resolve, reject);
    this.loop = loop;
    this.#result = result;
  }

  start(scope: WaitScope | null): this {
    this.loop._enqueue(this);
    return this.startIn(scope);
  }

  override get _waitingFor(): null {
    return null;
  }

  override _breakOff(): void {}

  protected override waitsAgain(): boolean {
    return false;
  }

  protected override settle(): unknown {
    return this._resolve(this.#result as never);
  }

  override toString(): string {
    return "<await of the next turn>";
  }
}

/** A set of waits; nearly always one, which then lies in a field. */
export class WaitSet implements Wait, Fork {
  #only: Wait | null = null;
  #several: Set<Wait> | null = null;
  /** Where the set itself is a wait, since its owner has ended before what it waits for. */
  #home: WaitScope | null = null;

  get size(): number {
    return this.#several?.size ?? (this.#only === null ? 0 : 1);
  }

  add(wait: Wait): void {
    if (this.#several !== null) this.#several.add(wait);
    else if (this.#only === null) this.#only = wait;
    else {
      this.#several = new Set([this.#only, wait]);
      this.#only = null;
    }
  }

  delete(wait: Wait): void {
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
    return askBranches(this, message);
  }

  get _onward(): this {
    return this;
  }

  get _branches(): Iterable<Cancellable> {
    return this;
  }

  abandon(): void {
    for (const wait of this) wait.abandon();
  }

  *[Symbol.iterator](): Generator<Wait, void, undefined> {
    if (this.#only !== null) yield this.#only;
    else if (this.#several !== null) yield* this.#several;
  }
}
