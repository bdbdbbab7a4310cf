/** Waiting for time to pass. @module */

import { LazyFuture, TurnCoroutine } from "../kernel/attempts.ts";
import type { KernelLoop, Timer } from "../kernel/contract.ts";
import type { Coroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import { Future } from "../kernel/futures.ts";
import { nextTimerSerial } from "../kernel/handles.ts";

/**
 * Waits `delay` seconds, while everything else goes on, and returns `result`.
 *
 * Zero or less gives way for exactly one turn of the loop. `Infinity` waits until it is cancelled. Cancelling takes the
 * timer with it.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   await asyncio.sleep(0.001);
 *   assert.equal(await asyncio.sleep({ milliseconds: 1 }, "slept"), "slept");
 * });
 * ```
 *
 * @throws {RangeError} for `NaN` and minus infinity, at the call.
 * @throws {TypeError} for what is no duration, at the call.
 *
 * CPython: `asyncio.sleep`.
 */
export function sleep(delay: Duration): Coroutine<void>;
export function sleep<T>(delay: Duration, result: T): Coroutine<T>;
export function sleep<T>(delay: Duration, result?: T): Coroutine<T | undefined> {
  const seconds = toSeconds(delay, "delay");
  return seconds <= 0 ? new TurnCoroutine(result) : new Sleep(seconds, result);
}

class Sleep<T> extends LazyFuture<T> {
  readonly #seconds: number;
  readonly #result: T;

  constructor(seconds: number, result: T) {
    super();
    this.#seconds = seconds;
    this.#result = result;
  }

  get name(): string {
    return "sleep";
  }

  protected override make(loop: KernelLoop): Future<T> {
    const alarm = new Alarm(loop, loop.time() + this.#seconds, this.#result);
    loop._addTimer(alarm);
    return alarm;
  }
}

/** A future that the clock completes. It is its own timer, so that a sleeper costs little; cancelled, it is swept. */
class Alarm<T> extends Future<T> implements Timer {
  readonly _when: number;
  readonly _serial: number = nextTimerSerial();
  _scheduled: boolean = false;
  readonly #result: T;

  constructor(loop: KernelLoop, when: number, result: T) {
    super({ loop });
    this._when = when;
    this.#result = result;
  }

  run(): void {
    if (!this.done()) this.setResult(this.#result);
  }

  override cancel(message?: string): boolean {
    if (!this.done()) this._loop._timerCancelled(this);
    return super.cancel(message);
  }

  override get _typeName(): string {
    return "Future";
  }
}
