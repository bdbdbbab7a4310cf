/**
 * What a schedule is made of: points at which one of several things may come next, and who chooses there. The choices of a
 * run, in order, are its _tape_; with it the run can be had again.
 *
 * @module
 */

/** Whoever takes steps: a task, or the callbacks of one name that go back to one task. */
export interface Actor {
  /** The same for the same actor in every schedule: where it comes from, and as which of several. */
  readonly signature: string;
  /** What people call it. */
  readonly label: string;
}

/** One of the things that may come next; the same object for as long as it may be chosen. */
export interface Option {
  readonly subject: object | null;
  readonly actor: Actor;
}

/** What may come of something, told by `label`. */
export function outcome(label: string): Option {
  return { subject: null, actor: { signature: label, label } };
}

/**
 * - `next`: which of the entries that are ready runs.
 * - `arrival`: which of the timers and messages from outside comes now; the last option is that none does.
 * - `cancel`: which task is cancelled; the first option is that none is.
 * - `chance`: what comes of something that is left to chance, such as how long a packet is on its way.
 * - `fault`: whether a timer is late, or a fault happens that the program has named; the first option is that none is.
 */
export type Site = "next" | "arrival" | "cancel" | "chance" | "fault";

/** A point at which there are several options. The first is what happens without a search: first come, first served. */
export interface ChoicePoint {
  readonly site: Site;
  readonly options: readonly Option[];
  /** Who took the last step. */
  readonly current: Actor | null;
  /** How many steps were taken. */
  readonly step: number;
  /** Of `chance`: how likely each option is. */
  readonly odds?: readonly number[];
}

/** Chooses at each point of one run. */
export interface Chooser {
  /** The index of an option. */
  choose(point: ChoicePoint): number;
}

/** First come, first served, and no fault: what an ordinary test sees. */
export const FIRST_COME: Chooser = { choose: () => 0 };

/** Chooses what a tape says, and the first option when it has ended. A pick that is too large is the last option. */
export class TapeChooser implements Chooser {
  readonly #tape: readonly number[];
  #at: number = 0;

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  choose({ options }: ChoicePoint): number {
    return Math.min(this.#tape[this.#at++] ?? 0, options.length - 1);
  }
}
