/** Barrier: no task passes until all are there. @module */

import type { Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { BrokenBarrierError } from "../../base/exceptions.ts";
import { inspectAsString, repr } from "../../base/format.ts";
import { Condition } from "./condition.ts";

/**
 * Where a barrier stands. *Filling*: tasks arrive and wait. *Draining*: all are there and leave; a task that comes now waits
 * for the next round. *Resetting*: those inside leave with an error, then it fills again. *Broken*: until it is reset.
 */
type State = "filling" | "draining" | "resetting" | "broken";

/** What a {@link Barrier} has to say of itself. */
export interface BarrierStatistics {
  readonly state: State;
  readonly parties: number;
  /** Tasks that have arrived and not left. */
  readonly inside: number;
}

/**
 * A meeting point for a number of tasks: each waits until all have come, then all go on. It can be used again and again.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const barrier = new asyncio.Barrier(2);
 *   const places = await asyncio.gather(barrier.wait(), barrier.wait());
 *   assert.deepEqual(places.toSorted(), [0, 1]);
 * });
 * ```
 *
 * CPython: `asyncio.Barrier`.
 */
export class Barrier {
  readonly parties: number;
  readonly #condition: Condition = new Condition();
  #state: State = "filling";
  #inside: number = 0;

  /** @throws {RangeError} if `parties` is no whole number of one or more. */
  constructor(parties: number) {
    if (!Number.isInteger(parties) || parties < 1) {
      throw new RangeError(`parties must be a whole number >= 1: received ${repr(parties)}`);
    }
    this.parties = parties;
  }

  /** How many wait for the others now. */
  get nWaiting(): number {
    return this.#state === "filling" ? this.#inside : 0;
  }

  get broken(): boolean {
    return this.#state === "broken";
  }

  /**
   * Waits for the others; the place in the order of arrival, from 0. The last one does not wait.
   *
   * @throws {BrokenBarrierError} if the barrier is broken, or is reset or aborted meanwhile.
   */
  wait(): Coroutine<number> {
    const waiting = this.#waiting();
    return this.#condition.hold(function* () {
      return yield* waiting;
    });
  }

  /** Ends the waits with a {@link BrokenBarrierError} and makes the barrier as new. */
  reset(): Coroutine<void> {
    return this.#change(() => {
      this.#state = this.#inside > 0 ? "resetting" : "filling";
    });
  }

  /** Breaks the barrier: the waiting tasks, and those that come, get a {@link BrokenBarrierError} until it is reset. */
  abort(): Coroutine<void> {
    return this.#change(() => {
      this.#state = "broken";
    });
  }

  statistics(): BarrierStatistics {
    return { state: this.#state, parties: this.parties, inside: this.#inside };
  }

  *#waiting(): CoroutineGenerator<number> {
    yield* this.#condition.waitFor(() => this.#state !== "draining" && this.#state !== "resetting");
    if (this.#state === "broken") throw new BrokenBarrierError("Barrier aborted");
    const place = this.#inside++;
    try {
      if (this.#inside === this.parties) this.#open();
      else yield* this.#waitForOthers();
      return place;
    } finally {
      this.#inside--;
      this.#left();
    }
  }

  #open(): void {
    this.#state = "draining";
    this.#condition.notifyAll();
  }

  *#waitForOthers(): CoroutineGenerator<void> {
    yield* this.#condition.waitFor(() => this.#state !== "filling");
    if (this.#state !== "draining") throw new BrokenBarrierError("Abort or reset of barrier");
  }

  /** The last one out lets the next round in. */
  #left(): void {
    if (this.#inside > 0) return;
    if (this.#state !== "broken") this.#state = "filling";
    this.#condition.notifyAll();
  }

  #change(change: () => void): Coroutine<void> {
    const condition = this.#condition;
    // oxlint-disable-next-line require-yield
    return condition.hold(function* (): CoroutineGenerator<void> {
      change();
      condition.notifyAll();
    });
  }

  toString(): string {
    const inside = this.broken ? "" : `, waiters:${this.nWaiting}/${this.parties}`;
    return `<Barrier [${this.#state}${inside}]>`;
  }
}
inspectAsString("Barrier", Barrier);
