/** Results in the order in which they come. @module */

import type { ResultOf } from "../kernel/async-functions.ts";
import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type { TimerHandle } from "../kernel/events.ts";
import { getRunningLoop } from "../kernel/events.ts";
import { TimeoutError } from "../base/exceptions.ts";
import type { Future } from "../kernel/futures.ts";
import { isFuture } from "../kernel/futures.ts";
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
 * Nothing is cancelled, also when `timeout` has passed: then each further item raises {@link TimeoutError}.
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
  readonly #todo: Set<Future<ResultOf<A>>>;
  readonly #timer: TimerHandle | null = null;
  /** How many items have not been given out. */
  #left: number;
  readonly #onDone = (future: Future<unknown>): void => this.#completed(future as Future<ResultOf<A>>);

  constructor(awaitables: ReadonlySet<A>, seconds: number | null) {
    const loop = getRunningLoop();
    this.#todo = new Set([...awaitables].map((awaitable) => ensureFuture(awaitable, { loop })));
    this.#left = this.#todo.size;
    for (const future of this.#todo) future._onDone(this.#onDone);
    if (this.#todo.size > 0 && seconds !== null) this.#timer = loop.callLater(seconds, () => this.#timeIsUp());
  }

  *[Symbol.iterator](): Generator<Coroutine<ResultOf<A>>, void, undefined> {
    while (this.#left > 0) {
      this.#left--;
      yield new GeneratorCoroutine(this.#nextResult(), "asCompleted");
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<[Future<ResultOf<A>>], void, undefined> {
    return { next: async () => await this.#nextItem() };
  }

  async #nextItem(): Promise<IteratorResult<[Future<ResultOf<A>>], void>> {
    if (this.#left === 0) return { done: true, value: undefined };
    this.#left--;
    return { done: false, value: await new GeneratorCoroutine(this.#nextFuture(), "asCompleted") };
  }

  *#nextResult(): CoroutineGenerator<ResultOf<A>> {
    const [future] = yield* this.#nextFuture();
    return future.result();
  }

  /** In an array, since an async function that awaits this would go on to await a bare future. */
  *#nextFuture(): CoroutineGenerator<[Future<ResultOf<A>>]> {
    const future = yield* this.#done.get();
    if (future === null) throw new TimeoutError();
    return [future];
  }

  #completed(future: Future<ResultOf<A>>): void {
    if (!this.#todo.delete(future)) return;
    this.#done.putNowait(future);
    if (this.#todo.size === 0) this.#timer?.cancel();
  }

  #timeIsUp(): void {
    for (const future of this.#todo) {
      future.removeDoneCallback(this.#onDone);
      this.#done.putNowait(null);
    }
    this.#todo.clear();
  }
}
