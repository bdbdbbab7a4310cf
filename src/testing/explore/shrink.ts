/** A smaller schedule that fails in the same way: fewer choices that differ from first come, first served. @module */

import type { Course } from "./course.ts";

/** Runs a tape again. */
type PlayTape = (tape: readonly number[]) => Promise<Course>;

/** A smaller run that fails as `course` does, found by `play` in at most `budget` runs. */
export async function shrink(course: Course, play: PlayTape, budget: number): Promise<Course> {
  const shrinker = new Shrinker(course, play, budget);
  await shrinker.cutEnd();
  for (let before = Infinity; shrinker.size < before && shrinker.hasBudget;) {
    before = shrinker.size;
    await shrinker.clearBlocks();
    await shrinker.lowerPicks();
  }
  return shrinker.best;
}

class Shrinker {
  best: Course;
  readonly #play: PlayTape;
  #left: number;

  constructor(course: Course, play: PlayTape, budget: number) {
    this.best = course;
    this.#play = play;
    this.#left = budget;
  }

  get hasBudget(): boolean {
    return this.#left > 0;
  }

  /** What is to become smaller: how many picks differ, and by how much. */
  get size(): number {
    return sizeOf(this.best.tape);
  }

  /** The longest end that may as well be first come, first served; found by halving. */
  async cutEnd(): Promise<void> {
    let [fails, length] = [this.best.tape.length, 0];
    while (length < fails && this.hasBudget) {
      const middle = (length + fails) >> 1;
      if (await this.#accepts(this.best.tape.slice(0, middle))) fails = middle;
      else length = middle + 1;
    }
  }

  /** Sets blocks of picks to the first option: halves, quarters, and so on to single ones. */
  async clearBlocks(): Promise<void> {
    for (let length = this.best.tape.length; length >= 1; length >>= 1) {
      for (let start = 0; start < this.best.tape.length && this.hasBudget; start += length) {
        const { tape } = this.best;
        if (tape.slice(start, start + length).every((pick) => pick === 0)) continue;
        await this.#accepts(tape.map((pick, i) => (i >= start && i < start + length ? 0 : pick)));
      }
    }
  }

  async lowerPicks(): Promise<void> {
    for (let i = 0; i < this.best.tape.length && this.hasBudget; i++) {
      for (let pick = 1; pick < (this.best.tape[i] ?? 0) && this.hasBudget; pick++) {
        if (await this.#accepts(this.best.tape.with(i, pick))) break;
      }
    }
  }

  async #accepts(tape: readonly number[]): Promise<boolean> {
    this.#left--;
    const course = await this.#play(tape);
    if (course.failure?.kind !== this.best.failure!.kind || sizeOf(course.tape) > this.size) return false;
    this.best = course;
    return true;
  }
}

function sizeOf(tape: readonly number[]): number {
  return tape.reduce((sum, pick) => sum + (pick === 0 ? 0 : 1000 + pick), 0);
}
