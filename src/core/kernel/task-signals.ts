/**
 * `task.signal`: the `AbortSignal` of the innermost scope that the running code is in.
 *
 * A scope is a task, a deadline or a group. Its signal is aborted when a request to cancel is made, there or further out,
 * and before anything else hears of it. A task has a list of the signals it gave out; it is looked through when a request
 * is made, so that a task that gives out none pays nothing.
 *
 * @module
 */

import type { Aborter, Signal } from "../base/abort.ts";
import { newAborter } from "../base/abort.ts";
import { tellCancellation } from "../base/foreign-aborts.ts";
import { requestsSeenFrom, signalsOf } from "./cancellation.ts";
import type { CountingWaiter, Signals } from "./contract.ts";
import { ScopeCoroutine } from "./coroutines.ts";
import type { Driver } from "./driver.ts";
import { ScopeDriver } from "./inline-driver.ts";

/** A task, a deadline or a group: a driver, or one of the coroutines that it has under way. */
interface Scope {
  readonly driver: Driver<unknown>;
  /** The coroutine of a deadline or a group that a generator waits for; `null` for the driver itself. */
  readonly frame: object | null;
}

interface Given extends Scope {
  readonly aborter: Aborter;
}

/** The signal of the innermost scope in which the code of `part` runs, a driver of `task`'s. */
export function signalOf(task: CountingWaiter, part: Driver<unknown>): Signal {
  return signalsOf(task, () => new TaskSignals()).of(innermostScope(part));
}

class TaskSignals implements Signals {
  #given: Given[] = [];

  of(scope: Scope): Signal {
    this.#given = this.#given.filter(isUnderWay);
    const known = this.#given.findIndex(({ driver, frame }) => driver === scope.driver && frame === scope.frame);
    const isAsked = requestsSeenFrom(scope.driver, 1) > 0;
    if (known >= 0) {
      const { signal } = this.#given[known]!.aborter;
      // After a request that was taken back there is a fresh one.
      if (!signal.aborted || isAsked) return signal;
      this.#given.splice(known, 1);
    }
    const aborter = newAborter();
    this.#given.push({ ...scope, aborter });
    if (isAsked) aborter.abort(tellCancellation(undefined));
    return aborter.signal;
  }

  abort(waiter: CountingWaiter, frame: object | null, message: string | undefined): void {
    const asked = this.#given.filter((given) => !given.aborter.signal.aborted && concerns(given, waiter, frame));
    for (const { aborter } of asked) aborter.abort(tellCancellation(message));
  }
}

function innermostScope(part: Driver<unknown>): Scope {
  for (let driver = part; ; driver = driver._outer as Driver<unknown>) {
    const frame = driver.frames.findLast((each) => each instanceof ScopeCoroutine);
    if (frame !== undefined) return { driver, frame };
    if (driver instanceof ScopeDriver || driver._outer === null) return { driver, frame: null };
  }
}

function isUnderWay({ driver, frame }: Scope): boolean {
  return !driver._hasEnded && (frame === null || driver.frames.includes(frame as never));
}

/** Whether a request in `waiter`, inside of `frame`, is one to `scope` as well. */
function concerns(scope: Scope, waiter: CountingWaiter, frame: object | null): boolean {
  if (scope.driver === waiter) {
    if (frame === null) return true;
    const { frames } = scope.driver;
    return scope.frame !== null && frames.indexOf(scope.frame as never) >= frames.indexOf(frame as never);
  }
  for (let at: CountingWaiter | null = scope.driver; at !== null; at = at._outer) if (at === waiter) return true;
  return false;
}
