/** CapacityLimiter: so many at a time, and it is known who. @module */

import { RuntimeError } from "../../core/base/exceptions.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import type { Hold } from "../../core/coordination/locks/hold.ts";
import { hold } from "../../core/coordination/locks/hold.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { checkpoint } from "../base/checkpoint.ts";
import { currentTask } from "../../core/kernel/create-task.ts";
import { WouldBlockError } from "../base/errors.ts";
import { Line } from "../base/line.ts";

/** What a {@link CapacityLimiter} has to say of itself. */
export interface CapacityStatistics {
  readonly totalTokens: number;
  readonly borrowedTokens: number;
  /** Who has a token now. */
  readonly borrowers: readonly object[];
  /** Tasks in line. */
  readonly waiting: number;
}

/**
 * A semaphore whose slots are tokens that belong to their borrower: as a rule the task. One that has a token cannot take a
 * second, and nobody can give back what another one has.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const limiter = new CapacityLimiter(2);
 *   await limiter.hold(async () => {
 *     assert.equal(limiter.availableTokens, 1);
 *   });
 *   limiter.totalTokens = 10; // while it is in use
 * });
 * ```
 *
 * trio: `trio.CapacityLimiter`.
 */
export class CapacityLimiter {
  readonly #borrowers: Set<object> = new Set();
  readonly #line: Line = new Line();
  #totalTokens: number;

  /** @throws {RangeError} unless `totalTokens` is a whole number from 0 on, or infinity. */
  constructor(totalTokens: number) {
    this.#totalTokens = checked(totalTokens);
  }

  /** How many tokens there are. It may be changed at any time: with fewer, those that are borrowed stay so. */
  get totalTokens(): number {
    return this.#totalTokens;
  }

  set totalTokens(count: number) {
    this.#totalTokens = checked(count);
    this.#grant();
  }

  get borrowedTokens(): number {
    return this.#borrowers.size;
  }

  /** Tokens that are neither borrowed nor granted to one in line; negative when there are too many borrowers. */
  get availableTokens(): number {
    return this.#totalTokens - this.#borrowers.size - this.#line.granted;
  }

  /**
   * Borrows a token for the running task, and waits in line while there is none. Cancelled, it has none.
   *
   * @throws {RuntimeError} if the task has one already.
   */
  acquire(): Coroutine<void> {
    return new GeneratorCoroutine(this.#acquiring(null), "CapacityLimiter.acquire");
  }

  /** {@link acquire} for `borrower`, which need not be a task. */
  acquireOnBehalfOf(borrower: object): Coroutine<void> {
    return new GeneratorCoroutine(this.#acquiring(borrower), "CapacityLimiter.acquireOnBehalfOf");
  }

  /** Borrows a token at once, for the running task or for `borrower`. @throws {WouldBlockError} if there is none. */
  acquireNowait(borrower: object = runningTask()): void {
    this.#checkHasNone(borrower);
    if (this.#mustWait) throw new WouldBlockError(`${this.toString()} has no token`);
    this.#borrowers.add(borrower);
  }

  /** Gives back the token of the running task, or that of `borrower`. @throws {RuntimeError} if it has none. */
  release(borrower: object = runningTask()): void {
    if (!this.#borrowers.delete(borrower)) {
      throw new RuntimeError(
        `${String(borrower)} has no token of ${this.toString()}: only its borrower gives one back`,
      );
    }
    this.#grant();
  }

  /** Has a token while `body` runs; or, without one, until the hold is disposed of: `using token = await limiter.hold()`. */
  hold(): Coroutine<Hold>;
  hold<T>(body: Body<T>): Coroutine<T>;
  hold<T>(body?: Body<T>): Coroutine<T | Hold> {
    // The token belongs to the hold: it may be disposed of in another task.
    const borrower = { toString: () => "a hold" };
    return hold(
      { acquire: () => this.acquireOnBehalfOf(borrower), release: () => this.release(borrower) },
      body as Body<T>,
    );
  }

  statistics(): CapacityStatistics {
    return {
      totalTokens: this.#totalTokens,
      borrowedTokens: this.#borrowers.size,
      borrowers: [...this.#borrowers],
      waiting: this.#line.size,
    };
  }

  *#acquiring(behalf: object | null): CoroutineGenerator<void> {
    yield* checkpoint();
    const borrower = behalf ?? runningTask();
    this.#checkHasNone(borrower);
    if (this.#mustWait) {
      const ticket = this.#line.join(this.#line.makeFuture(), `CapacityLimiter.acquire() of ${this.toString()}`);
      let isGranted = false;
      try {
        yield* ticket.done;
        isGranted = true;
      } finally {
        this.#line.leave(ticket);
        if (!isGranted) this.#grant();
      }
    }
    this.#borrowers.add(borrower);
  }

  get #mustWait(): boolean {
    return this.availableTokens <= 0 || this.#line.hasSleepers;
  }

  #grant(): void {
    while (this.availableTokens > 0 && this.#line.grant()) continue;
  }

  #checkHasNone(borrower: object): void {
    if (!this.#borrowers.has(borrower)) return;
    throw new RuntimeError(`${String(borrower)} has a token of ${this.toString()} already: one is all it can have`);
  }

  toString(): string {
    return `<CapacityLimiter ${this.#borrowers.size} of ${this.#totalTokens} borrowed>`;
  }
}
inspectAsString("CapacityLimiter", CapacityLimiter);

function runningTask(): object {
  const task = currentTask();
  if (task === null) throw new RuntimeError("no task is running: name the borrower, acquireOnBehalfOf(borrower)");
  return task;
}

function checked(count: number): number {
  if (count === Infinity || (Number.isInteger(count) && count >= 0)) return count;
  throw new RangeError(`totalTokens: expected a whole number from 0 on, or Infinity; received ${repr(count)}`);
}
