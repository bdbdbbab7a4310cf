/** Results in the order in which they come. @module */

import type { Duration } from "../base/duration.ts";
import { timedOut, toSeconds } from "../base/duration.ts";
import { TimeoutError } from "../base/exceptions.ts";
import type { ResultOf } from "../kernel/async-functions.ts";
import type { Runnable } from "../kernel/contract.ts";
import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { getRunningLoop } from "../kernel/events.ts";
import type { Future } from "../kernel/futures.ts";
import { isFuture } from "../kernel/futures.ts";
import type { TimerHandle } from "../kernel/handles.ts";
import type { Waitable } from "../kernel/promises.ts";
import { ensureFuture } from "../kernel/promises.ts";
import { Queue } from "./queues.ts";

/** What {@link asCompleted} returns: iterate it with `for`, awaiting each item, or with `for await`. */
export interface AsCompleted<A> extends Iterable<Coroutine<ResultOf<A>>>, AsyncIterable<[Future<ResultOf<A>>]> {}

/**
 * Runs several awaitables at once, and gives them as they are done.
 *
 * - `for (const next of asCompleted(...))` gives a coroutine for each; awaiting it gives the next result, or raises.
 * - `for await (const [future] of asCompleted(...))` gives the futures themselves, the very tasks that were passed in; in
 *   an array, since the language would await a bare one.
 *
 * A loop that is left early (`break`) can be gone on with. Nothing is cancelled, also when `timeout` has passed: then each further item raises {@link TimeoutError}.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const order: string[] = [];
 *   for (const next of asyncio.asCompleted([asyncio.sleep(0.003, "slow"), asyncio.sleep(0.001, "fast")])) {
 *     order.push(await next);
 *   }
 *   assert.deepEqual(order, ["fast", "slow"]);
 * });
 * ```
 *
 * CPython: `asyncio.as_completed`.
 */
export function asCompleted<A extends Waitable<unknown>>(
  awaitables: Iterable<A>,
  options: { readonly timeout?: Duration | null } = {},
): AsCompleted<A> {
  if (isFuture(awaitables) || isCoroutine(awaitables)) {
    throw new TypeError(`expect an iterable of futures, not ${String(awaitables)}`);
  }
  const { timeout } = options;
  const seconds = timeout === undefined || timeout === null ? null : toSeconds(timeout, "timeout");
  return new Completions<A>(new Set(awaitables), seconds);
}

class Completions<A extends Waitable<unknown>> implements AsCompleted<A> {
  /** A future that is done; `null` for each one that was not when the time was up. */
  readonly #done: Queue<Future<ResultOf<A>> | null> = new Queue();
  /** What was not done when it was last looked at, with the hook that says when it is; `null` while nothing iterates. */
  readonly #todo: Map<Future<ResultOf<A>>, Runnable | null>;
  /** When the time is up, on the loop's clock, in seconds. */
  readonly #deadline: number | null;
  readonly #limit: number | null;
  readonly #loop: AbstractEventLoop = getRunningLoop();
  #timer: TimerHandle | null = null;
  /** How many items have not been given out. */
  #left: number;
  /** How many were given out and are not done. */
  #owed: number = 0;
  /** The loop over it was left, and not gone on with. */
  #isLeft: boolean = false;

  constructor(awaitables: ReadonlySet<A>, seconds: number | null) {
    const futures = new Set([...awaitables].map((awaitable) => ensureFuture(awaitable, { loop: this.#loop })));
    this.#left = futures.size;
    this.#todo = new Map([...futures].map((future) => [future, null]));
    this.#limit = seconds;
    this.#deadline = seconds === null ? null : this.#loop.time() + seconds;
    this.#watch();
  }

  *[Symbol.iterator](): Generator<Coroutine<ResultOf<A>>, void, undefined> {
    this.#watch();
    try {
      while (this.#left > 0) {
        this.#left--;
        this.#owed++;
        yield new GeneratorCoroutine(this.#nextResult(), "asCompleted");
      }
    } finally {
      if (this.#left > 0) this.#leave();
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<[Future<ResultOf<A>>], void, undefined> {
    this.#watch();
    return {
      next: () => new GeneratorCoroutine(this.#nextItem(), "asCompleted"),
      return: async () => {
        this.#leave();
        return { done: true, value: undefined };
      },
    };
  }

  *#nextItem(): CoroutineGenerator<IteratorResult<[Future<ResultOf<A>>], void>> {
    if (this.#left === 0) return { done: true, value: undefined };
    this.#left--;
    this.#owed++;
    return { done: false, value: yield* this.#nextFuture() };
  }

  *#nextResult(): CoroutineGenerator<ResultOf<A>> {
    const [future] = yield* this.#nextFuture();
    return future.result();
  }

  /** In an array, since an async function that awaits this would go on to await a bare future. */
  *#nextFuture(): CoroutineGenerator<[Future<ResultOf<A>>]> {
    try {
      const future = yield* this.#done.get();
      if (future === null) throw new TimeoutError(timedOut(this.#limit!));
      return [future];
    } finally {
      this.#owed--;
      if (this.#isLeft) this.#leave();
    }
  }

  /** A loop over it begins, or goes on after a `break`. */
  #watch(): void {
    this.#isLeft = false;
    const onDone = (future: Future<ResultOf<A>>): void => this.#completed(future);
    for (const [future, hook] of this.#todo) if (hook === null) this.#todo.set(future, future._onDone(onDone));
    if (this.#deadline === null || this.#timer !== null || this.#todo.size === 0) return;
    this.#timer = this.#loop.callAt(this.#deadline, () => this.#timeIsUp());
  }

  /** The loop was left. What it has given out is still to come. */
  #leave(): void {
    this.#isLeft = true;
    if (this.#owed === 0) this.#unwatch();
  }

  /** Nothing is kept alive, and no timer set, for a loop that may never go on. */
  #unwatch(): void {
    for (const [future, hook] of this.#todo) {
      if (hook !== null) future._removeWaiter(hook);
      this.#todo.set(future, null);
    }
    this.#timer?.cancel();
    this.#timer = null;
  }

  #completed(future: Future<ResultOf<A>>): void {
    if (!this.#todo.delete(future)) return;
    this.#done.putNowait(future);
    if (this.#todo.size === 0) this.#timer?.cancel();
  }

  #timeIsUp(): void {
    this.#unwatch();
    for (const _ of this.#todo) this.#done.putNowait(null);
    this.#todo.clear();
  }
}
