/**
 * Every schedule within a bound, one after the other: a search that can say that there is nothing to find.
 *
 * A schedule has a price, and the bound grows from nothing: first all schedules that cost nothing, then those that cost one,
 * and so on. Two ways to count, which see different faults:
 *
 * - `delays`, from first come, first served: to let others go first costs one for each of them.
 * - `preemptions`, from letting each actor run until it waits: to interrupt it costs one; who follows is free.
 *
 * The search keeps nothing but the choices of the last schedule, as an odometer keeps its digits.
 *
 * @module
 */

import type { ChoicePoint, Chooser } from "./choices.ts";

/** The searches that say when they are exhausted. */
export type ExhaustivePolicy = "delays" | "preemptions";

/** A point of the last schedule: its options from the cheapest on, and which of them was taken. */
interface Digit {
  readonly ranked: readonly { readonly index: number; readonly price: number }[];
  rank: number;
  /** What the choices before it cost. */
  readonly spent: number;
}

export class ExhaustiveSearch {
  readonly #policy: ExhaustivePolicy;
  readonly #mostBound: number;
  #bound: number = 0;
  #digits: Digit[] = [];
  #isFresh: boolean = true;
  /** Within the present bound a schedule was left out because it costs more. */
  #hasLeftOut: boolean = false;

  /** @param bound the most that a schedule may cost. */
  constructor(policy: ExhaustivePolicy, bound: number) {
    this.#policy = policy;
    this.#mostBound = bound;
  }

  /** The bound within which everything was seen, when there are no schedules left; infinity if the bound left nothing out. */
  get seenWithin(): number {
    return this.#hasLeftOut ? this.#bound : Infinity;
  }

  /** The chooser of the next schedule, `null` when there is none. It must be run to its end before the one after it. */
  next(): Chooser | null {
    if (!this.#isFresh && !this.#advance()) {
      if (!this.#hasLeftOut || this.#bound >= this.#mostBound) return null;
      this.#bound++;
      this.#digits = [];
      this.#hasLeftOut = false;
    }
    this.#isFresh = false;
    let at = 0;
    return { choose: (point) => this.#choose(point, at++) };
  }

  #choose(point: ChoicePoint, at: number): number {
    if (at === this.#digits.length) {
      const before = this.#digits.at(-1);
      const spent = before === undefined ? 0 : before.spent + before.ranked[before.rank]!.price;
      this.#digits.push({ ranked: this.#rank(point), rank: 0, spent });
    }
    const digit = this.#digits[at]!;
    return digit.ranked[digit.rank]!.index;
  }

  /** Turns the last digit that can be turned; `false` if none can. */
  #advance(): boolean {
    for (let digit = this.#digits.at(-1); digit !== undefined; digit = this.#digits.at(-1)) {
      const next = digit.ranked[digit.rank + 1];
      if (next !== undefined && digit.spent + next.price <= this.#bound) {
        digit.rank++;
        return true;
      }
      if (next !== undefined) this.#hasLeftOut = true;
      this.#digits.pop();
    }
    return false;
  }

  #rank({ site, options, current }: ChoicePoint): Digit["ranked"] {
    const indexes = options.keys();
    if (site !== "next") return Array.from(indexes, (index) => ({ index, price: Math.min(index, 1) }));
    if (this.#policy === "delays") return Array.from(indexes, (index) => ({ index, price: index }));
    const goesOn = options.findIndex(({ actor }) => actor === current);
    return Array.from(indexes, (index) => ({ index, price: goesOn === -1 || index === goesOn ? 0 : 1 })).toSorted(
      (a, b) => a.price - b.price,
    );
  }
}
