/**
 * A host whose clock jumps: a program that sleeps for a week takes no time.
 *
 * Weighed and refused: fake timers of a test framework. They know nothing of turns and promises, so what runs between two
 * ticks depends on the test; here the loop itself decides, in CPython's order.
 *
 * @module
 */

import type { Host, HostClient } from "../../core/loop/host.ts";
import { getPlatform } from "../../core/loop/platform.ts";

declare function setTimeout(callback: () => void, milliseconds: number): unknown;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/**
 * A loop's host in virtual time. When nothing is ready the clock jumps to the next timer; when no timer is set either,
 * the loop ends with a `DeadlockError`. Wait for nothing outside of the loop: no I/O and no timer of JavaScript's.
 *
 * ```ts
 * const loop = new asyncio.BaseEventLoop(new VirtualHost());
 * await loop.runUntilComplete(() => asyncio.sleep({ days: 7 }));
 * assert.equal(loop.time(), 604_800);
 * ```
 */
export class VirtualHost implements Host {
  readonly clockResolution: number;
  #now: number = 0;
  #client: HostClient | null = null;
  #delay: number = Infinity;
  #pending: boolean = false;

  /** @param options `clockResolution`: how early a timer may fire, in seconds; a nanosecond by default. */
  constructor(options: { readonly clockResolution?: number } = {}) {
    this.clockResolution = options.clockResolution ?? 1e-9;
  }

  now(): number {
    return this.#now;
  }

  connect(client: HostClient): void {
    this.#client = client;
    this.#delay = Infinity;
  }

  disconnect(): void {
    this.#client = null;
  }

  requestTurn(delay: number): void {
    this.#delay = delay;
    if (this.#pending) return;
    this.#pending = true;
    inMacrotask(() => this.#call());
  }

  drainMicrotasks(): boolean {
    return getPlatform().drainMicrotasks?.() ?? false;
  }

  #call(): void {
    this.#pending = false;
    const client = this.#client;
    if (client === null) return;
    const delay = this.#delay;
    this.#delay = Infinity;
    if (delay === Infinity) {
      client.exhausted();
    } else {
      this.#now += delay;
      client.turn();
    }
  }
}

/** Taken now, so that a test's fake timers do not stop the loop. */
const [immediate, timeout] = [typeof setImmediate === "function" ? setImmediate : null, setTimeout];

function inMacrotask(callback: () => void): void {
  if (immediate === null) timeout(callback, 0);
  else immediate(callback);
}
