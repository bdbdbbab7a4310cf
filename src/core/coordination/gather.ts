/** Waiting for several at once. @module */

import { CancelledError } from "../base/exceptions.ts";
import type { ResultOf } from "../kernel/async-functions.ts";
import { askBranches, MOST_ASKED_AGAIN, putInLevel } from "../kernel/cancellation.ts";
import type { Fork, KernelLoop } from "../kernel/contract.ts";
import { isCoroutine } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { getRunningLoop } from "../kernel/events.ts";
import { Future, isFuture } from "../kernel/futures.ts";
import type { Waitable } from "../kernel/promises.ts";
import { checkWaitable, ensureFuture } from "../kernel/promises.ts";
import { currentEntry } from "../kernel/running.ts";
import { Task } from "../kernel/tasks.ts";
import { currentLevel } from "../kernel/levels.ts";

/** Options of {@link gather}. */
export interface GatherOptions {
  /** Errors become results instead of failing the whole. */
  readonly returnExceptions?: boolean;
}

type Waitables = readonly Waitable<unknown>[];

/** The results of several awaitables, each at its place. */
export type GatherResults<W extends Waitables> = { -readonly [K in keyof W]: ResultOf<W[K]> };

/** The results, or the errors, of several awaitables. */
export type GatherOutcomes<W extends Waitables> = { -readonly [K in keyof W]: ResultOf<W[K]> | Error };

/**
 * Runs several awaitables at once and waits for all of them: a list of their results, in the order they were given.
 *
 * - Coroutines become tasks; promises are taken too. The same one given twice runs once.
 * - When one fails, its error is raised at once, and the others go on running; use a task group to stop them.
 * - With `returnExceptions` errors are put into the list instead.
 * - Cancelling it cancels all that has not ended.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const [a, b] = await asyncio.gather(asyncio.sleep(0.002, "a"), asyncio.sleep(0.001, 2));
 *   assert.deepEqual([a, b], ["a", 2]);
 *   const outcomes = await asyncio.gather([Promise.reject(new Error("no"))], { returnExceptions: true });
 *   assert.ok(outcomes[0] instanceof Error);
 * });
 * ```
 *
 * CPython: `asyncio.gather`.
 */
export function gather<const W extends Waitables>(awaitables: W): Future<GatherResults<W>>;
export function gather<const W extends Waitables>(
  awaitables: W,
  options: GatherOptions & { readonly returnExceptions: true },
): Future<GatherOutcomes<W>>;
export function gather<const W extends Waitables>(awaitables: W, options: GatherOptions): Future<GatherResults<W>>;
export function gather<const W extends Waitables>(...awaitables: W): Future<GatherResults<W>>;
export function gather<const W extends Waitables>(
  ...args: [...W, GatherOptions & { readonly returnExceptions: true }]
): Future<GatherOutcomes<W>>;
export function gather<const W extends Waitables>(...args: [...W, GatherOptions]): Future<GatherResults<W>>;
export function gather(...args: unknown[]): Future<unknown[]> {
  const { awaitables, returnExceptions } = readArguments(args);
  const children = toFutures(awaitables);
  const loop = children[0]?.getLoop() ?? getRunningLoop();
  return new GatheringFuture(loop, children, returnExceptions);
}

/** The future of {@link gather}: done when its children are, or when the first fails. */
class GatheringFuture extends Future<unknown[]> implements Fork {
  /** In the order given; one may stand in it twice. */
  readonly #children: readonly Future<unknown>[];
  readonly #returnExceptions: boolean;
  #unfinished: number;
  /** A request to cancel was passed on to the children and taken. */
  #isCancelled: boolean = false;
  /** How many requests were passed on in one entry of the loop, and in which. */
  #requests: number = 0;
  #requestsIn: number = 0;

  constructor(loop: KernelLoop, children: readonly Future<unknown>[], returnExceptions: boolean) {
    super({ loop });
    this.#children = children;
    this.#returnExceptions = returnExceptions;
    this.#unfinished = children.length;
    if (children.length === 0) this.setResult([]);
    const done: Future<unknown>[] = [];
    const childDone = (child: Future<unknown>): void => this.#childDone(child);
    for (const child of children) {
      if (child.done()) done.push(child);
      else child._onDone(childDone);
    }
    for (const child of done) this.#childDone(child);
  }

  /** Cancels every child; the gathering ends when they have. */
  override cancel(message?: string): boolean {
    if (this.done()) return false;
    return this._onward === null ? true : askBranches(this, message);
  }

  override get _onward(): Fork | null {
    // Its children have had the request that often in this entry of the loop.
    const wasAskedEnough = this.#requests >= MOST_ASKED_AGAIN && this.#requestsIn === currentEntry();
    return this.done() || wasAskedEnough ? null : this;
  }

  get _branches(): readonly Future<unknown>[] {
    return this.#children;
  }

  _wasAsked(taken: boolean): void {
    if (!taken) return;
    this.#isCancelled = true;
    this.#requests = this.#requestsIn === currentEntry() ? this.#requests + 1 : 1;
    this.#requestsIn = currentEntry();
  }

  override get _typeName(): string {
    return "_GatheringFuture";
  }

  override get _parts(): readonly Future<unknown>[] {
    return this.#children.filter((child) => !child.done());
  }

  #childDone(child: Future<unknown>): void {
    this.#unfinished--;
    if (child._failed) child.exception();
    if (this.done()) return;
    if (!this.#returnExceptions && (child.cancelled() || child._failed)) this.setException(errorOf(child));
    else if (this.#unfinished === 0) this.#allDone();
  }

  #allDone(): void {
    if (this.#isCancelled) {
      // CPython takes the message of the last child in the order given, however that one ended.
      this.setException(this.#children.at(-1)!._makeCancelledError());
      return;
    }
    this.setResult(this.#children.map((child) => outcomeOf(child)));
  }
}

function readArguments(args: readonly unknown[]): { awaitables: readonly unknown[]; returnExceptions: boolean } {
  const last = args.at(-1);
  const hasOptions = isOptions(last);
  const given = hasOptions ? args.slice(0, -1) : args;
  const [first] = given;
  return {
    awaitables: given.length === 1 && Array.isArray(first) ? (first as unknown[]) : given,
    returnExceptions: hasOptions && last.returnExceptions === true,
  };
}

function isOptions(value: unknown): value is GatherOptions {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !isFuture(value) && !isCoroutine(value) && typeof (value as { then?: unknown }).then !== "function";
}

/** Each argument as a future; a coroutine that is given twice is one task. */
function toFutures(awaitables: readonly unknown[]): Future<unknown>[] {
  for (const awaitable of awaitables) checkWaitable(awaitable);
  const made = new Map<unknown, Future<unknown>>();
  let options: { readonly loop?: AbstractEventLoop } = {};
  return awaitables.map((awaitable) => {
    const future = isFuture(awaitable) ? awaitable : made.get(awaitable);
    if (future !== undefined && !isFuture(awaitable)) return future;
    const ensured = ensureFuture(awaitable as Waitable<unknown>, options);
    if (options.loop === undefined) options = { loop: ensured.getLoop() };
    if (ensured !== awaitable) {
      if (ensured instanceof Task) {
        ensured._logDestroyPending = false;
        putInLevel(ensured, currentLevel());
      }
      made.set(awaitable, ensured);
    }
    return ensured;
  });
}

/** What a child that failed or was cancelled raises. */
function errorOf(child: Future<unknown>): unknown {
  return child.cancelled() ? child._makeCancelledError() : child.exception();
}

/** What a child contributes to the list. */
function outcomeOf(child: Future<unknown>): unknown {
  if (child.cancelled()) return new CancelledError(child._cancelMessage);
  return child._failed ? child.exception() : child.result();
}
