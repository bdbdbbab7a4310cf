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
 * Queues for one loop. A turn is `beginTurn`, then `nextOfTurn` until it returns `undefined`: only what was ready when
 * the turn began belongs to it, so that callbacks that schedule callbacks cannot keep timers and I/O waiting for ever.
 */
export class Scheduler {
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

  enqueue(entry: Runnable): void {
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
