/** What a simulated host lends its loop: a clock of its own, and turns on the timetable of the network. @module */

import type { Host, HostClient } from "../../core/loop/host.ts";
import { getPlatform } from "../../core/loop/platform.ts";
import { swapRunning } from "../../core/kernel/running.ts";
import type { Happening, Timetable } from "./timetable.ts";

/** How the clock of a host differs from the network's. */
export interface ClockOptions {
  /** How far it is ahead, in seconds. */
  readonly offset?: number;
  /** How many of its seconds go by in one of the network's; 1 by default. */
  readonly rate?: number;
}

export class HostClock implements Host {
  readonly clockResolution: number = 1e-9;
  readonly #timetable: Timetable;
  readonly #name: string;
  readonly #offset: number;
  readonly #rate: number;
  #client: HostClient | null = null;
  /** When the loop wants its next turn, on the network's clock. */
  #due: number = Infinity;
  #next: Happening | null = null;
  /** A turn is in the network's ready queue. */
  #isCalled: boolean = false;
  #isPaused: boolean = false;

  constructor(timetable: Timetable, name: string, { offset = 0, rate = 1 }: ClockOptions) {
    this.#timetable = timetable;
    this.#name = `a turn of ${name}`;
    this.#offset = offset;
    this.#rate = rate;
  }

  now(): number {
    return this.#timetable.now * this.#rate + this.#offset;
  }

  connect(client: HostClient): void {
    this.#client = client;
  }

  disconnect(): void {
    this.#client = null;
    this.#due = Infinity;
    this.#next?.cancel();
    this.#next = null;
  }

  requestTurn(delay: number): void {
    this.#due = this.#timetable.now + delay / this.#rate;
    this.#next?.cancel();
    this.#next = null;
    if (!this.#isPaused) this.#schedule();
  }

  drainMicrotasks(): boolean {
    const hasDrained = getPlatform().drainMicrotasks?.() ?? false;
    // Where promises cannot go on in place, the network's loop lets them, between two of its entries.
    if (!hasDrained) this.#timetable.loop._promisesDue();
    return hasDrained;
  }

  /** The program stands still, as one that the system has stopped. */
  pause(): void {
    this.#isPaused = true;
    this.#next?.cancel();
    this.#next = null;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#due === Infinity || this.#timetable.isOver) return;
    if (this.#due > this.#timetable.now) {
      this.#next = this.#timetable.at(this.#due, this.#name, () => this.#turn());
    } else if (!this.#isCalled) {
      this.#isCalled = true;
      this.#timetable.soon(this.#name, () => {
        this.#isCalled = false;
        if (this.#due <= this.#timetable.now && !this.#isPaused) this.#turn();
      });
    }
  }

  #turn(): void {
    this.#due = Infinity;
    this.#next = null;
    // Promises that go on in the turn belong to the host's loop, and not to what runs in the network's.
    const outer = swapRunning(null);
    try {
      this.#client?.turn();
    } finally {
      swapRunning(outer);
    }
  }
}
