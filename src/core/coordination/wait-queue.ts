/**
 * WaitQueue: tasks in line, first come, first served. It is under every lock and queue.
 *
 * CPython writes the same deque of futures again in each of them. What they share: a waiter is a future in the line; it
 * is woken by a result; it leaves the line when its task goes on, and not when it is cancelled, so that a lock that is
 * released between the two wakes no task twice. What they do not share stays with them: what to do when a waiter that has
 * been woken is cancelled before it goes on, so that the wakeup is not lost.
 *
 * Everything costs the same however long the line is. Weighed and refused: one list for all, as CPython has it, which is
 * searched for the first that was not cancelled (a thousand cancelled waiters, a thousand releases: a million looks).
 *
 * @module
 */

import { RuntimeError } from "../base/exceptions.ts";
import type { Linked } from "../base/linked-list.ts";
import { LinkedList } from "../base/linked-list.ts";
import type { Reject, Resolve } from "../kernel/promise-methods.ts";
import type { KernelLoop } from "../kernel/contract.ts";
import { Future } from "../kernel/futures.ts";
import { requireLoop } from "../kernel/running.ts";

/** What stands in line, as its waiter sees it. */
export interface Standing {
  /** What it waits to do, and with what, for reports. */
  readonly name: string;
  readonly subject: object;
  /** The task that has what it waits for, if one has. */
  readonly holder?: { getName(): string } | null;
  /** The wait was cancelled, and the line left; `wasWoken` if a wakeup was on its way. */
  interrupted(wasWoken: boolean): void;
}

/** One in the line: `yield*` it to wait. */
export class Waiter extends Future<void> implements Linked<Waiter> {
  _previous: Waiter | null = null;
  _next: Waiter | null = null;
  /** The list in which it stands; `null` when it has left. */
  _list: LinkedList<Waiter> | null = null;
  readonly #queue: WaitQueue;
  readonly #standing: Standing | null;

  constructor(loop: KernelLoop, queue: WaitQueue, standing: Standing | null) {
    super({ loop });
    this.#queue = queue;
    this.#standing = standing;
  }

  override _take(): void {
    const wasWoken = this.#queue._left(this);
    if (this.cancelled()) this.#standing?.interrupted(wasWoken);
    return super._take();
  }

  override _settle(resolve: Resolve, reject: Reject): unknown {
    try {
      this._take();
    } catch (error) {
      return reject(error);
    }
    return resolve(undefined as never);
  }

  override _interrupted(): void {
    this.#standing?.interrupted(this.#queue._left(this));
  }

  override return(value: unknown): IteratorResult<unknown, unknown> {
    this.#queue._left(this);
    return super.return(value);
  }

  override get _typeName(): string {
    return "Future";
  }

  override get _purpose(): string | null {
    if (this.#standing === null) return null;
    const { name, subject, holder } = this.#standing;
    const held = holder === null || holder === undefined ? "" : `, held by Task '${holder.getName()}'`;
    return `${name}() of ${String(subject)}${held}`;
  }
}

/** Ties an object to the loop in which it was first waited for: shared by two loops, it could not wake the other's tasks. */
export class LoopBinding {
  readonly #owner: object;
  #loop: KernelLoop | null = null;

  /** @param owner what is waited for, for the error. */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** @throws {RuntimeError} if the owner belongs to another loop than `loop`. */
  check(loop: KernelLoop): void {
    this.#loop ??= loop;
    if (this.#loop !== loop) throw new RuntimeError(`${String(this.#owner)} is bound to a different event loop`);
  }
}

/**
 * A line of waiters. A waiter stands in one of three lists:
 *
 * ```text
 *   #passed   x          cancelled, has not gone on, and stood before all that sleep
 *   #woken    a ◄─► b    woken, and has not gone on
 *   #asleep   c ◄─► d    not woken; one of them that is cancelled becomes passed when it is first
 * ```
 */
export class WaitQueue {
  readonly #passed: LinkedList<Waiter> = new LinkedList();
  readonly #woken: LinkedList<Waiter> = new LinkedList();
  readonly #asleep: LinkedList<Waiter> = new LinkedList();
  readonly #binding: LoopBinding;

  /** @param owner what is waited for, or its binding if it has several lines. */
  constructor(owner: object) {
    this.#binding = owner instanceof LoopBinding ? owner : new LoopBinding(owner);
  }

  /** How many are in line, those included that are woken or cancelled and have not gone on. */
  get size(): number {
    return this.#passed.size + this.#woken.size + this.#asleep.size;
  }

  /** Puts a new waiter at the end of the line. */
  join(standing: Standing | null = null, loop: KernelLoop = requireLoop()): Waiter {
    this.#binding.check(loop);
    const waiter = new Waiter(loop, this, standing);
    move(waiter, this.#asleep);
    return waiter;
  }

  /** Whether one in the line has not been cancelled. */
  hasLiveWaiter(): boolean {
    return this.#woken.size > 0 || this.#firstAsleep() !== null;
  }

  /** Wakes the first in line, unless it has been woken or cancelled already and is on its way out. */
  wakeFirst(): void {
    if (this.#woken.size > 0 || this.#passed.size > 0) return;
    const { first } = this.#asleep;
    if (first !== null && !first.done()) this.#wake(first);
  }

  /** Wakes up to `count` of those that sleep; returns how many. */
  wake(count: number): number {
    for (let woken = 0; woken < count; woken++) {
      const first = this.#firstAsleep();
      if (first === null) return woken;
      this.#wake(first);
    }
    return count;
  }

  /** @internal `waiter` goes on; whether it had been woken. */
  _left(waiter: Waiter): boolean {
    const wasWoken = waiter._list === this.#woken;
    move(waiter, null);
    return wasWoken;
  }

  #firstAsleep(): Waiter | null {
    for (let { first } = this.#asleep; first !== null; { first } = this.#asleep) {
      if (!first.done()) return first;
      move(first, this.#passed);
    }
    return null;
  }

  #wake(waiter: Waiter): void {
    move(waiter, this.#woken);
    waiter.setResult();
  }
}

function move(waiter: Waiter, to: LinkedList<Waiter> | null): void {
  waiter._list?.delete(waiter);
  waiter._list = to;
  to?.add(waiter);
}
