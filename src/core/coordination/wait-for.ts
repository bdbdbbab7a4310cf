/** Waiting for one thing, for a limited time. @module */

import type { ResultOf } from "../kernel/async-functions.ts";
import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { timedOut, toSeconds } from "../base/duration.ts";
import { CancelledError, TimeoutError } from "../base/exceptions.ts";
import type { Future } from "../kernel/futures.ts";
import { isFuture } from "../kernel/futures.ts";
import type { Waitable } from "../kernel/promises.ts";
import { ensureFuture } from "../kernel/promises.ts";
import { closeWork } from "../kernel/create-task.ts";
import { timeout } from "./timeouts.ts";

/**
 * Waits for `awaitable`, at most `limit` seconds. After that it is cancelled, and a {@link TimeoutError} is raised when
 * it has cleaned up. `null` is no limit.
 *
 * A coroutine runs in the task that waits.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   assert.equal(await asyncio.waitFor(asyncio.sleep(0, "in time"), 1), "in time");
 *   await assert.rejects(async () => await asyncio.waitFor(asyncio.sleep(60), 0.001), asyncio.TimeoutError);
 * });
 * ```
 *
 * CPython: `asyncio.wait_for`.
 */
export function waitFor<A extends Waitable<unknown>>(awaitable: A, limit: Duration | null): Coroutine<ResultOf<A>> {
  const seconds = limit === null ? null : checkedLimit(limit, awaitable);
  return new GeneratorCoroutine(waitingFor(awaitable, seconds), "waitFor");
}

/** A coroutine that is refused together with its limit is not missed. */
function checkedLimit(limit: Duration, awaitable: unknown): number {
  try {
    return toSeconds(limit, "timeout");
  } catch (error) {
    closeWork(awaitable);
    throw error;
  }
}

function* waitingFor<A extends Waitable<unknown>>(
  awaitable: A,
  seconds: number | null,
): CoroutineGenerator<ResultOf<A>> {
  if (seconds !== null && seconds <= 0) return yield* atOnce(ensureFuture(awaitable), seconds);
  const inner = isFuture(awaitable) || isCoroutine(awaitable) ? awaitable : ensureFuture(awaitable);
  return yield* timeout(seconds, function* () {
    return yield* inner as CoroutineGenerator<ResultOf<A>>;
  });
}

/** The result if it is there; otherwise cancels, and waits for the end of that. */
function* atOnce<T>(future: Future<T>, seconds: number): CoroutineGenerator<T> {
  if (future.done()) return future.result();
  yield* cancelAndWait(future);
  try {
    return future.result();
  } catch (error) {
    if (error instanceof CancelledError) throw new TimeoutError(timedOut(seconds), { cause: error });
    throw error;
  }
}

function* cancelAndWait(future: Future<unknown>): CoroutineGenerator<void> {
  const ended = future.getLoop().createFuture();
  const release = (): void => {
    if (!ended.done()) ended.setResult();
  };
  const hook = future._onDone(release);
  try {
    future.cancel();
    yield* ended;
  } finally {
    future._removeWaiter(hook);
  }
}
