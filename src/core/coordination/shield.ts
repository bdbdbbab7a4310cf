/** Protecting work from the cancellation of the tasks that wait for it. @module */

import type { ResultOf } from "../kernel/async-functions.ts";
import type { Runnable } from "../kernel/contract.ts";
import type { Future } from "../kernel/futures.ts";
import type { Waitable } from "../kernel/promises.ts";
import { ensureFuture } from "../kernel/promises.ts";
import { StandIn } from "./stand-in.ts";

/**
 * Waits for something that goes on even if the waiting task is cancelled.
 *
 * The waiter gets its `CancelledError`; the work inside runs to its end, and if it fails then, the error goes to the
 * loop's exception handler.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const save = asyncio.createTask(() => asyncio.sleep(0.001, "saved"));
 *   const request = asyncio.createTask(async () => await asyncio.shield(save));
 *   await asyncio.sleep(0);
 *   request.cancel();
 *   assert.equal(await save, "saved");
 * });
 * ```
 *
 * CPython: `asyncio.shield`.
 */
export function shield<A extends Waitable<unknown>>(awaitable: A): Future<ResultOf<A>> {
  const inner = ensureFuture(awaitable);
  if (inner.done()) return inner;
  const outer = new StandIn<ResultOf<A>>(inner.getLoop(), [inner]);
  const passOn = (): void => {
    if (outer.done()) return;
    if (inner.cancelled()) outer.cancel();
    else if (inner._failed) outer.setException(inner.exception());
    else outer.setResult(inner.result());
  };
  const hook = inner._onDone(passOn);
  outer._onDone(() => {
    if (inner.done()) return;
    inner._removeWaiter(hook);
    reportAtEnd(inner);
  });
  return outer;
}

/** The hooks that report the failure of what was shielded. One is enough for each, however many tasks ceased to wait. */
const reporting: WeakMap<Future<unknown>, Runnable> = new WeakMap();

function reportAtEnd(inner: Future<unknown>): void {
  const before = reporting.get(inner);
  if (before !== undefined) inner._removeWaiter(before);
  reporting.set(inner, inner._onDone(reportFailure));
}

/** What was shielded has ended, and nothing waits for it any more. */
function reportFailure(inner: Future<unknown>): void {
  if (inner.cancelled() || !inner._failed) return;
  const exception = inner.exception();
  const kind = exception instanceof Error ? exception.name : typeof exception;
  inner.getLoop().callExceptionHandler({
    message: `${kind} exception in shielded future`,
    exception,
    future: inner,
  });
}
