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
  /** By driver: what was given out in it, and in those that run inside of it. */
  readonly #inside: WeakMap<CountingWaiter, Bag> = new WeakMap();

  of(scope: Scope): Signal {
    const { driver, frame } = scope;
    const known = this.#inside.get(driver)?.all.findLast((given) => given.driver === driver && given.frame === frame);
    const isAsked = requestsSeenFrom(driver, 1) > 0;
    // After a request that was taken back there is a fresh one.
    if (known !== undefined && (isAsked || !known.aborter.signal.aborted)) return known.aborter.signal;
    const aborter = newAborter();
    const given = { ...scope, aborter };
    for (let at: CountingWaiter | null = driver; at !== null; at = at._outer) this.#bagOf(at).add(given);
    if (isAsked) aborter.abort(tellCancellation(undefined));
    return aborter.signal;
  }

  abort(waiter: CountingWaiter, frame: object | null, message: string | undefined): void {
    const asked = this.#inside.get(waiter)?.all.filter((given) => concerns(given, waiter, frame)) ?? [];
    for (const { aborter } of asked) aborter.abort(tellCancellation(message));
  }

  #bagOf(driver: CountingWaiter): Bag {
    const bag = this.#inside.get(driver) ?? new Bag();
    this.#inside.set(driver, bag);
    return bag;
  }
}

/** Signals that were given out, of scopes that may have been left: these are swept when there are twice as many. */
class Bag {
  all: Given[] = [];
  #sweepAt: number = 16;

  add(given: Given): void {
    if (this.all.length >= this.#sweepAt) {
      this.all = this.all.filter(isOfUse);
      this.#sweepAt = Math.max(16, 2 * this.all.length);
    }
    this.all.push(given);
  }
}

function isOfUse({ driver, frame, aborter }: Given): boolean {
  if (aborter.signal.aborted || driver._hasEnded) return false;
  return frame === null || driver.frames.includes(frame as never);
}

function innermostScope(part: Driver<unknown>): Scope {
  for (let driver = part; ; driver = driver._outer as Driver<unknown>) {
    const frame = driver.frames.findLast((each) => each instanceof ScopeCoroutine);
    if (frame !== undefined) return { driver, frame };
    if (driver._isScope || driver._outer === null) return { driver, frame: null };
  }
}

/** Whether a request in `waiter`, inside of `frame`, is one to `given` as well, which was given out there or further in. */
function concerns(given: Given, waiter: CountingWaiter, frame: object | null): boolean {
  if (!isOfUse(given)) return false;
  if (given.driver !== waiter || frame === null) return true;
  const { frames } = given.driver;
  return given.frame !== null && frames.indexOf(given.frame as never) >= frames.indexOf(frame as never);
}
