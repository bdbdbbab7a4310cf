/** Steps of several tasks in an order that a test lays down. @module */

import { RuntimeError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import { Event } from "../../core/coordination/locks/event.ts";
import type { Hold } from "../../core/coordination/locks/hold.ts";
import { hold } from "../../core/coordination/locks/hold.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";

/**
 * Numbered steps, each of which begins when the one before it has ended, whichever tasks they are in.
 *
 * ```ts
 * await asyncTest(async () => {
 *   const order: string[] = [];
 *   const sequencer = new Sequencer();
 *   const tick = async () => {
 *     await sequencer.step(0, async () => void order.push("tick"));
 *     await sequencer.step(2, async () => void order.push("tick"));
 *   };
 *   const tock = async () => {
 *     await sequencer.step(1, async () => void order.push("tock"));
 *     using step = await sequencer.step(3);
 *     order.push("tock");
 *   };
 *   await asyncio.gather([tock(), tick()]);
 *   assert.deepEqual(order, ["tick", "tock", "tick", "tock"]);
 * })();
 * ```
 *
 * If one that waits for its step is cancelled, the sequence is broken, and all that wait fail. trio: `trio.testing.Sequencer`.
 */
export class Sequencer {
  readonly #taken: Set<number> = new Set();
  /** Set when the step of that number may begin. */
  readonly #turns: Map<number, Event> = new Map();
  #isBroken: boolean = false;

  /**
   * Waits until all steps before `position` have ended, and takes it: while `body` runs, or until the hold is disposed of.
   *
   * @throws {RuntimeError} if it was taken before, or the sequence is broken. @throws {RangeError} unless it is 0, 1, 2 …
   */
  step(position: number): Coroutine<Hold>;
  step<T>(position: number, body: Body<T>): Coroutine<T>;
  step<T>(position: number, body?: Body<T>): Coroutine<T | Hold> {
    if (!Number.isInteger(position) || position < 0) {
      throw new RangeError(`position: expected a whole number from 0 on, received ${repr(position)}`);
    }
    if (this.#taken.has(position)) throw new RuntimeError(`Sequencer: step ${position} was taken before`);
    this.#taken.add(position);
    const acquire = (): Coroutine<void> => new GeneratorCoroutine(this.#untilTurn(position), "step");
    return hold({ acquire, release: () => this.#turnOf(position + 1).set() }, body);
  }

  *#untilTurn(position: number): CoroutineGenerator<void> {
    this.#checkWhole();
    if (position === 0) return;
    let hasCome = false;
    try {
      yield* this.#turnOf(position).wait();
      hasCome = true;
    } finally {
      if (!hasCome) this.#break();
    }
    this.#checkWhole();
  }

  #turnOf(position: number): Event {
    let turn = this.#turns.get(position);
    if (turn === undefined) this.#turns.set(position, (turn = new Event()));
    return turn;
  }

  #break(): void {
    this.#isBroken = true;
    for (const turn of this.#turns.values()) turn.set();
  }

  #checkWhole(): void {
    if (this.#isBroken) throw new RuntimeError("Sequencer: one that waited for its step was cancelled");
  }
}
