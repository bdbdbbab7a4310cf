/** What happens in a simulated network, on the clock of the loop that it was made in. @module */

import type { Runnable, Timer } from "../../core/kernel/contract.ts";
import { nextTimerSerial } from "../../core/kernel/handles.ts";
import type { BaseEventLoop } from "../../core/loop/base-events.ts";

/** Something that will happen, unless it is taken back. */
export interface Happening {
  cancel(): void;
}

/**
 * The entries that a network makes in its loop. They belong to no task and carry no context: what happens in a network is
 * nobody's doing.
 */
export class Timetable {
  readonly #loop: BaseEventLoop;

  constructor(loop: BaseEventLoop) {
    this.#loop = loop;
  }

  get loop(): BaseEventLoop {
    return this.#loop;
  }

  /** In seconds. */
  get now(): number {
    return this.#loop.time();
  }

  /** Whether nothing happens any more. */
  get isOver(): boolean {
    return this.#loop.isClosed();
  }

  at(when: number, name: string, happen: () => void): Happening {
    const entry = new Scheduled(this.#loop, when, name, happen);
    this.#loop._addTimer(entry);
    return entry;
  }

  after(delay: number, name: string, happen: () => void): Happening {
    return this.at(this.now + delay, name, happen);
  }

  /** In the next turn. */
  soon(name: string, happen: () => void): void {
    const entry: Runnable = { run: happen, _isFromOutside: true, _describe: () => name };
    this.#loop._enqueue(entry);
  }
}

class Scheduled implements Timer, Happening {
  readonly _when: number;
  readonly _serial: number = nextTimerSerial();
  readonly _isFromOutside: boolean = true;
  _scheduled: boolean = false;
  readonly #loop: BaseEventLoop;
  readonly #name: string;
  readonly #happen: () => void;
  #isCancelled: boolean = false;

  constructor(loop: BaseEventLoop, when: number, name: string, happen: () => void) {
    this.#loop = loop;
    this._when = when;
    this.#name = name;
    this.#happen = happen;
  }

  run(): void {
    if (!this.#isCancelled) this.#happen();
  }

  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#loop._timerCancelled(this);
  }

  cancelled(): boolean {
    return this.#isCancelled;
  }

  _describe(): string {
    return this.#name;
  }
}
