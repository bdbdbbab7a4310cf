/**
 * Policies: how a search draws a schedule. None finds everything (`docs/testing.md` has the table), so the default is a
 * portfolio of them.
 *
 * - `random`: each time any of those that may be next.
 * - `urw`: in proportion to how much each has still to do, so that every interleaving is about as likely (Zhao and others,
 *   "Selectively Uniform Concurrency Testing", 2025).
 * - `pos`: each entry draws a priority when it becomes ready (Yuan and others, "Partial Order Aware Concurrency Sampling",
 *   2018).
 * - `pct`: each actor draws a priority, and `depth - 1` times the one that runs falls behind all others (Burckhardt and
 *   others, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010).
 *
 * @module
 */

import type { Actor, ChoicePoint, Chooser, Option } from "./choices.ts";
import { drawByOdds, RandomStream } from "./random.ts";

/** What a first run, first come first served, shows of a program. */
export interface Horizon {
  readonly steps: number;
  /** How many steps each actor took, by its signature. */
  readonly stepsOf: ReadonlyMap<string, number>;
}

/** A fault that a program has named is possible in one run of so many, and happens then one time of so many. */
const FAULT_ODDS = 4;

/** The policies that can be asked for. */
export type RandomPolicy = "random" | "pct" | "urw" | "pos";

type MakeChooser = (seed: number, horizon: Horizon, depth: number) => Chooser;

const POLICIES: Readonly<Record<RandomPolicy, MakeChooser>> = {
  random: (seed) => new RandomWalk(seed),
  urw: (seed, horizon) => new UniformWalk(seed, horizon),
  pos: (seed) => new EntryPriorities(seed),
  pct: (seed, horizon, depth) => new ActorPriorities(seed, horizon, depth),
};

const PORTFOLIO: readonly MakeChooser[] = [
  POLICIES.random,
  POLICIES.urw,
  POLICIES.pos,
  (seed, horizon) => POLICIES.pct(seed, horizon, 2),
  POLICIES.pct,
];

/** The chooser of the schedule with this seed. */
export function drawChooser(
  policy: RandomPolicy | "portfolio",
  seed: number,
  horizon: Horizon,
  depth: number,
): Chooser {
  const make = policy === "portfolio" ? PORTFOLIO[seed % PORTFOLIO.length]! : POLICIES[policy];
  return make(seed, horizon, depth);
}

/** Draws the order from one stream, faults from another, and chance from a third. */
abstract class SeededChooser implements Chooser {
  protected readonly schedule: RandomStream;
  readonly #faults: RandomStream;
  readonly #chance: RandomStream;
  readonly #isFaulty: boolean;
  readonly #horizon: number;

  constructor(seed: number, horizon: number = 100) {
    this.schedule = new RandomStream(seed, "schedule");
    this.#faults = new RandomStream(seed, "faults");
    this.#chance = new RandomStream(seed, "chance");
    this.#isFaulty = this.#faults.below(FAULT_ODDS) === 0;
    this.#horizon = Math.max(horizon, 1);
  }

  choose(point: ChoicePoint): number {
    const { site, options, odds } = point;
    if (site === "chance") return drawByOdds(odds!, this.#chance);
    if (site === "fault") {
      if (!this.#isFaulty || this.#faults.below(FAULT_ODDS) > 0) return 0;
      return 1 + this.#faults.below(options.length - 1);
    }
    if (site === "cancel") {
      return this.#faults.below(this.#horizon) === 0 ? 1 + this.#faults.below(options.length - 1) : 0;
    }
    return this.pick(point);
  }

  protected abstract pick(point: ChoicePoint): number;
}

class RandomWalk extends SeededChooser {
  protected override pick({ options }: ChoicePoint): number {
    return this.schedule.below(options.length);
  }
}

class UniformWalk extends SeededChooser {
  readonly #expected: ReadonlyMap<string, number>;
  readonly #taken: Map<string, number> = new Map();

  constructor(seed: number, horizon: Horizon) {
    super(seed, horizon.steps);
    this.#expected = horizon.stepsOf;
  }

  protected override pick({ options }: ChoicePoint): number {
    const weights = options.map(({ actor }) => this.#leftOf(actor));
    let drawn = this.schedule.next() * weights.reduce((sum, weight) => sum + weight, 0);
    let index = 0;
    while (index < options.length - 1 && (drawn -= weights[index]!) >= 0) index++;
    const { signature } = options[index]!.actor;
    this.#taken.set(signature, (this.#taken.get(signature) ?? 0) + 1);
    return index;
  }

  #leftOf({ signature }: Actor): number {
    return Math.max(1, (this.#expected.get(signature) ?? 1) - (this.#taken.get(signature) ?? 0));
  }
}

class EntryPriorities extends SeededChooser {
  readonly #priorities: WeakMap<Option, number> = new WeakMap();

  protected override pick({ options }: ChoicePoint): number {
    return indexOfHighest(options, (option) => {
      const known = this.#priorities.get(option) ?? this.schedule.next();
      this.#priorities.set(option, known);
      return known;
    });
  }
}

class ActorPriorities extends SeededChooser {
  readonly #priorities: Map<string, number> = new Map();
  /** The steps at which the one that would run falls behind, and what its priority is then: below all others. */
  readonly #changes: Map<number, number> = new Map();

  constructor(seed: number, horizon: Horizon, depth: number) {
    super(seed, horizon.steps);
    for (let i = 1; i < depth; i++) this.#changes.set(this.schedule.below(Math.max(horizon.steps, 1)), -i);
  }

  protected override pick({ options, step }: ChoicePoint): number {
    const highest = indexOfHighest(options, (option) => this.#priorityOf(option));
    const lowered = this.#changes.get(step);
    if (lowered === undefined) return highest;
    this.#changes.delete(step);
    this.#priorities.set(options[highest]!.actor.signature, lowered);
    return indexOfHighest(options, (option) => this.#priorityOf(option));
  }

  #priorityOf({ actor: { signature } }: Option): number {
    const known = this.#priorities.get(signature) ?? this.schedule.next();
    this.#priorities.set(signature, known);
    return known;
  }
}

function indexOfHighest(options: readonly Option[], priorityOf: (option: Option) => number): number {
  let index = 0;
  let highest = -Infinity;
  options.forEach((option, i) => {
    const priority = priorityOf(option);
    if (priority <= highest) return;
    highest = priority;
    index = i;
  });
  return index;
}
