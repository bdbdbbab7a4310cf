/** Waiting for some of several futures. @module */

import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type { TimerHandle } from "../kernel/handles.ts";
import { repr } from "../base/format.ts";
import type { Future } from "../kernel/futures.ts";
import { isFuture } from "../kernel/futures.ts";
import { StandIn } from "./stand-in.ts";

/** {@link wait} returns when any future is done. */
export const FIRST_COMPLETED = "FIRST_COMPLETED";
/** {@link wait} returns when any future has failed, or all are done. */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION";
/** {@link wait} returns when all futures are done. */
export const ALL_COMPLETED = "ALL_COMPLETED";

/** When {@link wait} returns. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/** Options of {@link wait}. */
export interface WaitOptions {
  /** How long to wait at most; without it, as long as it takes. */
  readonly timeout?: Duration | null;
  readonly returnWhen?: ReturnWhen;
}

/** The futures that are done, and those that are not, each in the order given. */
export interface WaitResult<F> {
  readonly done: Set<F>;
  readonly pending: Set<F>;
}

/**
 * Waits until some of `futures` are done, and says which. It raises nothing, and cancels nothing: the pending ones go on.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const tasks = [0.001, 60].map((delay) => asyncio.createTask(() => asyncio.sleep(delay, delay)));
 *   const { done, pending } = await asyncio.wait(tasks, { returnWhen: asyncio.FIRST_COMPLETED });
 *   assert.deepEqual([...done].map((task) => task.result()), [0.001]);
 *   for (const task of pending) task.cancel();
 * });
 * ```
 *
 * @throws {TypeError} for coroutines and promises: make tasks of them, or futures.
 * @throws {RangeError} for no futures at all, or an unknown `returnWhen`.
 *
 * CPython: `asyncio.wait`.
 */
export function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): Coroutine<WaitResult<F>> {
  const all = checked(futures);
  const { returnWhen = ALL_COMPLETED } = options;
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(returnWhen)) {
    throw new RangeError(`Invalid returnWhen value: ${repr(returnWhen)}`);
  }
  const seconds =
    options.timeout === undefined || options.timeout === null ? null : toSeconds(options.timeout, "timeout");
  return new GeneratorCoroutine(waiting(all, seconds, returnWhen), "wait");
}

function* waiting<F extends Future<unknown>>(
  futures: ReadonlySet<F>,
  seconds: number | null,
  returnWhen: ReturnWhen,
): CoroutineGenerator<WaitResult<F>> {
  const [first] = futures;
  const loop = first!.getLoop();
  const waiter = new StandIn<void>(loop, futures);
  const release = (): void => {
    if (!waiter.done()) waiter.setResult();
  };
  const timer: TimerHandle | null = seconds === null ? null : loop.callLater(seconds, release);
  let unfinished = futures.size;
  const onCompletion = (future: Future<unknown>): void => {
    unfinished--;
    if (unfinished > 0 && returnWhen !== FIRST_COMPLETED && !(returnWhen === FIRST_EXCEPTION && hasFailed(future)))
      return;
    timer?.cancel();
    release();
  };
  const hooks = [...futures].map((future) => ({ future, hook: future._onDone(onCompletion) }));
  try {
    yield* waiter;
  } finally {
    timer?.cancel();
    for (const { future, hook } of hooks) future._removeWaiter(hook);
  }
  return sorted(futures);
}

/** Asking counts as retrieving the exception, as in CPython. */
function hasFailed(future: Future<unknown>): boolean {
  if (future._failed) future.exception();
  return future._failed;
}

function sorted<F extends Future<unknown>>(futures: ReadonlySet<F>): WaitResult<F> {
  const all = [...futures];
  return {
    done: new Set(all.filter((future) => future.done())),
    pending: new Set(all.filter((future) => !future.done())),
  };
}

function checked<F>(futures: Iterable<F>): Set<F> {
  if (isFuture(futures) || isCoroutine(futures)) {
    throw new TypeError(`expect a list of futures, not ${String(futures)}`);
  }
  const all = new Set(futures);
  if (all.size === 0) throw new RangeError("Set of Tasks/Futures is empty.");
  for (const future of all) {
    if (isCoroutine(future)) throw new TypeError("Passing coroutines is forbidden, use tasks explicitly.");
    if (!isFuture(future)) throw new TypeError(`A future is required: received ${repr(future)}; use ensureFuture(...)`);
  }
  return all;
}
