/** Promises as futures, and whatever can be waited for as a future. @module */

import type { Aborter, Signal } from "../base/abort.ts";
import { newAborter } from "../base/abort.ts";
import type { ResultOf } from "./async-functions.ts";
import { isCoroutine } from "./coroutines.ts";
import type { AbstractEventLoop } from "./events.ts";
import { getRunningLoop } from "./events.ts";
import { cancellationOf, tellCancellation } from "../base/foreign-aborts.ts";
import { repr } from "../base/format.ts";
import type { Awaitable } from "./futures.ts";
import { Future, isFuture } from "./futures.ts";

/** What can be waited for: an awaitable of ours, a generator object, or a promise. */
export type Waitable<T> = Awaitable<T> | Generator<unknown, T, unknown> | PromiseLike<T>;

/** Options of {@link fromPromise}. */
export interface FromPromiseOptions<T> {
  /** The loop of the future; the running one by default. */
  readonly loop?: AbstractEventLoop;
  /**
   * Called with a value that comes after the cancellation, when nobody waits any more: to give a connection back, to close
   * a file. Without it, a late value with `Symbol.asyncDispose` or `Symbol.dispose` is disposed of.
   */
  readonly late?: (value: T) => unknown;
}

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
 * What comes after the cancellation is not lost: a value goes to `late`, or is disposed of. An error of a promise goes to
 * the loop's exception handler; that of work that was told to stop is its answer, and nothing to report.
 *
 * ```ts
 * const pool = { connect: async () => ({ release: () => {} }) };
 * await asyncio.run(async () => {
 *   const connection = await asyncio.fromPromise(pool.connect(), { late: (connection) => connection.release() });
 *   connection.release();
 * });
 * ```
 */
export function fromPromise<T>(
  source: PromiseLike<T> | ((signal: Signal) => PromiseLike<T>),
  options: FromPromiseOptions<T> = {},
): Future<T> {
  const loop = options.loop ?? getRunningLoop();
  const late = options.late ?? null;
  if (late !== null && typeof late !== "function") {
    throw new TypeError(`A function is required as late: received ${repr(late)}`);
  }
  if (typeof source !== "function") return new PromiseFuture(loop, checked(source), null, late);
  const aborter = newAborter();
  return new PromiseFuture(loop, checked(source(aborter.signal)), aborter, late);
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
  return new PromiseFuture<ResultOf<A>>(loop, checked(awaitable as PromiseLike<ResultOf<A>>), null, null);
}

/**
 * A future of `work`: itself if it is one, as the job of an executor is; one that follows it if it is a promise.
 *
 * CPython: `asyncio.wrap_future`, which makes one of a `concurrent.futures.Future`.
 */
export function wrapFuture<A extends Future<unknown> | PromiseLike<unknown>>(
  work: A,
  options: { readonly loop?: AbstractEventLoop } = {},
): Future<ResultOf<A>> {
  if (isCoroutine(work)) throw new TypeError("wrapFuture is for futures and promises: use createTask for a coroutine");
  return ensureFuture(work as Waitable<unknown>, options) as Future<ResultOf<A>>;
}

class PromiseFuture<T> extends Future<T> {
  readonly #aborter: Aborter | null;
  readonly #late: ((value: T) => unknown) | null;

  constructor(
    loop: AbstractEventLoop,
    promise: PromiseLike<T>,
    aborter: Aborter | null,
    late: ((value: T) => unknown) | null,
  ) {
    super({ loop });
    this.#aborter = aborter;
    this.#late = late;
    promise.then(
      (value) => (this.done() ? this.#cameLate(value) : this.setResult(value)),
      (error: unknown) => this.#rejected(error),
    );
  }

  override cancel(message?: string): boolean {
    if (!super.cancel(message)) return false;
    this.#aborter?.abort(tellCancellation(message));
    return true;
  }

  override get _typeName(): string {
    return "Future";
  }

  #rejected(error: unknown): void {
    // After the cancellation, an error that says so is no news, whoever told the work.
    const cancelled = cancellationOf(error, this.done());
    if (this.done()) {
      // Whatever work that was told to stop is rejected with is its answer.
      if (this.#aborter === null && cancelled === null) {
        this.#report("A promise failed after its future was cancelled", error);
      }
    } else if (cancelled === null) this.setException(error);
    else this._finishCancelled(undefined, cancelled);
  }

  #cameLate(value: T): void {
    const failed = (error: unknown): void => {
      if (cancellationOf(error) === null)
        this.#report("A value that came after its future was cancelled failed to be disposed of", error);
    };
    try {
      const disposing = this.#late === null ? dispose(value) : this.#late(value);
      if (isThenable(disposing)) void disposing.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #report(message: string, exception: unknown): void {
    this._loop.callExceptionHandler({ message, exception, future: this });
  }
}

/** Gives up what knows how to be given up. Engines before these symbols have none, and nothing that knows. */
function dispose(value: unknown): unknown {
  const { asyncDispose, dispose: disposeNow } = Symbol as { readonly asyncDispose?: symbol; readonly dispose?: symbol };
  if (typeof value !== "object" || value === null) return undefined;
  for (const symbol of [asyncDispose, disposeNow]) {
    const method = symbol === undefined ? undefined : (value as Record<symbol, unknown>)[symbol];
    if (typeof method === "function") return method.call(value);
  }
  return undefined;
}

/** `promise` as `await` takes it: what is foreign may call back twice, throw late, or resolve with a promise. */
function checked<T>(promise: PromiseLike<T>): PromiseLike<T> {
  checkWaitable(promise);
  return isFuture(promise) || isCoroutine(promise) ? promise : Promise.resolve(promise);
}

/** @internal @throws {TypeError} for what {@link ensureFuture} cannot take. */
export function checkWaitable(value: unknown): void {
  if (isFuture(value) || isCoroutine(value) || isThenable(value)) return;
  const cure = typeof value === "function" ? ", a function: call it" : "";
  throw new TypeError(`A future, a coroutine or a promise is required: received ${repr(value)}${cure}`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
