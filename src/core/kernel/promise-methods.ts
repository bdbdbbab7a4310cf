/**
 * `then`, `catch` and `finally` of what can be waited for, as a promise has them, at no cost for `await`.
 *
 * An `await` calls `then` with two functions of the engine's, which return nothing, and does not look at what `then`
 * returns. So `then` returns the wait itself, which makes a promise of what comes of its callbacks when somebody chains
 * on it, and not before. With a callback left out it was no `await`, and a native promise does the rest.
 *
 * Weighed and refused: a promise for each `then` (a third of the price of an `await`).
 *
 * @module
 */

import type { KernelLoop } from "./contract.ts";

/** What an `await` hands to `then`: the two ends of the promise that carries the async function on. */
export type Resolve = (value: never) => unknown;
/** See {@link Resolve}. */
export type Reject = (error: unknown) => unknown;

/** A callback of `then`. */
export type OnFulfilled<T, R> = ((value: T) => R | PromiseLike<R>) | null | undefined;
/** A callback of `then` and `catch`. As with a promise's, it may say what kind of error it expects. */
export type OnRejected<R> = Bivariant<R>["callback"] | null | undefined;
interface Bivariant<R> {
  callback(error: unknown): R | PromiseLike<R>;
}
/** A callback of `finally`. */
export type OnFinally = (() => void) | null | undefined;

/** What may be chained on. */
interface Thenable<T> {
  then(onFulfilled: (value: T) => unknown, onRejected: (error: unknown) => unknown): unknown;
}

/** What comes of a callback that returned nothing. */
const NOTHING: Promise<undefined> = Promise.resolve(undefined);

/** A native promise of `thenable`'s result. */
export function nativePromise<T>(thenable: Thenable<T>): Promise<T> {
  return new Promise((resolve, reject) => void thenable.then(resolve, reject));
}

/** Calls `callback`, and says what came of it. */
export function called<T>(callback: (value: T) => unknown, value: T): Promise<unknown> {
  try {
    return promiseOf(callback(value));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What came of a callback as a promise. */
export function promiseOf(outcome: unknown): Promise<unknown> {
  return outcome === undefined ? NOTHING : Promise.resolve(outcome);
}

/** A wait, which calls one of two callbacks at its end. */
export interface ChainedWait {
  readonly loop: KernelLoop;
  /** @internal */
  _resolve: Resolve;
  /** @internal */
  _reject: Reject;
}

/** What came, or will come, of the callbacks of a wait, where somebody asked or it is anything. */
const outcomes: WeakMap<ChainedWait, Promise<unknown>> = new WeakMap();

/** The waits that somebody chained on. */
const heard: WeakSet<ChainedWait> = new WeakSet();

/** A promise of what comes of the callbacks of `wait`. */
export function chainOn(wait: ChainedWait): Promise<unknown> {
  heard.add(wait);
  let promise = outcomes.get(wait);
  if (promise !== undefined) return promise;
  if (wait._resolve === isOver) return NOTHING;
  promise = new Promise((resolve, reject) => {
    wait._resolve = passingOn(wait._resolve, resolve, reject);
    wait._reject = passingOn(wait._reject, resolve, reject);
  });
  outcomes.set(wait, promise);
  return promise;
}

/** `wait` ends with a call of `callback`. */
export function endWith(wait: ChainedWait, callback: (value: never) => unknown, value: unknown): void {
  try {
    chainEnded(wait, callback(value as never));
  } catch (error) {
    chainThrew(wait, error);
  }
}

/** `wait` has ended, and `outcome` came of its callback. */
export function chainEnded(wait: ChainedWait, outcome: unknown): void {
  wait._resolve = isOver;
  if (outcome !== undefined && outcome !== NOTHING) outcomes.set(wait, promiseOf(outcome));
}

/** `wait` has ended, and its callback, which is none of the engine's, threw: reported, unless somebody chains on it. */
export function chainThrew(wait: ChainedWait, error: unknown): void {
  const failed = Promise.reject(error);
  chainEnded(wait, failed);
  failed.catch(() => {
    if (heard.has(wait)) return;
    wait.loop.callExceptionHandler({ message: "Exception in a callback of then()", exception: error });
  });
}

function isOver(): void {}

function passingOn(
  callback: (value: never) => unknown,
  resolve: (outcome: unknown) => void,
  reject: (error: unknown) => void,
): (value: unknown) => void {
  return (value) => {
    try {
      resolve(callback(value as never));
    } catch (error) {
      reject(error);
    }
  };
}
