/** The last things that happened in a loop: so many and no more, and it is told how many were dropped. @module */

/** Moments and lengths are in milliseconds, on `performance.now()`. */
export type LoopEvent =
  | { readonly kind: "turn"; readonly at: number; readonly ready: number }
  | { readonly kind: "made" | "ended"; readonly at: number; readonly task: TaskName }
  | { readonly kind: "step"; readonly at: number; readonly task: TaskName; readonly milliseconds: number }
  | { readonly kind: "woken"; readonly at: number; readonly task: TaskName; readonly by: TaskName };

/** Which task. */
export interface TaskName {
  readonly id: number;
  readonly name: string;
}

const TURN = 0;
const MADE = 1;
const ENDED = 2;
const STEP = 3;
const WOKEN = 4;

/** Columns of a fixed length: to note an event makes no object. */
export class EventRing {
  readonly #kinds: Uint8Array;
  readonly #moments: Float64Array;
  readonly #numbers: Float64Array;
  readonly #tasks: (TaskName | null)[];
  readonly #others: (TaskName | null)[];
  #count: number = 0;

  /** @param capacity how many are kept. */
  constructor(capacity: number) {
    this.#kinds = new Uint8Array(capacity);
    this.#moments = new Float64Array(capacity);
    this.#numbers = new Float64Array(capacity);
    this.#tasks = Array.from({ length: capacity }, () => null);
    this.#others = Array.from({ length: capacity }, () => null);
  }

  /** How many are no longer kept. */
  get dropped(): number {
    return Math.max(0, this.#count - this.#kinds.length);
  }

  turn(at: number, ready: number): void {
    this.#note(TURN, at, null, null, ready);
  }

  made(at: number, task: TaskName): void {
    this.#note(MADE, at, task, null, 0);
  }

  ended(at: number, task: TaskName): void {
    this.#note(ENDED, at, task, null, 0);
  }

  step(at: number, task: TaskName, milliseconds: number): void {
    this.#note(STEP, at, task, null, milliseconds);
  }

  woken(at: number, task: TaskName, by: TaskName): void {
    this.#note(WOKEN, at, task, by, 0);
  }

  /** Those that are kept, the oldest first. A step stands where it ended. */
  *[Symbol.iterator](): Generator<LoopEvent, void, undefined> {
    for (let i = this.dropped; i < this.#count; i++) yield this.#at(i % this.#kinds.length);
  }

  #note(kind: number, at: number, task: TaskName | null, other: TaskName | null, number: number): void {
    const i = this.#count++ % this.#kinds.length;
    this.#kinds[i] = kind;
    this.#moments[i] = at;
    this.#numbers[i] = number;
    this.#tasks[i] = task;
    this.#others[i] = other;
  }

  #at(i: number): LoopEvent {
    const at = this.#moments[i]!;
    const task = this.#tasks[i]!;
    switch (this.#kinds[i]) {
      case TURN:
        return { kind: "turn", at, ready: this.#numbers[i]! };
      case MADE:
        return { kind: "made", at, task };
      case ENDED:
        return { kind: "ended", at, task };
      case STEP:
        return { kind: "step", at, task, milliseconds: this.#numbers[i]! };
      default:
        return { kind: "woken", at, task, by: this.#others[i]! };
    }
  }
}
