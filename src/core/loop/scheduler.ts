/**
 * The ready queue and the timers: what runs in a turn and in which order. It knows no task, no I/O and no clock.
 *
 * @module
 */

import { MIN_CANCELLED_TIMER_HANDLES_FRACTION, MIN_SCHEDULED_TIMER_HANDLES } from "../base/constants.ts";
import { Deque } from "../base/deque.ts";
import type { Runnable, Timer } from "../kernel/contract.ts";
import { Heap } from "../base/heap.ts";

/** Which of two timers comes first: the earlier; of two at the same instant, the one made first. */
function isBefore(a: Timer, b: Timer): boolean {
  return a._when < b._when || (a._when === b._when && a._serial < b._serial);
}

/**
 * What a loop asks of its scheduler: a ready queue, timers, and which entry is next. A turn is `beginTurn`, then
 * `nextOfTurn` until it returns `undefined`. A search through schedules hands the loop one that chooses otherwise.
 */
export interface Scheduler {
  /** How many entries are ready. */
  readonly ready: number;
  /** How many timers are set, the cancelled ones included that were not swept. */
  readonly timers: number;
  readonly cancelledTimers: number;
  /** `entry` is ready; `cause` is the entry that ran when it became so, `null` where it came from outside of the loop. */
  enqueue(entry: Runnable, cause: Runnable | null): void;
  schedule(timer: Timer): void;
  timerCancelled(timer: Timer): void;
  /** The timers that are set, in no order; the cancelled ones may be among them. */
  waiting(): Iterable<Timer>;
  /** When the next timer is due, on the loop's clock, in seconds; infinity when there is none. */
  nextDeadline(): number;
  /** Begins a turn, to which the timers belong that are due before `end`. Returns how many entries it has. */
  beginTurn(end: number): number;
  /** Takes out the next entry of the turn; `undefined` at its end. */
  nextOfTurn(): Runnable | undefined;
  /** Ends the turn early; what is left of it belongs to the next. */
  breakTurn(): void;
  /** The loop is closed. */
  clear(): void;
}

/**
 * First come, first served, as in CPython: only what was ready when the turn began belongs to it, so that callbacks that
 * schedule callbacks cannot keep timers and I/O waiting for ever.
 */
export class TurnScheduler implements Scheduler {
  readonly #ready: Deque<Runnable> = new Deque();
  readonly #timers: Heap<Timer> = new Heap(isBefore);
  /** Timers in the heap that were cancelled. */
  #cancelled: number = 0;
  /** Entries of the present turn that have not run. */
  #left: number = 0;

  get ready(): number {
    return this.#ready.size;
  }

  get timers(): number {
    return this.#timers.size;
  }

  get cancelledTimers(): number {
    return this.#cancelled;
  }

  enqueue(entry: Runnable, _cause: Runnable | null): void {
    this.#ready.push(entry);
  }

  schedule(timer: Timer): void {
    this.#timers.push(timer);
    timer._scheduled = true;
  }

  /** `timer` is cancelled: it stays in the heap until it comes to the top, or until it is swept with many others. */
  timerCancelled(timer: Timer): void {
    if (timer._scheduled) this.#cancelled++;
  }

  waiting(): Iterable<Timer> {
    return this.#timers;
  }

  /** When the next timer is due; infinity when there is none. */
  nextDeadline(): number {
    this.#dropCancelled();
    return this.#timers.peek()?._when ?? Infinity;
  }

  /** Moves the timers that are due before `end` to the ready queue and begins a turn. Returns how many entries it has. */
  beginTurn(end: number): number {
    this.#dropCancelled();
    for (let timer = this.#timers.peek(); timer !== undefined && timer._when < end; timer = this.#timers.peek()) {
      this.#timers.pop();
      timer._scheduled = false;
      if (timer.cancelled()) this.#cancelled--;
      else this.#ready.push(timer);
    }
    this.#left = this.#ready.size;
    return this.#left;
  }

  /** The next entry of the present turn, or `undefined` at its end. */
  nextOfTurn(): Runnable | undefined {
    if (this.#left === 0) return undefined;
    this.#left--;
    return this.#ready.shift();
  }

  /** Ends the turn early; what is left of it belongs to the next. */
  breakTurn(): void {
    this.#left = 0;
  }

  clear(): void {
    this.#ready.clear();
    this.#timers.clear();
    this.#cancelled = 0;
    this.#left = 0;
  }

  /** A million timeouts set and cancelled must not pile up: CPython's rule. */
  #dropCancelled(): void {
    const timers = this.#timers;
    if (
      timers.size > MIN_SCHEDULED_TIMER_HANDLES &&
      this.#cancelled / timers.size > MIN_CANCELLED_TIMER_HANDLES_FRACTION
    ) {
      timers.keep((timer) => {
        if (timer.cancelled()) timer._scheduled = false;
        return !timer.cancelled();
      });
      this.#cancelled = 0;
      return;
    }
    for (let timer = timers.peek(); timer?.cancelled() === true; timer = timers.peek()) {
      timers.pop();
      timer._scheduled = false;
      this.#cancelled--;
    }
  }
}
