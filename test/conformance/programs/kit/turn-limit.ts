/** A host that ends a loop which never would. @module */

import type * as asyncio from "asyncio-ts";

/** A program of some hundred ops takes some hundred turns. */
const MAX_TURNS = 10_000;

/** The loop has spun: no program takes so many turns. */
export class TooManyTurns extends Error {
  override readonly name: string = "TooManyTurns";

  constructor() {
    super(`the program has not ended after ${MAX_TURNS} turns of the loop`);
  }
}

/**
 * Another host, whose clock refuses to be read when the loop has taken too many turns. A loop looks at the clock in
 * each turn, and an error there ends it; one that spins in virtual time never returns to its host.
 */
export class TurnLimit implements asyncio.Host {
  readonly #host: asyncio.Host;
  #loop: asyncio.BaseEventLoop | null = null;
  #limit: number = MAX_TURNS;

  constructor(host: asyncio.Host) {
    this.#host = host;
  }

  /** Counts the turns of `loop` from now on. */
  watch(loop: asyncio.BaseEventLoop): void {
    this.#loop = loop;
    this.#limit = loop.statistics().turns + MAX_TURNS;
  }

  get clockResolution(): number {
    return this.#host.clockResolution;
  }

  now(): number {
    if (this.#loop !== null && this.#loop.statistics().turns > this.#limit) throw new TooManyTurns();
    return this.#host.now();
  }

  connect(client: asyncio.HostClient): void {
    this.#host.connect(client);
  }

  disconnect(): void {
    this.#host.disconnect();
  }

  requestTurn(delay: number, isExpected?: boolean): void {
    this.#host.requestTurn(delay, isExpected);
  }

  drainMicrotasks(): boolean {
    return this.#host.drainMicrotasks?.() ?? false;
  }
}
