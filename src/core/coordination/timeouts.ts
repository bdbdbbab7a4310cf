/** Timeouts: a deadline around a piece of code. @module */

import type { Duration } from "../base/duration.ts";
import { timedOut, toSeconds } from "../base/duration.ts";
import { CancelledError, leavesTheLoop, RuntimeError, TimeoutError } from "../base/exceptions.ts";
import { cancellationOf } from "../base/foreign-aborts.ts";
import { inspectAsString, repr } from "../base/format.ts";
import { callBody, checkBody } from "../kernel/async-functions.ts";
import { keepsRequest, requestCancel, requestsSeenFrom, takeBack, wasTold } from "../kernel/cancellation.ts";
import type { KernelLoop, Timer } from "../kernel/contract.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { ScopeCoroutine } from "../kernel/coroutines.ts";
import type { Driver } from "../kernel/driver.ts";
import { currentDriver } from "../kernel/driver.ts";
import { nextTimerSerial } from "../kernel/handles.ts";

/** A timeout's life: made; inside; the deadline has passed and the body is being cancelled; left after that; left before. */
type State = "created" | "active" | "expiring" | "expired" | "finished";

/**
 * The deadline of a {@link timeout}, as its body receives it.
 *
 * CPython: `asyncio.Timeout`.
 */
export class Timeout {
  #when: number | null;
  /** How long after its beginning that is, in seconds; `null` when only the point in time was given. */
  #delay: number | null;
  #state: State = "created";
  #driver: Driver<unknown> | null = null;
  #alarm: Alarm | null = null;
  /** The coroutine that the deadline is around, where a generator waits for it. */
  #frame: object | null = null;
  #requestsBefore: number = 0;

  /** @internal */
  constructor(when: number | null, delay: number | null) {
    this.#when = when;
    this.#delay = delay;
  }

  /** When the deadline is, on the loop's clock, in seconds; `null` when there is none. */
  when(): number | null {
    return this.#when;
  }

  /** Whether the deadline has passed before the body ended. */
  expired(): boolean {
    return this.#state === "expiring" || this.#state === "expired";
  }

  /**
   * Moves the deadline to `when`, on the loop's clock, in seconds; `null` takes it away.
   *
   * @throws {RuntimeError} if the timeout is not entered, or has expired or been left.
   */
  reschedule(when: number | null): void {
    if (this.#state !== "active") {
      throw new RuntimeError(
        this.#state === "created" ? "Timeout has not been entered" : `Cannot change state of ${this.#state} Timeout`,
      );
    }
    if (when !== null && typeof when !== "number") {
      throw new TypeError(`Invalid when: expected seconds or null, received ${repr(when)}`);
    }
    this.#delay = null;
    this.#moveTo(when === null ? null : toSeconds(when, "when"));
  }

  #moveTo(when: number | null): void {
    this.#when = when;
    this.#dropAlarm();
    if (when === null) return;
    const { loop } = this.#driver!;
    this.#alarm = new Alarm(this, loop, when);
    if (when <= loop.time()) loop._enqueue(this.#alarm);
    else loop._addTimer(this.#alarm);
  }

  /** @internal */
  _enter(driver: Driver<unknown>): void {
    if (this.#state !== "created") throw new RuntimeError("Timeout has already been entered");
    this.#state = "active";
    this.#driver = driver;
    this.#frame = driver.frames.at(-1) ?? null;
    this.#requestsBefore = requestsSeenFrom(driver);
    this.#moveTo(this.#when);
  }

  /** @internal The body has ended with `error`; what to raise in its place. */
  _raised(error: unknown): unknown {
    const cancelled = cancellationOf(error, wasTold(this.#driver!));
    if (!this.#leave() || cancelled === null) return error;
    return new TimeoutError(this.#delay === null ? "the deadline passed" : timedOut(this.#delay), { cause: error });
  }

  /**
   * @internal The body has ended with a result.
   *
   * @throws {TimeoutError} if the deadline passed and the body could not be told: nothing that is asked is ignored in
   * silence.
   */
  _returned(): void {
    const wasNotTold = this.#state === "expiring" && keepsRequest(this.#driver!);
    const hasExpired = this.#leave();
    if (hasExpired && wasNotTold) throw new TimeoutError(this.#lateness(), { cause: new CancelledError() });
    if (hasExpired && this.#driver!.loop.getDebug()) this.#reportSwallowed();
  }

  /** Whether the deadline has passed, and it is for it to say so. */
  #leave(): boolean {
    this.#dropAlarm();
    if (this.#state !== "expiring") {
      this.#state = "finished";
      return false;
    }
    this.#state = "expired";
    takeBack(this.#driver!);
    // If the count does not come back to what it was, there was another request to cancel, and that goes on.
    return requestsSeenFrom(this.#driver!, this.#requestsBefore + 1) <= this.#requestsBefore;
  }

  #lateness(): string {
    const late = this.#driver!.loop.time() - this.#when!;
    return (
      `the deadline passed, and the body ended ${late.toFixed(3)} s later: it awaited a promise, which cannot be ` +
      "interrupted; wrap it with fromPromise(promise)"
    );
  }

  #reportSwallowed(): void {
    const message =
      "A deadline passed and its body returned a result: the CancelledError was caught, or lost in an array " +
      "(Promise.allSettled); rethrow it";
    this.#driver!.loop.callExceptionHandler({ message, task: this.#driver!.task });
  }

  /** @internal The deadline has come. */
  _expire(): void {
    this.#state = "expiring";
    this.#alarm = null;
    requestCancel(this.#driver!, undefined, this.#frame);
  }

  #dropAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
  }

  toString(): string {
    if (this.#state !== "active") return `<Timeout [${this.#state}]>`;
    return `<Timeout [active] when=${this.#when === null ? "null" : Number(this.#when.toFixed(3))}>`;
  }
}
inspectAsString("Timeout", Timeout);

/** The body of a {@link timeout}; it may look at its deadline and move it. */
export type TimeoutBody<T> = (timeout: Timeout) => ReturnType<Body<T>>;

/**
 * Runs `body` with a deadline `delay` seconds from now. When it passes, what the body waits for is cancelled, and a
 * {@link TimeoutError} is raised in its place, after the body has cleaned up.
 *
 * In an async function, only what is awaited inside of `body` is cancelled. Deadlines nest; `null` is none.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const slow = asyncio.timeout(0.001, async () => await asyncio.sleep(60));
 *   await assert.rejects(async () => await slow, asyncio.TimeoutError);
 * });
 * ```
 *
 * A body that catches the cancellation and returns a value has that value, and no error; debug mode tells. One that never
 * waits is not interrupted, nor is one that awaits a bare promise: it goes on, and the error comes late and says so. Wrap
 * the promise with `fromPromise`. CPython: `asyncio.timeout`.
 */
export function timeout<T>(delay: Duration | null, body: TimeoutBody<T>): Coroutine<T> {
  checkBody(body, "timeout(seconds, async () => ...)");
  const seconds = delay === null ? null : toSeconds(delay, "delay");
  return new ScopeCoroutine(within(null, seconds, body), "timeout");
}

/** {@link timeout} with a point in time on the loop's clock, in seconds. CPython: `asyncio.timeout_at`. */
export function timeoutAt<T>(when: number | null, body: TimeoutBody<T>): Coroutine<T> {
  checkBody(body, "timeoutAt(when, async () => ...)");
  const seconds = when === null ? null : toSeconds(when, "when");
  return new ScopeCoroutine(within(seconds, null, body), "timeoutAt");
}

function* within<T>(when: number | null, delay: number | null, body: TimeoutBody<T>): CoroutineGenerator<T> {
  const driver = currentDriver("Timeout should be used inside a task");
  const deadline = new Timeout(delay === null ? when : driver.loop.time() + delay, delay);
  deadline._enter(driver);
  let result: T;
  try {
    result = yield* callBody(body, deadline);
  } catch (error) {
    throw deadline._raised(error);
  }
  deadline._returned();
  return result;
}

/** The deadline of a timeout among the timers. It runs no code of the user's, and so needs no context. */
class Alarm implements Timer {
  readonly #deadline: Timeout;
  readonly #loop: KernelLoop;
  readonly _when: number;
  readonly _serial: number = nextTimerSerial();
  _scheduled: boolean = false;
  #cancelled: boolean = false;

  constructor(deadline: Timeout, loop: KernelLoop, when: number) {
    this.#deadline = deadline;
    this.#loop = loop;
    this._when = when;
  }

  run(): void {
    if (this.#cancelled) return;
    try {
      this.#deadline._expire();
    } catch (exception) {
      // A future of the user's own that throws when it is cancelled.
      if (leavesTheLoop(exception)) throw exception;
      this.#loop.callExceptionHandler({ message: `Exception in callback ${this.toString()}`, exception });
    }
  }

  cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#loop._timerCancelled(this);
  }

  toString(): string {
    return this.#deadline.toString();
  }
}
