/**
 * What was made and then neglected: a coroutine that was never awaited, an exception that was never
 * retrieved. CPython reports them when the object is freed. So do we, with a `FinalizationRegistry`, which is late and
 * may be never; what it has not reported is swept for, in order, when the loop closes.
 *
 * Nearly everything is looked after at once, and the rest by the end of the next turn, and must cost nearly nothing:
 * only what is still neglected when the next one comes is kept in a list, and only what is so a turn later is registered.
 *
 * @module
 */

/** What is left to say of a neglected object when the object itself is gone. It must not refer to it. */
export interface Neglect {
  readonly message: string;
  readonly exception?: unknown;
  readonly description: string;
  readonly sourceTraceback?: readonly string[] | null;
  /** Set when the object was looked after in the end. */
  settled: boolean;
}

/** An object that must be awaited or retrieved by some code. */
export interface Neglectable {
  /** @internal Whether it has not been looked after. */
  readonly _isNeglected: boolean;
  /** @internal Remembers where it was made; in debug mode. */
  _rememberMaking?(): void;
  /** @internal What to report. Called twice, it returns the same. */
  _neglect(): Neglect;
}

/** Says aloud what was neglected; the object is `null` when only its description is left. */
type ReportNeglect = (neglect: Neglect, item: Neglectable | null) => void;

/** The objects of one loop that must not be neglected. */
export class NeglectWatch {
  /** The newest. */
  #newest: Neglectable | null = null;
  /** Added in this turn, and not looked after at once. */
  #fresh: Neglectable[] = [];
  /** Added in the turn before. */
  #ripe: Neglectable[] = [];
  readonly #old: Map<Neglect, WeakRef<Neglectable>> = new Map();
  readonly #report: ReportNeglect;
  readonly #registry: FinalizationRegistry<Neglect>;

  constructor(report: ReportNeglect) {
    this.#report = report;
    this.#registry = new FinalizationRegistry((neglect) => {
      if (this.#old.delete(neglect) && !neglect.settled) this.#report(neglect, null);
    });
  }

  add(item: Neglectable): void {
    if (this.#newest?._isNeglected === true) this.#fresh.push(this.#newest);
    this.#newest = item;
  }

  /** A turn ends: what was neglected since the turn before is held weakly from here on. */
  review(): void {
    if (this.#newest?._isNeglected === true) this.#fresh.push(this.#newest);
    this.#newest = null;
    if (this.#fresh.length === 0 && this.#ripe.length === 0) return;
    for (const item of this.#ripe) this.#register(item);
    this.#ripe = this.#fresh;
    this.#fresh = [];
  }

  /** Reports all that is still neglected, in the order of the making. */
  sweep(): void {
    this.review();
    this.review();
    for (const [neglect, reference] of this.#old) {
      this.#old.delete(neglect);
      const item = reference.deref() ?? null;
      if (neglect.settled) continue;
      neglect.settled = true;
      this.#report(neglect, item);
    }
  }

  #register(item: Neglectable): void {
    if (!item._isNeglected) return;
    const neglect = item._neglect();
    this.#old.set(neglect, new WeakRef(item));
    this.#registry.register(item, neglect);
  }
}
