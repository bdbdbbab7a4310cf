/** Future: a result that will come, and what waits for it. @module */

import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import { CancelledError, InvalidStateError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { functionName, inspectAsString, repr } from "../base/format.ts";
import { captureStack, locationOf, readStack } from "../base/stack.ts";
import type { PendingAwait } from "./awaits.ts";
import { FutureWait } from "./awaits.ts";
import type { OnFinally, OnFulfilled, OnRejected, Reject, Resolve } from "./promise-methods.ts";
import { nativePromise, promiseOf } from "./promise-methods.ts";
import type { Awaited, Fork, KernelLoop, Runnable, Waiter, WaitScope } from "./contract.ts";
import type { Context } from "./contextvars.ts";
import type { AbstractEventLoop } from "./events.ts";
import { Handle } from "./handles.ts";
import type { Neglect, Neglectable } from "./neglect.ts";
import { currentExecution, mayGoOn, requireLoop } from "./running.ts";
import { Waiters } from "./waiters.ts";

/**
 * What a coroutine hands to its task when it waits. Only `yield*` on something awaitable produces it, so that a plain
 * `yield` is a type error.
 */
export interface Suspension {
  readonly [SUSPENSION]: never;
}
declare const SUSPENSION: unique symbol;

/**
 * Something that can be waited for: with `await` in an async function, with `yield*` in a generator function. It has
 * what a `Promise` has, and may be given to whoever wants one.
 */
export interface Awaitable<T> extends Promise<T> {
  [Symbol.iterator](): Iterator<Suspension, T, unknown>;
}

/**
 * A future's life. Those up to `REACHED` are pending, the others last for ever.
 *
 * ```text
 *   PENDING     ─► REACHED, FINISHED, UNRETRIEVED, CANCELLED
 *   REACHED     handed up by `yield*`, for the driver to wait for (CPython's _asyncio_future_blocking)   ─► PENDING
 *   FINISHED    has a result
 *   UNRETRIEVED failed, and nothing has asked for the exception: to be reported                          ─► FAILED
 *   FAILED      failed
 *   CANCELLED
 * ```
 */
type State = typeof PENDING | typeof REACHED | DoneState;
type DoneState = typeof FINISHED | typeof UNRETRIEVED | typeof FAILED | typeof CANCELLED;
const PENDING = 0;
const REACHED = 1;
const FINISHED = 2;
const UNRETRIEVED = 3;
const FAILED = 4;
const CANCELLED = 5;

/** @internal What a coroutine yields to give way for one turn. */
export const IN_NEXT_TURN: IteratorResult<undefined, never> = { done: false, value: undefined };

/** How many waiters are looked at for a repr. */
const MOST_SHOWN = 64;

/** What few futures have. */
interface Record {
  cancelMessage: string | undefined;
  neglect: Neglect | null;
  sourceTraceback: readonly string[] | null;
}

/** What a future calls when it is done. */
export type DoneCallback<F> = (future: F) => unknown;

/**
 * A result that will come: the bridge from callbacks to coroutines. Prefer `loop.createFuture()` to the constructor.
 *
 * - It is completed once, by {@link setResult}, {@link setException} or {@link cancel}; its callbacks run in the next
 *   turn of the loop, in the order they were added, never at once.
 * - Awaiting a future that is done takes no turn.
 * - Cancelling a task that awaits it cancels the future.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const loop = asyncio.getRunningLoop();
 *   const future = loop.createFuture<string>();
 *   loop.callLater(0.001, () => future.setResult("done"));
 *   assert.equal(await future, "done");
 * });
 * ```
 *
 * CPython: `asyncio.Future`.
 */
export class Future<T> implements Awaitable<T>, Awaited, Neglectable {
  /** @internal */
  readonly _loop: KernelLoop;
  #state: State = PENDING;
  /** The result, the exception, or the `CancelledError` to raise once. */
  #value: unknown = undefined;
  /** What to run when it is done: tasks that wait, awaits of async functions, callbacks. Mostly one. */
  #waiters: Runnable | Waiters | null = null;
  #record: Record | null = null;

  /** @param options `loop`: the loop it belongs to; the running one by default. */
  constructor(options?: { readonly loop?: KernelLoop }) {
    this._loop = options?.loop ?? requireLoop();
    if (this._loop.getDebug()) this.#recorded().sourceTraceback = captureStack(DEBUG_STACK_DEPTH);
  }

  getLoop(): AbstractEventLoop {
    return this._loop as AbstractEventLoop;
  }

  /** Whether it has a result, an exception, or was cancelled. */
  done(): boolean {
    return this.#state > REACHED;
  }

  cancelled(): boolean {
    return this.#state === CANCELLED;
  }

  /**
   * Its result.
   *
   * @throws what `setException` was given; {@link CancelledError} if it was cancelled; {@link InvalidStateError} if it
   * is pending.
   */
  result(): T {
    switch (this.#state) {
      case FINISHED:
        return this.#value as T;
      case UNRETRIEVED:
      case FAILED:
        this.#retrieved();
        throw this.#value;
      case CANCELLED:
        throw this._makeCancelledError();
      default:
        throw new InvalidStateError("Result is not set: the future is pending");
    }
  }

  /**
   * The exception it failed with, or `null` if it has a result. Asking counts as handling: it is not reported any more.
   *
   * @throws {CancelledError} if it was cancelled.
   * @throws {InvalidStateError} if it is pending.
   */
  exception(): unknown {
    switch (this.#state) {
      case FINISHED:
        return null;
      case UNRETRIEVED:
      case FAILED:
        this.#retrieved();
        return this.#value;
      case CANCELLED:
        throw this._makeCancelledError();
      default:
        throw new InvalidStateError("Exception is not set: the future is pending");
    }
  }

  /** @throws {InvalidStateError} if it is done. */
  setResult(value: T): void {
    this.#complete(FINISHED, value);
  }

  /**
   * Makes it fail with `error`, which may be any value, or an error class, which is then instantiated.
   *
   * @throws {InvalidStateError} if it is done.
   */
  setException(error: unknown): void {
    this._fail(isErrorClass(error) ? new error() : error);
  }

  /**
   * Cancels it, and with it what it stands for; its waiters get a {@link CancelledError} with `message`.
   *
   * @returns `false` if it is done already, and nothing happens.
   */
  cancel(message?: string): boolean {
    this.#retrieved();
    if (this.done()) return false;
    if (message !== undefined) this.#recorded().cancelMessage = message;
    this.#complete(CANCELLED, undefined);
    return true;
  }

  /**
   * Calls `callback(this)` in a turn of the loop once it is done; in the next turn if it is done already.
   *
   * @param options `context`: the context the callback runs in; a copy of the current one by default.
   */
  addDoneCallback(callback: DoneCallback<this>, options?: { readonly context?: Context }): void {
    this._addWaiter(new Handle(this._loop, callback, [this], options?.context ?? null));
  }

  /** Takes all callbacks out that are the same function; how many there were. */
  removeDoneCallback(callback: DoneCallback<this>): number {
    const waiters = this.#waiters;
    if (waiters === null) return 0;
    if (waiters instanceof Waiters) return waiters.deleteCallback(callback);
    if (waiters._callback !== callback) return 0;
    this.#waiters = null;
    return 1;
  }

  /** Whether the failure will be reported, if it is never retrieved. It can only be set to `false`. */
  get logTraceback(): boolean {
    return this.#state === UNRETRIEVED;
  }

  set logTraceback(value: boolean) {
    if (value) throw new RangeError("Cannot set logTraceback: it can only be set to false, received true");
    this.#retrieved();
  }

  /** For `yield*` in a generator coroutine; it evaluates to the result, or throws. */
  [Symbol.iterator](): Iterator<Suspension, T, unknown> {
    return this as unknown as Iterator<Suspension, T, unknown>;
  }

  /**
   * @internal The one place where a coroutine suspends: a pending future hands itself to the task that drives the
   * coroutine, which comes back here when the future is done.
   */
  next(): IteratorResult<unknown, T> {
    if (this.done()) return mayGoOn() ? { done: true, value: this._take() } : IN_NEXT_TURN;
    if (this.#state === REACHED) throw notInTaskError(this);
    this.#state = REACHED;
    return { done: false, value: this };
  }

  /** @internal The coroutine that waits is closed. */
  return(value: unknown): IteratorResult<unknown, unknown> {
    this._claimWait();
    return { done: true, value };
  }

  /** @internal An exception is thrown at the place that waits. */
  throw(error: unknown): never {
    this._claimWait();
    this._interrupted(error);
    throw error;
  }

  /** @internal Whether it has just been reached through `yield*`, from which it is for the driver to wait for it. */
  _claimWait(): boolean {
    if (this.#state !== REACHED) return false;
    this.#state = PENDING;
    return true;
  }

  /** @internal The wait for it is over: what the wait evaluates to. A wait that acquires something does so here. */
  _take(): T {
    return this.result();
  }

  /** @internal The wait for it ends with `error`, whatever it is itself: its own exception counts as retrieved. */
  _interrupted(_error: unknown): void {
    this.#retrieved();
  }

  /**
   * As a promise's: what `await` calls. Called by hand inside of a task, it is a wait of that task, and cancelled with
   * it; of a future that is done, the callback is called at once.
   */
  then<A = T, B = never>(onFulfilled?: OnFulfilled<T, A>, onRejected?: OnRejected<B>): Promise<A | B> {
    if (typeof onFulfilled !== "function" || typeof onRejected !== "function") {
      return nativePromise<T>(this).then(onFulfilled, onRejected);
    }
    if (this.done() && mayGoOn()) return this.#settleNow(onFulfilled, onRejected) as Promise<A | B>;
    return this._await(currentExecution()?.scope ?? null, onFulfilled, onRejected) as Promise<A | B>;
  }

  /** As a promise's. */
  catch<B = never>(onRejected?: OnRejected<B>): Promise<T | B> {
    return nativePromise<T>(this).catch(onRejected);
  }

  /** As a promise's. */
  finally(onFinally?: OnFinally): Promise<T> {
    return nativePromise<T>(this).finally(onFinally);
  }

  get [Symbol.toStringTag](): string {
    return this._typeName;
  }

  #settleNow(resolve: Resolve, reject: Reject): Promise<unknown> {
    try {
      return promiseOf(this._settle(resolve, reject));
    } catch (error) {
      // The engine's own functions do not throw: it is a callback of the user's.
      return Promise.reject(error);
    }
  }

  /** @internal An `await` of this future, on behalf of `scope`, that takes a turn. */
  _await(scope: WaitScope | null, onFulfilled: Resolve, onRejected: Reject): PendingAwait {
    const mistake = scope === null ? null : this.#mistakeOf(scope);
    const awaited = mistake === null ? this : failedFuture<T>(scope!.loop, mistake);
    return new FutureWait(awaited, onFulfilled, onRejected).start(scope);
  }

  /** Why `scope` cannot wait for this; like a task's own mistakes, it is thrown in the next turn. */
  #mistakeOf(scope: WaitScope): RuntimeError | null {
    if (scope.loop !== this._loop) return otherLoopError(scope.task, this);
    return (scope.task as unknown) === this ? selfAwaitError(this) : null;
  }

  /** @internal */
  _settle(resolve: Resolve, reject: Reject): unknown {
    if (this.#state === FINISHED) return resolve(this.#value as never);
    if (this.#state === CANCELLED) return reject(this._makeCancelledError());
    this.#retrieved();
    return reject(this.#value);
  }

  /** @internal Runs `waiter` in a turn once this is done. */
  _addWaiter(waiter: Runnable): void {
    if (this.done()) this._loop._enqueue(waiter);
    else if (this.#waiters === null) this.#waiters = waiter;
    else if (this.#waiters instanceof Waiters) this.#waiters.add(waiter);
    else {
      const waiters = new Waiters();
      waiters.add(this.#waiters);
      waiters.add(waiter);
      this.#waiters = waiters;
    }
  }

  /** @internal */
  _removeWaiter(waiter: Runnable): void {
    if (this.#waiters instanceof Waiters) this.#waiters.delete(waiter);
    else if (this.#waiters === waiter) this.#waiters = null;
  }

  /** @internal */
  _neverMind(): void {
    this._onDone(() => {
      if (this._raisesCancelled()) this.#retrieved();
    });
  }

  /** @internal A callback of the library's own, which needs no context and does not throw; for `_removeWaiter`. */
  _onDone(callback: (future: Future<T>) => void): Runnable {
    const hook = new DoneHook(this, callback);
    this._addWaiter(hook);
    return hook;
  }

  /** @internal A future answers a request to cancel itself; a task or a gather does not. */
  get _onward(): Waiter | Fork | null {
    return null;
  }

  /** @internal What `cancel` was given. */
  get _cancelMessage(): string | undefined {
    return this.#record?.cancelMessage;
  }

  /** @internal Where it was made, in debug mode. */
  get _sourceTraceback(): readonly string[] | null {
    return this.#record?.sourceTraceback ?? null;
  }

  /** @internal Whether it ended with an exception. */
  get _failed(): boolean {
    return this.#state === FAILED || this.#state === UNRETRIEVED;
  }

  /** @internal Whether to ask for the result would raise a `CancelledError`. */
  _raisesCancelled(): boolean {
    return this.#state === CANCELLED || (this._failed && this.#value instanceof CancelledError);
  }

  /** @internal Whether a request to cancel is delivered where this is waited for. */
  get _interruptible(): boolean {
    return true;
  }

  /** @internal The state that `setResult` leaves, past a subclass that forbids it. */
  _finish(value: T): void {
    this.#complete(FINISHED, value);
  }

  /** @internal */
  _fail(error: unknown): void {
    this.#complete(UNRETRIEVED, error);
    this._loop._watch(this);
  }

  /** @internal Cancelled by `error`, which is raised once as it is. */
  _finishCancelled(message: string | undefined, error?: CancelledError): void {
    if (message !== undefined) this.#recorded().cancelMessage = message;
    this.#complete(CANCELLED, error);
  }

  /** @internal What it raises when it was cancelled; of one that was not, an error with the message of the last request. */
  _makeCancelledError(): CancelledError {
    const saved = this.#state === CANCELLED ? this.#value : undefined;
    if (saved === undefined) return new CancelledError(this._cancelMessage);
    this.#value = undefined;
    return saved as CancelledError;
  }

  /** @internal What it stands for, where tasks are drawn, if its repr does not say so. */
  get _purpose(): string | null {
    return null;
  }

  /** @internal The futures this one is made of, for drawing the tasks. */
  get _parts(): Iterable<Future<unknown>> {
    return [];
  }

  /** @internal */
  get _isNeglected(): boolean {
    return this.#state === UNRETRIEVED;
  }

  /** @internal */
  _neglect(): Neglect {
    readStack(this.#value);
    const record = this.#recorded();
    record.neglect ??= {
      message: `${this._typeName} exception was never retrieved`,
      exception: this.#value,
      description: this.toString(),
      sourceTraceback: this._sourceTraceback,
      settled: false,
    };
    return record.neglect;
  }

  /** @internal */
  get _typeName(): string {
    return this.constructor.name;
  }

  toString(): string {
    return `<${[this._typeName, ...this._reprParts()].join(" ")}>`;
  }

  /** @internal */
  _reprParts(): string[] {
    return [this._reprState(), ...this._reprOutcome(), ...this._reprCallbacks(), ...this._reprMade()];
  }

  /** @internal */
  _reprState(): string {
    if (!this.done()) return "pending";
    return this.#state === CANCELLED ? "cancelled" : "finished";
  }

  /** @internal */
  _reprOutcome(): string[] {
    if (this.#state === FINISHED) return [`result=${repr(this.#value)}`];
    return this._failed ? [`exception=${repr(this.#value)}`] : [];
  }

  /** @internal */
  _reprCallbacks(): string[] {
    const waiters = this.#waiters;
    if (waiters === null) return [];
    const all: Runnable[] = [];
    for (const waiter of waiters instanceof Waiters ? waiters : [waiters]) if (all.push(waiter) === MOST_SHOWN) break;
    const names = all.map((waiter) => waiter._describe?.() ?? "Task.wakeup()");
    const count = waiters instanceof Waiters ? waiters.size : 1;
    if (count === 0) return [];
    const shown = count > 2 ? [names[0], `<${count - 2} more>`, names.at(-1)] : names;
    return [`cb=[${shown.join(", ")}]`];
  }

  /** @internal */
  _reprMade(): string[] {
    const made = this._sourceTraceback?.[0];
    return made === undefined ? [] : [`created at ${locationOf(made)}`];
  }

  #complete(state: DoneState, value: unknown): void {
    this.#checkPending();
    this.#state = state;
    this.#value = value;
    const waiters = this.#waiters;
    if (waiters === null) return;
    this.#waiters = null;
    if (!(waiters instanceof Waiters)) this._loop._enqueue(waiters);
    else for (const waiter of waiters) this._loop._enqueue(waiter);
  }

  #checkPending(): void {
    if (this.done()) throw new InvalidStateError(`invalid state: ${this.toString()}`);
  }

  #retrieved(): void {
    if (this.#state === UNRETRIEVED) this.#state = FAILED;
    const neglect = this.#record?.neglect;
    if (neglect) neglect.settled = true;
  }

  #recorded(): Record {
    this.#record ??= { cancelMessage: undefined, neglect: null, sourceTraceback: null };
    return this.#record;
  }
}
inspectAsString("Future", Future);

/** A callback of the library's own. */
class DoneHook<T> implements Runnable {
  readonly #future: Future<T>;
  readonly _callback: (future: Future<T>) => void;

  constructor(future: Future<T>, callback: (future: Future<T>) => void) {
    this.#future = future;
    this._callback = callback;
  }

  run(): void {
    try {
      this._callback(this.#future);
    } catch (exception) {
      // A future of the user's own that throws when it is cancelled.
      if (leavesTheLoop(exception)) throw exception;
      const message = `Exception in callback ${this._describe()}`;
      this.#future._loop.callExceptionHandler({ message, exception });
    }
  }

  _describe(): string {
    return `${functionName(this._callback)}()`;
  }
}

/** Whether `value` is a future or a task. CPython: `asyncio.isfuture`. */
export function isFuture(value: unknown): value is Future<unknown> {
  return value instanceof Future;
}

/** @internal */
export function otherLoopError(task: unknown, future: Future<unknown>): RuntimeError {
  return new RuntimeError(`Task ${String(task)} got Future ${future.toString()} attached to a different loop`);
}

/** @internal */
export function selfAwaitError(task: Future<unknown>): RuntimeError {
  return new RuntimeError(`Task cannot await on itself: ${task.toString()}`);
}

/** @internal A future that has failed with `error` already. */
export function failedFuture<T>(loop: KernelLoop, error: unknown): Future<T> {
  const future = new Future<T>({ loop });
  future.setException(error);
  future.logTraceback = false;
  return future;
}

function notInTaskError(future: Future<unknown>): RuntimeError {
  return new RuntimeError(`await wasn't used with future: ${future.toString()} was iterated outside of a task`);
}

function isErrorClass(value: unknown): value is new () => Error {
  return typeof value === "function" && (value === Error || value.prototype instanceof Error);
}
