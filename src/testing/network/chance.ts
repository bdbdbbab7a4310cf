/** What is left to chance in a simulated network: in a search a choice of the schedule, elsewhere drawn from a seed. @module */

import type { Option } from "../explore/choices.ts";
import type { Course } from "../explore/course.ts";
import { drawByOdds, RandomStream } from "../explore/random.ts";

/** Outcomes, the usual one first, with how likely each is. */
export interface Lot {
  readonly options: readonly Option[];
  readonly odds: readonly number[];
}

export class Chance {
  readonly #course: Course | null;
  readonly #stream: RandomStream;

  /** @param course the run of a search that the network is part of. */
  constructor(course: Course | null, seed: number) {
    this.#course = course;
    this.#stream = new RandomStream(seed, "network");
  }

  /** Which of the outcomes of `lot` comes true. */
  draw(lot: Lot): number {
    return this.#course?.draw(lot.options, lot.odds) ?? drawByOdds(lot.odds, this.#stream);
  }
}
