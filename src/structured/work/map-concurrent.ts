/** The same work for many items, so many at a time. @module */

import { BrokenChannelError } from "../base/errors.ts";
import { CancelledError, leavesTheLoop } from "../../core/base/exceptions.ts";
import { isCancelled } from "../../core/base/foreign-aborts.ts";
import { bridge } from "../channels/as-safe-channel.ts";
import type { ChannelReceiver, ChannelSender } from "../channels/channel.ts";
import { repr } from "../../core/base/format.ts";
import { taskGroup } from "../../core/coordination/taskgroups.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Items, Source } from "../base/sources.ts";
import { sourceOf } from "../base/sources.ts";

/** Options of {@link mapConcurrent} and {@link forEachConcurrent}. */
export interface ConcurrentOptions {
  /** How many items are worked on at a time: there is no default, since the right number is the caller's to know. */
  readonly limit: number;
}

/** The work for one item, in either syntax. */
export type ItemBody<T, R> = (item: T, index: number) => ReturnType<Body<R>>;

/**
 * Calls `fn` for each of `items`, at most `limit` at a time: the results, in the order of the items. The work is done in as many
 * tasks, and no item is taken before one of them is free.
 *
 * The first error cancels the rest and is raised when all have ended; further ones are reported to the loop's exception handler.
 * Cancelled, it cancels all and waits for them.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const squares = await mapConcurrent([1, 2, 3], async (n) => {
 *     await asyncio.sleep(0.001);
 *     return n * n;
 *   }, { limit: 2 });
 *   assert.deepEqual(squares, [1, 4, 9]);
 * });
 * ```
 *
 * @param options with `returnExceptions`, errors are among the results, and cancel nothing.
 */
export function mapConcurrent<T, R>(
  items: Items<T>,
  fn: ItemBody<T, R>,
  options: ConcurrentOptions & { readonly returnExceptions: true },
): Coroutine<unknown[]>;
export function mapConcurrent<T, R>(
  items: Items<T>,
  fn: ItemBody<T, R>,
  options: ConcurrentOptions & { readonly returnExceptions?: false },
): Coroutine<R[]>;
export function mapConcurrent<T, R>(
  items: Items<T>,
  fn: ItemBody<T, R>,
  { limit, returnExceptions = false }: ConcurrentOptions & { readonly returnExceptions?: boolean },
): Coroutine<unknown[]> {
  const results: unknown[] = [];
  const work = function* (item: T, index: number): CoroutineGenerator<void> {
    try {
      results[index] = yield* callBody(() => fn(item, index));
    } catch (error) {
      if (!returnExceptions || isCancelled(error) || leavesTheLoop(error)) throw error;
      results[index] = error;
    }
  };
  return new GeneratorCoroutine(mapping(new Crew(items, work, limit), results), "mapConcurrent");
}

/** {@link mapConcurrent} without results. */
export function forEachConcurrent<T>(
  items: Items<T>,
  fn: ItemBody<T, unknown>,
  { limit }: ConcurrentOptions,
): Coroutine<void> {
  const work = function* (item: T, index: number): CoroutineGenerator<void> {
    yield* callBody(() => fn(item, index));
  };
  return new GeneratorCoroutine(new Crew(items, work, limit).run(), "forEachConcurrent");
}

/**
 * {@link mapConcurrent} whose results go to `body` as they come, in a channel: an async iterable with an end. No item is
 * taken before there is a worker for it, and no worker goes on before the body has taken its result.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const load = (seconds: number) => asyncio.sleep(seconds, seconds);
 *   const results: number[] = [];
 *   await streamConcurrent([0.003, 0.001], load, { limit: 2 }, async (loaded) => {
 *     for await (const result of loaded) results.push(result);
 *   });
 *   assert.deepEqual(results, [0.001, 0.003]);
 * });
 * ```
 *
 * When the body returns, also early, what is still worked on is cancelled and waited for. anyio and trio leave this to a
 * nursery and a channel.
 *
 * @throws {ExceptionGroup} with what `body`, `fn` or the items throw, as a task group does.
 */
export function streamConcurrent<T, R, B>(
  items: Items<T>,
  fn: ItemBody<T, R>,
  { limit }: ConcurrentOptions,
  body: (results: ChannelReceiver<R>) => ReturnType<Body<B>>,
): Coroutine<B> {
  const feed = (sender: ChannelSender<R>): CoroutineGenerator<void> =>
    new Crew(items, (item: T, index) => sending(sender, fn, item, index), limit).run();
  return new GeneratorCoroutine(bridge(feed, body), "streamConcurrent");
}

function* sending<T, R>(
  sender: ChannelSender<R>,
  fn: ItemBody<T, R>,
  item: T,
  index: number,
): CoroutineGenerator<void> {
  const result = yield* callBody(() => fn(item, index));
  try {
    yield* sender.send(result);
  } catch (error) {
    if (!(error instanceof BrokenChannelError)) throw error;
    throw new CancelledError("the body has ended: nobody wants the result", { cause: error });
  }
}

function* mapping<T, R>(crew: Crew<T>, results: R[]): CoroutineGenerator<R[]> {
  yield* crew.run();
  return results;
}

/** Workers that take one item after the other, from the same source. */
class Crew<T> {
  readonly #source: Source<T>;
  readonly #work: (item: T, index: number) => CoroutineGenerator<void>;
  readonly #limit: number;
  #taken: number = 0;
  #hasEnded: boolean = false;
  #workers: number = 0;
  #failure: { readonly error: unknown } | null = null;

  /** @throws {RangeError} for a limit below one. @throws {TypeError} for items that cannot be iterated. */
  constructor(items: Items<T>, work: (item: T, index: number) => CoroutineGenerator<void>, limit: number) {
    if (!(limit >= 1)) throw new RangeError(`limit must be at least 1: received ${repr(limit)}`);
    this.#limit = limit;
    this.#work = work;
    this.#source = sourceOf(items);
  }

  *run(): CoroutineGenerator<void> {
    try {
      yield* taskGroup((group) => {
        const hire = (): void => {
          this.#workers++;
          group.createTask(() => this.#serve(hire));
        };
        hire();
        return Promise.resolve();
      });
    } catch (error) {
      throw this.#failure === null ? error : this.#failure.error;
    } finally {
      if (!this.#hasEnded) yield* this.#source.close();
    }
  }

  /** Takes items to the end. As long as there are some, it hires one more, up to the limit. */
  *#serve(hire: () => void): CoroutineGenerator<void> {
    try {
      for (let taken = yield* this.#take(); taken !== null; taken = yield* this.#take()) {
        if (this.#workers < this.#limit) hire();
        yield* this.#work(taken.item, taken.index);
      }
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  *#take(): CoroutineGenerator<{ readonly item: T; readonly index: number } | null> {
    if (this.#hasEnded) return null;
    const result = yield* this.#source.next();
    if (result.done === true) {
      this.#hasEnded = true;
      return null;
    }
    return { item: result.value, index: this.#taken++ };
  }

  #failed(error: unknown): void {
    if (isCancelled(error)) return;
    if (this.#failure === null) this.#failure = { error };
    else {
      const message = "mapConcurrent: work failed while it was cancelled for the failure of another";
      getRunningLoop().callExceptionHandler({ message, exception: error });
    }
  }
}
