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

/**
 * What a task waits for in a line, or in several at once: reports call it by its purpose. Cancelled, it leaves the line in
 * that moment, and not when its task goes on: nobody counts on it any more.
 */
class Place extends Future<void> {
  purpose: string | null = null;
  readonly #leave: (() => void)[] = [];

  stand(line: Line, ticket: Ticket, purpose: string): void {
    this.purpose ??= purpose;
    this.#leave.push(() => line.leave(ticket));
  }

  override cancel(message?: string): boolean {
    const isCancelled = super.cancel(message);
    if (isCancelled) for (const leave of this.#leave) leave();
    return isCancelled;
  }

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
    const ticket = new Ticket(done);
    if (done instanceof Place) done.stand(this, ticket, purpose);
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
