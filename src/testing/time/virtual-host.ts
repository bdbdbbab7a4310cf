/**
 * A host whose clock jumps: a program that sleeps for a week takes no time.
 *
 * Weighed and refused: fake timers of a test framework. They know nothing of turns and promises, so what runs between two
 * ticks depends on the test; here the loop itself decides, in CPython's order.
 *
 * @module
 */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import type { Host, HostClient } from "../../core/loop/host.ts";
import { getPlatform } from "../../core/loop/platform.ts";

declare function setTimeout(callback: () => void, milliseconds: number): unknown;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Options of a {@link VirtualHost}. */
export interface VirtualHostOptions {
  /** How early a timer may fire, in seconds; a nanosecond by default. */
  readonly clockResolution?: number;
  /** Whether the clock jumps to the next timer by itself, as by default; without it, {@link VirtualHost.advance} moves it. */
  readonly autojump?: boolean;
}

/**
 * A loop's host in virtual time. When nothing is ready the clock jumps to the next timer; when no timer is set either,
 * the loop ends with a `DeadlockError`. Wait for nothing outside of the loop: no I/O and no timer of JavaScript's.
 *
 * ```ts
 * const loop = new asyncio.BaseEventLoop(new VirtualHost());
 * await loop.runUntilComplete(() => asyncio.sleep({ days: 7 }));
 * assert.equal(loop.time(), 604_800);
 * ```
 *
 * With `autojump: false` the clock stands until a test steps it:
 *
 * ```ts
 * const host = new VirtualHost({ autojump: false });
 * const loop = new asyncio.BaseEventLoop(host);
 * const seen: number[] = [];
 * const program = loop.runUntilComplete(async () => {
 *   for (let i = 0; i < 3; i++) {
 *     await asyncio.sleep(10);
 *     seen.push(loop.time());
 *   }
 * });
 * await host.advance(25);
 * assert.deepEqual(seen, [10, 20]);
 * await host.advance(5);
 * await program;
 * ```
 */
export class VirtualHost implements Host {
  readonly clockResolution: number;
  readonly #autojump: boolean;
  #now: number = 0;
  /** How far the clock may go by itself. */
  #limit: number;
  #client: HostClient | null = null;
  /** When the loop wants its next turn. */
  #due: number = Infinity;
  #pending: boolean = false;
  /** Resolves the present `advance`. */
  #arrived: (() => void) | null = null;

  constructor(options: VirtualHostOptions = {}) {
    this.clockResolution = options.clockResolution ?? 1e-9;
    this.#autojump = options.autojump !== false;
    this.#limit = this.#autojump ? Infinity : 0;
  }

  now(): number {
    return this.#now;
  }

  connect(client: HostClient): void {
    this.#client = client;
    this.#due = Infinity;
  }

  disconnect(): void {
    this.#client = null;
    this.#arrive();
  }

  requestTurn(delay: number): void {
    this.#due = this.#now + delay;
    this.#callSoon();
  }

  drainMicrotasks(): boolean {
    return getPlatform().drainMicrotasks?.() ?? false;
  }

  /**
   * Lets the loop run for `duration` of its time: each timer at its own instant, in order. The promise is resolved when the
   * clock is there and nothing is ready any more, or the loop has ended.
   *
   * @throws {RangeError} (the promise is rejected) for a negative duration. @throws {RuntimeError} if the clock jumps by itself, or is under way already.
   */
  async advance(duration: Duration): Promise<void> {
    const seconds = forward(duration);
    if (this.#autojump) throw new RuntimeError("advance() is for a clock that does not jump: { autojump: false }");
    if (this.#arrived !== null) throw new RuntimeError("advance() is under way: await it before the next");
    this.#limit = this.#now + seconds;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      this.#callSoon();
    });
  }

  /**
   * Moves the clock by `duration` at once, as for a machine that was suspended: timers due meanwhile are late, and all fire
   * in the next turn.
   */
  jump(duration: Duration): void {
    this.#now += forward(duration);
    this.#limit = Math.max(this.#limit, this.#now);
    if (this.#due !== Infinity) this.#callSoon();
  }

  #callSoon(): void {
    if (this.#pending) return;
    this.#pending = true;
    inMacrotask(() => this.#call());
  }

  /** Calls the loop, turn after turn; after so many, or where promises need a macrotask to go on, in another macrotask. */
  #call(): void {
    let goesOn = true;
    try {
      for (let turns = 0; turns < TURNS_IN_A_ROW; turns++) {
        goesOn = this.#callOnce();
        if (!goesOn || !this.drainMicrotasks()) break;
      }
    } finally {
      this.#pending = false;
      if (goesOn) this.#callSoon();
    }
  }

  /** Whether the loop had a turn. */
  #callOnce(): boolean {
    const client = this.#client;
    if (client === null || this.#due > this.#limit) {
      this.#arrive();
      return false;
    }
    if (this.#due === Infinity) {
      client.exhausted(
        "\n(The clock is virtual: a promise, a timer or a socket outside of the loop does not wake it.)",
      );
      return false;
    }
    this.#now = Math.max(this.#now, this.#due);
    this.#due = Infinity;
    client.turn();
    return true;
  }

  /** The clock is as far as it may go. */
  #arrive(): void {
    if (!this.#autojump) this.#now = Math.max(this.#now, this.#limit);
    this.#arrived?.();
    this.#arrived = null;
  }
}

/** How many turns the loop has at most before the rest of the process has one: a test runner must see its own timers. */
const TURNS_IN_A_ROW = 100;

/** @throws {RangeError} for a time that has passed. */
function forward(duration: Duration): number {
  const seconds = toSeconds(duration, "duration");
  if (seconds < 0) throw new RangeError(`a clock does not go back: received ${repr(duration)}`);
  return seconds;
}

/** Taken now, so that a test's fake timers do not stop the loop. */
const [immediate, timeout] = [typeof setImmediate === "function" ? setImmediate : null, setTimeout];

function inMacrotask(callback: () => void): void {
  if (immediate === null) timeout(callback, 0);
  else immediate(callback);
}
