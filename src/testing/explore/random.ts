/** Random numbers from a seed: the same on every machine and runtime. @module */

/**
 * A stream of random numbers. Streams of one seed and different names have nothing in common, so that one more number drawn
 * for a fault does not change the schedule.
 */
export class RandomStream {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = hash(`${name} ${seed}`);
  }

  /** From 0 up to 1, without 1. (Mulberry32.) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 up to `count`, without `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}

/** An index of `odds`, each as often as it is likely. */
export function drawByOdds(odds: readonly number[], stream: RandomStream): number {
  let drawn = stream.next();
  for (let i = 0; i < odds.length - 1; i++) {
    drawn -= odds[i]!;
    if (drawn < 0) return i;
  }
  return odds.length - 1;
}

/** FNV-1a, of 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}
