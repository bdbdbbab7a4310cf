/** Who waits for what is granted to one after the other: a place in a channel, an item, a token. @module */

import type { Linked } from "../../core/base/linked-list.ts";
import { LinkedList } from "../../core/base/linked-list.ts";
import { Future } from "../../core/kernel/futures.ts";
import { requireLoop } from "../../core/kernel/running.ts";

/**
 * One in line.
 *
 * | state     | it holds                                                   | next             |
 * | --------- | ---------------------------------------------------------- | ---------------- |
 * | `asleep`  | until something is granted to it, or it fails              | any of the others |
 * | `granted` | until it goes on, or is cancelled before it does           | `left`           |
 * | `left`    | for good                                                   | –                |
 */
export class Ticket implements Linked<Ticket> {
  /** @internal */
  _previous: Ticket | null = null;
  /** @internal */
  _next: Ticket | null = null;
  readonly done: Future<void>;
  state: "asleep" | "granted" | "left" = "asleep";

  constructor(done: Future<void>) {
    this.done = done;
  }
}

/** What a task waits for in a line: reports call it by its purpose. */
class Place extends Future<void> {
  purpose: string | null = null;

  override get _typeName(): string {
    return "Future";
  }

  override get _purpose(): string | null {
    return this.purpose;
  }
}

export class Line {
  readonly #asleep: LinkedList<Ticket> = new LinkedList();
  #granted: number = 0;

  /** How many are in line, those included that were granted something and have not gone on. */
  get size(): number {
    return this.#asleep.size + this.#granted;
  }

  get granted(): number {
    return this.#granted;
  }

  get hasSleepers(): boolean {
    return this.#asleep.size > 0;
  }

  makeFuture(): Future<void> {
    return new Place({ loop: requireLoop() });
  }

  join(done: Future<void>, purpose: string): Ticket {
    if (done instanceof Place) done.purpose ??= purpose;
    const ticket = new Ticket(done);
    this.#asleep.add(ticket);
    return ticket;
  }

  /** Wakes the first that sleeps; `false` if none does. */
  grant(): boolean {
    const ticket = this.#first();
    if (ticket === null) return false;
    this.#asleep.delete(ticket);
    this.#granted++;
    ticket.state = "granted";
    ticket.done.setResult();
    return true;
  }

  /** Everybody who sleeps fails. */
  failAll(makeError: () => Error): void {
    for (let ticket = this.#first(); ticket !== null; ticket = this.#first()) this.fail(ticket, makeError());
  }

  /** One that sleeps fails; one that was granted something goes on. */
  fail(ticket: Ticket, error: Error): void {
    if (ticket.state !== "asleep") return;
    this.leave(ticket);
    if (!ticket.done.done()) ticket.done.setException(error);
  }

  leave(ticket: Ticket): void {
    if (ticket.state === "asleep") this.#asleep.delete(ticket);
    else if (ticket.state === "granted") this.#granted--;
    ticket.state = "left";
  }

  /** The first that sleeps. One whose future is done is on its way out, and nothing is granted to it. */
  #first(): Ticket | null {
    let { first } = this.#asleep;
    while (first !== null && first.done.done()) {
      this.leave(first);
      ({ first } = this.#asleep);
    }
    return first;
  }
}
