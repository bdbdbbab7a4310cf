/** Whether a piece of code lets others run: a claim that a test can make. @module */

import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { BaseEventLoop } from "../../core/loop/base-events.ts";
import { InvariantError } from "../base/errors.ts";

/**
 * Runs `body`, and fails unless it waited for the loop at least once: others had their turn, and a request to cancel could
 * come. An `await` of a promise that is settled is no such wait.
 *
 * ```ts
 * await asyncTest(async () => {
 *   await assertSwitches(() => asyncio.sleep(0));
 *   await assert.rejects(assertSwitches(async () => await Promise.resolve()), InvariantError);
 * })();
 * ```
 *
 * @throws {InvariantError} if it did not. trio: `trio.testing.assert_checkpoints`.
 */
export function assertSwitches<T>(body: Body<T>): Coroutine<T> {
  return new GeneratorCoroutine(watching(body, true), "assertSwitches");
}

/**
 * Runs `body`, and fails if it waited for the loop: what it does is one step, that nobody sees half done.
 *
 * ```ts
 * await asyncTest(async () => {
 *   const free = new asyncio.Lock();
 *   await assertNoSwitch(() => free.acquire());
 * })();
 * ```
 *
 * @throws {InvariantError} if it did. trio: `trio.testing.assert_no_checkpoints`.
 */
export function assertNoSwitch<T>(body: Body<T>): Coroutine<T> {
  return new GeneratorCoroutine(watching(body, false), "assertNoSwitch");
}

function* watching<T>(body: Body<T>, mustSwitch: boolean): CoroutineGenerator<T> {
  const loop = getRunningLoop() as BaseEventLoop;
  const { turns } = loop.statistics();
  const result = yield* callBody(body);
  // Who waits goes on in another turn.
  const hasSwitched = loop.statistics().turns !== turns;
  if (hasSwitched === mustSwitch) return result;
  throw new InvariantError(
    mustSwitch
      ? "assertSwitches(): the body came to its end without a wait, and nobody else could run"
      : "assertNoSwitch(): the body waited, and others could run",
  );
}
