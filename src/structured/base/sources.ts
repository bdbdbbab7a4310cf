/** Where items come from, asked for one after the other and ended in order. @module */

import { repr } from "../../core/base/format.ts";
import { Lock } from "../../core/coordination/locks/lock.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { isCoroutine } from "../../core/kernel/coroutines.ts";
import { fromPromise } from "../../core/kernel/promises.ts";

/** Items that are there, or that come one after the other. */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/** What gives the items. */
export interface Source<T> {
  next(): CoroutineGenerator<IteratorResult<T, unknown>>;
  /** Nothing more will be asked for: an async generator has cleaned up when this returns. */
  close(): CoroutineGenerator<void>;
}

/** @throws {TypeError} for items that cannot be iterated. */
export function sourceOf<T>(items: Items<T>): Source<T> {
  const { [Symbol.asyncIterator]: asyncIterator, [Symbol.iterator]: syncIterator } = Object(items) as Partial<
    Iterable<T> & AsyncIterable<T>
  >;
  if (asyncIterator !== undefined) return new AsyncSource(asyncIterator.call(items));
  if (syncIterator === undefined) throw new TypeError(`items: expected an iterable, received ${repr(items)}`);
  return new SyncSource(syncIterator.call(items));
}

class SyncSource<T> implements Source<T> {
  readonly #iterator: Iterator<T, unknown>;

  constructor(iterator: Iterator<T, unknown>) {
    this.#iterator = iterator;
  }

  // oxlint-disable-next-line require-yield -- an async source waits here
  *next(): CoroutineGenerator<IteratorResult<T, unknown>> {
    return this.#iterator.next();
  }

  // oxlint-disable-next-line require-yield -- an async source waits here
  *close(): CoroutineGenerator<void> {
    this.#iterator.return?.();
  }
}

class AsyncSource<T> implements Source<T> {
  readonly #iterator: AsyncIterator<T, unknown>;
  /** One at a time asks: not every iterator can be asked twice before it has answered. */
  readonly #turn: Lock = new Lock();

  constructor(iterator: AsyncIterator<T, unknown>) {
    this.#iterator = iterator;
  }

  *next(): CoroutineGenerator<IteratorResult<T, unknown>> {
    return yield* this.#turn.hold(() => this.#asking());
  }

  *close(): CoroutineGenerator<void> {
    const iterator = this.#iterator;
    if (this.#isGenerator) yield* callBody(async () => void (await iterator.return?.()));
    // Nobody knows how long another kind of iterator would take.
    else void Promise.resolve(iterator.return?.()).catch(() => {});
  }

  /**
   * Our own coroutines and async generators are part of the task: a request to cancel goes into them. Of any other iterator only
   * the wait for its answer is ended.
   */
  *#asking(): CoroutineGenerator<IteratorResult<T, unknown>> {
    const iterator = this.#iterator;
    // What it awaits belongs to the function that calls it.
    if (this.#isGenerator) return yield* callBody(async () => await iterator.next());
    const answer = iterator.next();
    return yield* isCoroutine(answer) ? (answer as Coroutine<IteratorResult<T, unknown>>) : fromPromise(answer);
  }

  get #isGenerator(): boolean {
    return (this.#iterator as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] === "AsyncGenerator";
  }
}
