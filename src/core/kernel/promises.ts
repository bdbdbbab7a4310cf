/** Promises as futures, and whatever can be waited for as a future. @module */

import type { AbortSignalLike, Aborter, Signal } from "../base/abort.ts";
import { newAborter } from "../base/abort.ts";
import type { ResultOf } from "./async-functions.ts";
import { isCoroutine } from "./coroutines.ts";
import type { AbstractEventLoop } from "./events.ts";
import { getRunningLoop } from "./events.ts";
import { CancelledError } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import type { Awaitable } from "./futures.ts";
import { Future, isFuture } from "./futures.ts";

/** What can be waited for: an awaitable of ours, a generator object, or a promise. */
export type Waitable<T> = Awaitable<T> | Generator<unknown, T, unknown> | PromiseLike<T>;

/**
 * A promise as a future, so that waiting for it can be cancelled.
 *
 * JavaScript cannot interrupt a promise. Given the promise, its waiter gets the `CancelledError` at once and the work
 * behind it goes on unobserved. Given a function, that is called with an `AbortSignal` which stops the work too.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const load = (signal: AbortSignal) =>
 *     new Promise<string>((resolve, reject) => {
 *       const timer = setTimeout(resolve, 60_000, "late");
 *       signal.addEventListener("abort", () => {
 *         clearTimeout(timer);
 *         reject(signal.reason);
 *       });
 *     });
 *   const task = asyncio.createTask(async () => await asyncio.fromPromise(load));
 *   await asyncio.sleep(0);
 *   task.cancel(); // the timer is gone, the task ends in the next turn
 *   await asyncio.gather(task, { returnExceptions: true });
 *   assert.ok(task.cancelled());
 * });
 * ```
 *
 * An error of the work that comes after the cancellation goes to the loop's exception handler, unless it is the abort.
 */
export function fromPromise<T>(
  source: PromiseLike<T> | ((signal: Signal) => PromiseLike<T>),
  options: { readonly loop?: AbstractEventLoop } = {},
): Future<T> {
  const loop = options.loop ?? getRunningLoop();
  if (typeof source !== "function") return new PromiseFuture(loop, checked(source), null);
  const aborter = newAborter();
  return new PromiseFuture(loop, checked(source(aborter.signal)), aborter);
}

/**
 * A future for whatever can be waited for: a future or task as it is, a coroutine as a new task, a promise through
 * {@link fromPromise}.
 *
 * @throws {TypeError} for anything else.
 * @throws {RangeError} if it is a future of a loop other than `options.loop`.
 *
 * CPython: `asyncio.ensure_future`.
 */
export function ensureFuture<A extends Waitable<unknown>>(
  awaitable: A,
  options: { readonly loop?: AbstractEventLoop } = {},
): Future<ResultOf<A>> {
  if (isFuture(awaitable)) {
    if (options.loop !== undefined && awaitable.getLoop() !== options.loop) {
      throw new RangeError("The future belongs to a different loop than the one specified as the loop argument");
    }
    return awaitable as Future<ResultOf<A>>;
  }
  const loop = options.loop ?? getRunningLoop();
  if (isCoroutine(awaitable)) return loop.createTask(awaitable) as Future<ResultOf<A>>;
  return new PromiseFuture<ResultOf<A>>(loop, checked(awaitable as PromiseLike<ResultOf<A>>), null);
}

class PromiseFuture<T> extends Future<T> {
  readonly #aborter: Aborter | null;

  constructor(loop: AbstractEventLoop, promise: PromiseLike<T>, aborter: Aborter | null) {
    super({ loop });
    this.#aborter = aborter;
    promise.then(
      (value) => {
        if (!this.done()) this.setResult(value);
      },
      (error: unknown) => this.#rejected(error),
    );
  }

  override cancel(message?: string): boolean {
    if (!super.cancel(message)) return false;
    this.#aborter?.abort(new CancelledError(message));
    return true;
  }

  override get _typeName(): string {
    return "Future";
  }

  #rejected(error: unknown): void {
    if (!this.done()) {
      if (error instanceof CancelledError) this._finishCancelled(undefined, error);
      else this.setException(error);
    } else if (!isAbort(error, this.#aborter?.signal)) {
      this._loop.callExceptionHandler({
        message: "A promise failed after its future was cancelled",
        exception: error,
        future: this,
      });
    }
  }
}

function isAbort(error: unknown, signal: AbortSignalLike | undefined): boolean {
  if (error instanceof CancelledError || (signal !== undefined && error === signal.reason)) return true;
  try {
    return (error as { readonly name?: unknown } | null)?.name === "AbortError";
  } catch {
    return false;
  }
}

function checked<T>(promise: PromiseLike<T>): PromiseLike<T> {
  checkWaitable(promise);
  return promise;
}

/** @internal @throws {TypeError} for what {@link ensureFuture} cannot take. */
export function checkWaitable(value: unknown): void {
  if (isFuture(value) || isCoroutine(value)) return;
  if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") return;
  throw new TypeError(`A future, a coroutine or a promise is required: received ${repr(value)}`);
}
