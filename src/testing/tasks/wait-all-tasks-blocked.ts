/** Waiting until everybody else waits. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import { sleep } from "../../core/coordination/sleep.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { BaseEventLoop } from "../../core/loop/base-events.ts";

/**
 * Waits until every other task waits for something, and nothing is ready: what was started has gone as far as it can. Who
 * sleeps waits too, so that no time goes by.
 *
 * ```ts
 * await asyncTest(async () => {
 *   const lock = new asyncio.Lock();
 *   await lock.acquire();
 *   const second = asyncio.createTask(() => lock.acquire());
 *   await waitAllTasksBlocked();
 *   assert.equal(lock.statistics().waiting, 1);
 *   lock.release();
 *   await second;
 * })();
 * ```
 *
 * @param cushion for how long nothing must have happened, in seconds or named units; no time by default.
 *
 * trio: `trio.testing.wait_all_tasks_blocked`.
 */
export function waitAllTasksBlocked(cushion: Duration = 0): Coroutine<void> {
  return new GeneratorCoroutine(blocked(toSeconds(cushion, "cushion")), "waitAllTasksBlocked");
}

function* blocked(cushion: number): CoroutineGenerator<void> {
  const loop = getRunningLoop();
  if (!(loop instanceof BaseEventLoop)) {
    throw new RuntimeError(`waitAllTasksBlocked() needs a BaseEventLoop: received ${repr(loop)}`);
  }
  yield* idle(loop);
  if (cushion === 0) return;
  for (;;) {
    const { turns } = loop.statistics();
    yield* sleep(cushion);
    // One turn for the step that ended above, one for the timer and one for the step that it woke.
    if (loop.statistics().turns - turns <= QUIET_TURNS) return;
    yield* idle(loop);
  }
}

const QUIET_TURNS = 2;

function* idle(loop: BaseEventLoop): CoroutineGenerator<void> {
  const waiter = loop.createFuture();
  loop._idlers.push(() => {
    if (!waiter.done()) waiter.setResult();
  });
  yield* waiter;
}
