/** Starting attempts one after the other, until one succeeds. @module */

import { putInLevel } from "../kernel/cancellation.ts";
import { callBody } from "../kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import { getRunningLoop } from "../kernel/events.ts";
import { CancelledError, leavesTheLoop, TimeoutError } from "../base/exceptions.ts";
import { Event } from "./locks/event.ts";
import type { Task } from "../kernel/tasks.ts";
import { currentTask } from "../kernel/create-task.ts";
import { waitFor } from "./wait-for.ts";
import type { Level } from "../kernel/contract.ts";
import { currentLevel, pastLevels } from "../kernel/levels.ts";

/** What came of a {@link staggeredRace}. */
export interface RaceResult<T> {
  /** The result of the first attempt that succeeded; `undefined` if none did. */
  readonly winner: T | undefined;
  /** Which attempt that was; `null` if none succeeded. */
  readonly index: number | null;
  /** The error of each attempt that was started; `null` for the winner. */
  readonly exceptions: readonly unknown[];
}

/**
 * Starts the attempts in order, each `delay` seconds after the one before or as soon as that one has failed. The first
 * to succeed wins, and the others are cancelled and waited for.
 *
 * This is how a client tries several addresses of a server ("happy eyeballs"). Without a delay, each attempt waits for
 * the one before to fail.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const slow = () => asyncio.sleep(60, "slow");
 *   const fast = () => asyncio.sleep(0, "fast");
 *   const { winner, index } = await asyncio.staggeredRace([slow, fast], 0.001);
 *   assert.deepEqual([winner, index], ["fast", 1]);
 * });
 * ```
 *
 * CPython: `asyncio.staggered.staggered_race`.
 */
export function staggeredRace<T>(attempts: Iterable<Body<T>>, delay: Duration | null): Coroutine<RaceResult<T>> {
  const seconds = delay === null ? null : toSeconds(delay, "delay");
  return new GeneratorCoroutine(new Race(attempts, seconds).run(), "staggeredRace");
}

class Race<T> {
  readonly #attempts: Iterator<Body<T>>;
  readonly #seconds: number | null;
  readonly #running: Set<Task<void>> = new Set();
  readonly #exceptions: unknown[] = [];
  /** Errors that are no outcome of an attempt. */
  readonly #unhandled: unknown[] = [];
  readonly #over: Event = new Event();
  readonly #level: Level | null = currentLevel();
  #winner: { readonly value: T; readonly index: number } | null = null;

  constructor(attempts: Iterable<Body<T>>, seconds: number | null) {
    this.#attempts = attempts[Symbol.iterator]();
    this.#seconds = seconds;
  }

  *run(): CoroutineGenerator<RaceResult<T>> {
    this.#startNext(null);
    let cancelled: CancelledError | null = null;
    while (this.#running.size > 0) {
      this.#over.clear();
      try {
        yield* cancelled === null ? this.#over.wait() : pastLevels(this.#over.wait());
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        cancelled = error;
        for (const task of this.#running) task.cancel(error.message);
      }
    }
    if (this.#unhandled.length > 0) throw this.#unhandled[0];
    if (cancelled !== null) throw cancelled;
    return { winner: this.#winner?.value, index: this.#winner?.index ?? null, exceptions: this.#exceptions };
  }

  #startNext(previousFailed: Event | null): void {
    const task = getRunningLoop().createTask(() => this.#attempt(previousFailed), { eagerStart: false });
    putInLevel(task, this.#level);
    this.#running.add(task);
    task._onDone(() => this.#ended(task));
  }

  *#attempt(previousFailed: Event | null): CoroutineGenerator<void> {
    if (previousFailed !== null) yield* this.#waitForTurn(previousFailed);
    const next = this.#attempts.next();
    if (next.done === true) return;
    const index = this.#exceptions.push(null) - 1;
    const failed = new Event();
    this.#startNext(failed);
    try {
      const value = yield* callBody(next.value);
      this.#won(value, index);
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#exceptions[index] = error;
      failed.set();
      if (error instanceof CancelledError) throw error;
    }
  }

  *#waitForTurn(previousFailed: Event): CoroutineGenerator<void> {
    try {
      yield* waitFor(previousFailed.wait(), this.#seconds);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
  }

  /** One that swallows its cancellation and comes in late does not replace the winner. */
  #won(value: T, index: number): void {
    if (this.#winner !== null) return;
    this.#winner = { value, index };
    const current = currentTask();
    for (const task of this.#running) if (task !== current) task.cancel();
  }

  #ended(task: Task<void>): void {
    this.#running.delete(task);
    if (this.#running.size === 0) this.#over.set();
    if (!task.cancelled() && task._failed) this.#unhandled.push(task.exception());
  }
}
