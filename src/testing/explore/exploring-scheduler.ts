/**
 * The ready queue of a loop whose order is searched. With `any`, whatever is ready may run next, and a turn has one entry.
 * With `legal`, the loop is asyncio's, first come, first served, and only what comes from outside of it has no order: which
 * of the timers due at one instant comes first, and which of the messages from other threads, and in which turn.
 *
 * @module
 */

import { Heap } from "../../core/base/heap.ts";
import type { Runnable, Timer } from "../../core/kernel/contract.ts";
import type { Scheduler } from "../../core/loop/scheduler.ts";
import { Actors } from "./actors.ts";
import type { Actor, Option, Site } from "./choices.ts";
import type { Order } from "./token.ts";

/** Whom the scheduler asks and tells. */
export interface Director {
  /** The index of one of `options`, of which there are at least two. */
  choose(site: Site, options: readonly Option[]): number;
  /** How late a timer fires that is due, in seconds. */
  delayOf(timer: Actor): number;
  /** The step of `actor` is next. It may throw, which ends the run. */
  beforeStep(actor: Actor): void;
}

/** An entry that is ready. Whose it is is asked when it may be chosen: an `await` does not know it when it becomes ready. */
class Ready implements Option {
  readonly subject: Runnable;
  readonly #actors: Actors;
  readonly #cause: Actor | null;
  #actor: Actor | null = null;

  constructor(subject: Runnable, actors: Actors, cause: Actor | null) {
    this.subject = subject;
    this.#actors = actors;
    this.#cause = cause;
  }

  get actor(): Actor {
    this.#actor ??= this.#actors.of(this.subject, this.#cause);
    return this.#actor;
  }
}

/** Nothing from outside comes in this turn. */
const NOTHING: Option = { subject: null, actor: { signature: "", label: "nothing from outside" } };

export class ExploringScheduler implements Scheduler {
  readonly #director: Director;
  readonly #order: Order;
  readonly actors: Actors;
  #ready: Ready[] = [];
  /** With `legal`: what has come from outside, and waits for a turn in which it arrives. */
  #outside: Ready[] = [];
  /** Timers that are late, with when they fire. */
  readonly #late: WeakMap<Timer, number> = new WeakMap();
  readonly #timers: Heap<Timer> = new Heap((a, b) => {
    const [first, second] = [this.#dueAt(a), this.#dueAt(b)];
    return first < second || (first === second && a._serial < b._serial);
  });
  readonly #causes: WeakMap<Runnable, Actor> = new WeakMap();
  #current: Actor | null = null;
  #left: number = 0;

  /** @param place where its loop is, if the program has several. */
  constructor(director: Director, order: Order, place: string = "") {
    this.#director = director;
    this.#order = order;
    this.actors = new Actors(place);
  }

  get ready(): number {
    return this.#ready.length + this.#outside.length;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** They are dropped at once. */
  get cancelledTimers(): number {
    return 0;
  }

  enqueue(entry: Runnable, cause: Runnable | null): void {
    const isOurs = cause !== null && entry._isFromOutside !== true;
    const ready = new Ready(entry, this.actors, isOurs ? this.#current : null);
    if (this.#order === "any" || isOurs) this.#ready.push(ready);
    else this.#outside.push(ready);
  }

  schedule(timer: Timer): void {
    this.#timers.push(timer);
    timer._scheduled = true;
    if (this.#current !== null && timer._isFromOutside !== true) this.#causes.set(timer, this.#current);
  }

  timerCancelled(): void {
    this.#timers.keep((timer) => {
      if (timer.cancelled()) timer._scheduled = false;
      return !timer.cancelled();
    });
  }

  waiting(): Iterable<Timer> {
    return this.#timers;
  }

  nextDeadline(): number {
    const timer = this.#timers.peek();
    return timer === undefined ? Infinity : this.#dueAt(timer);
  }

  beginTurn(end: number): number {
    const come = this.#order === "any" ? this.#ready : this.#outside;
    for (
      let timer = this.#timers.peek();
      timer !== undefined && this.#dueAt(timer) < end;
      timer = this.#timers.peek()
    ) {
      this.#timers.pop();
      const ready = new Ready(timer, this.actors, this.#causes.get(timer) ?? null);
      const delay = this.#late.has(timer) ? 0 : this.#director.delayOf(ready.actor);
      if (delay > 0) {
        this.#late.set(timer, timer._when + delay);
        this.#timers.push(timer);
        continue;
      }
      timer._scheduled = false;
      come.push(ready);
    }
    if (this.#order === "legal") this.#letArrive();
    this.#left = this.#order === "any" ? Math.min(this.#ready.length, 1) : this.#ready.length;
    return this.#left;
  }

  /** When `entry` was due, if it is a timer. */
  #timeOf(entry: Runnable): number | undefined {
    return "_when" in entry ? this.#dueAt(entry as Timer) : undefined;
  }

  #dueAt(timer: Timer): number {
    return this.#late.get(timer) ?? timer._when;
  }

  /** Some of what is outside becomes ready, in some order; all of it, if nothing is chosen otherwise. */
  #letArrive(): void {
    while (this.#outside.length > 0) {
      const candidates = this.#mayArrive();
      const options = this.#ready.length === 0 ? candidates : [...candidates, NOTHING];
      const chosen = options[options.length === 1 ? 0 : this.#director.choose("arrival", options)]!;
      if (chosen === NOTHING) return;
      this.#outside = this.#outside.filter((other) => other !== chosen);
      this.#ready.push(chosen as Ready);
    }
  }

  /** Of the timers only those that are due first: a loop takes no later one before them. */
  #mayArrive(): readonly Ready[] {
    const first = Math.min(...this.#outside.map(({ subject }) => this.#timeOf(subject) ?? Infinity));
    return this.#outside.filter(({ subject }) => (this.#timeOf(subject) ?? first) === first);
  }

  nextOfTurn(): Runnable | undefined {
    if (this.#left === 0) return undefined;
    this.#left--;
    const isChosen = this.#order === "any" && this.#ready.length > 1;
    const index = isChosen ? this.#director.choose("next", this.#ready) : 0;
    const next = this.#ready[index]!;
    this.#director.beforeStep(next.actor);
    this.#ready.splice(index, 1);
    this.#current = next.actor;
    return next.subject;
  }

  breakTurn(): void {
    this.#left = 0;
  }

  clear(): void {
    this.#ready = [];
    this.#outside = [];
    this.#timers.clear();
    this.#left = 0;
  }
}
