/**
 * Drives a coroutine: steps its generator, and waits where it waits. A task is a driver; so is an `await` of a
 * coroutine in an async function, which runs inside of the task that awaits.
 *
 * The innermost coroutine is resumed directly. When a coroutine reaches `yield* other()` and `other()` is a
 * `Coroutine`, that one hands itself over, and the driver keeps the pile of them:
 *
 * ```text
 *   root generator      main()           waits for  worker()
 *   pile[0]             worker()         waits for  sleep(1)
 *   pile[1]  ◄ stepped  sleep(1)         waits for  a future
 * ```
 *
 * So a resume costs the same at every depth, where a chain of bare `yield*` pays for each link, and the pile is an
 * await stack that tools can read.
 *
 * @module
 */

import type { Context } from "./contextvars.ts";
import type { AbstractEventLoop, Runnable } from "./events.ts";
import { CancelledError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import { Future, otherLoopError, selfAwaitError } from "./futures.ts";
import type { Ambient, Execution, WaitScope } from "./running.ts";
import { currentExecution, swapRunning } from "./running.ts";
import type { Task } from "./tasks.ts";

/** A coroutine that hands itself over to be driven. */
export interface Frame {
  /** @internal */
  readonly _iterator: Iterator<unknown, unknown, unknown>;
  /** @internal Whether it came through `yield*` and may be driven now. */
  _claim(): boolean;
  /** @internal */
  _finish(value: unknown): void;
  /** @internal */
  _fail(error: unknown): void;
}

/** What runs a coroutine from its first step to its end, as part of a task. */
export abstract class Driver<T> implements Execution, Runnable {
  readonly loop: AbstractEventLoop;
  readonly task: Task<unknown> | null;
  readonly context: Context;
  /** The async context in which the steps run; `null` where the platform has none, or it is the present one. */
  protected ambient: Ambient | null = null;
  /** What is running in the coroutine, innermost last; see the picture above. */
  readonly #root: Iterator<unknown, unknown, unknown>;
  #pile: Frame[] | null = null;
  #innermost: Iterator<unknown, unknown, unknown>;
  /** Set from the moment the coroutine waits until its next step: cancelling goes there. */
  #waitingFor: Future<unknown> | null = null;
  /** The driver inside of which this one runs: an `await` runs inside of its task. */
  readonly #outer: Driver<unknown> | null;
  /** A request to cancel that found nothing to cancel: the next step, or the next wait, delivers it. */
  #mustCancel: boolean = false;
  #cancelMessage: string | undefined = undefined;
  #cancelRequests: number = 0;
  /** See {@link isCancelling}. */
  #isCancelling: boolean = false;
  /** A mistake in what was yielded, to be thrown into the coroutine at its next step. */
  #mistake: RuntimeError | null = null;

  constructor(
    loop: AbstractEventLoop,
    task: Task<unknown> | null,
    context: Context,
    outer: Driver<unknown> | null,
    root: Iterator<unknown, unknown, unknown>,
  ) {
    this.loop = loop;
    this.task = task;
    this.context = context;
    this.#outer = outer;
    this.#root = root;
    this.#innermost = root;
  }

  get driver(): this {
    return this;
  }

  /** Where async functions called from inside the coroutine register their waits. */
  abstract get scope(): WaitScope | null;
  /** The coroutine returned. */
  protected abstract returned(value: T): void;
  /** The coroutine threw. */
  protected abstract raised(error: unknown): void;

  /** @internal One step, called by the loop: the first, or after what was waited for is done. */
  run(): void {
    if (this.ambient === null) this.#step();
    else this.ambient.runInAsyncScope(Driver.#stepThis, this);
  }

  static #stepThis(this: Driver<unknown>): void {
    this.#step();
  }

  /** Asks the coroutine to stop, at what it waits for or at its next wait; the request counts. */
  requestCancel(message: string | undefined): boolean {
    if (this.#isCancelling) return false;
    this.#cancelRequests++;
    this.countInTask(1);
    return this.deliverCancel(message);
  }

  /** How many requests count here and not further out. */
  protected get ownRequests(): number {
    return this.#cancelRequests;
  }

  /** A request made here has begun, or ceased, to count. */
  protected countInTask(_by: number): void {}

  /** Hands on a request to stop that counts elsewhere: at an outer driver. */
  protected deliverCancel(message: string | undefined): boolean {
    if (this.#isCancelling) return false;
    if (this.#passOn(message)) return true;
    this.#mustCancel = true;
    this.#cancelMessage = message;
    return true;
  }

  /** Cancels what is waited for; whether that took the request. */
  #passOn(message: string | undefined): boolean {
    const waited = this.#waitingFor;
    if (waited === null) return false;
    let accepted: boolean;
    let cameRound: boolean;
    this.#isCancelling = true;
    try {
      accepted = waited.cancel(message);
      cameRound = !accepted && waited._isCancelling;
    } finally {
      this.#isCancelling = false;
    }
    if (cameRound) {
      // Tasks wait for each other in a circle, the request came round, and no future in it would ever be done.
      waited._removeWaiter(this);
      this.#waitingFor = null;
      this.loop._enqueue(this);
    }
    return accepted;
  }

  /** Whether a request to cancel is on its way from here to what is waited for. */
  get isCancelling(): boolean {
    return this.#isCancelling;
  }

  /** How many requests to cancel there were, here and further out, less those taken back. */
  cancelling(): number {
    return this.#cancelRequests + (this.#outer?.cancelling() ?? 0);
  }

  /**
   * Takes one of this driver's own requests back: a deadline's, when it has done its work. What is left of
   * {@link cancelling}; at zero, a request that has not been delivered is dropped.
   */
  uncancel(): number {
    if (this.#cancelRequests > 0) {
      this.#cancelRequests--;
      this.countInTask(-1);
    } else this.#outer?.uncancel();
    if (this.cancelling() === 0) this.forgetCancel();
    return this.cancelling();
  }

  /** {@link uncancel} for the user's own code: a request from outside first, since a deadline takes back its own. */
  uncancelOutermost(): number {
    if (this.#outer === null || this.#outer.cancelling() === 0) return this.uncancel();
    this.#outer.uncancelOutermost();
    if (this.cancelling() === 0) this.forgetCancel();
    return this.cancelling();
  }

  /** Takes a request to cancel back that has not been delivered. */
  forgetCancel(): void {
    this.#mustCancel = false;
    this.#waitingFor?.forgetCancel();
  }

  /** A request to cancel that an inner part of the coroutine did not get to see. */
  inheritCancel(message: string | undefined): void {
    this.#mustCancel = true;
    this.#cancelMessage = message;
  }

  /** Gives an undelivered request to cancel to `wait`, which an async function of this driver now waits for. */
  deliverTo(wait: { cancel(message?: string): boolean }): void {
    if (this.#mustCancel && wait.cancel(this.#cancelMessage)) this.#mustCancel = false;
  }

  /** The request to cancel that waits to be delivered, if there is one; from here on there is none. */
  protected takeCancel(): { readonly message: string | undefined } | null {
    if (!this.#mustCancel) return null;
    this.#mustCancel = false;
    return { message: this.#cancelMessage };
  }

  /** What the coroutine waits for now. */
  get waitingFor(): Future<unknown> | null {
    return this.#waitingFor;
  }

  /** The coroutines under way, outermost first, the root left out. */
  get frames(): readonly Frame[] {
    return this.#pile ?? [];
  }

  /** Resumes the innermost coroutine, and goes on until one of them waits or the root ends. */
  #step(): void {
    const previous = swapRunning(this);
    try {
      this.#advance(this.#takeException());
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#throwSoon(new RuntimeError("Task got bad yield: it cannot be looked at", { cause: error }));
    } finally {
      swapRunning(previous);
    }
  }

  #advance(exception: { readonly value: unknown } | null): void {
    for (;;) {
      let result: IteratorResult<unknown, unknown>;
      try {
        result = exception === null ? this.#innermost.next() : this.#innermost.throw!(exception.value);
      } catch (error) {
        if (this.#innermost === this.#root) {
          this.raised(error);
          return;
        }
        this.#pop()._fail(error);
        exception = null;
        continue;
      }
      exception = null;
      const { value } = result;
      if (result.done === true) {
        if (this.#innermost === this.#root) {
          this.returned(value as T);
          return;
        }
        this.#pop()._finish(value);
      } else if (value === undefined) {
        // A bare yield gives way for one turn, as in CPython.
        this.loop._enqueue(this);
        return;
      } else if (value instanceof Future) {
        this.#waitFor(value);
        return;
      } else if (isFrame(value) && value._claim()) {
        this.#push(value);
      } else {
        this.#throwSoon(`Task got bad yield: ${repr(value)}${cureFor(value)}`);
        return;
      }
    }
  }

  /** What to throw into the coroutine instead of resuming it. */
  #takeException(): { readonly value: unknown } | null {
    const mistake = this.#mistake;
    this.#mistake = null;
    const waited = this.#waitingFor;
    this.#waitingFor = null;
    if (this.#mustCancel && waited?._interruptible !== false) {
      this.#mustCancel = false;
      // Two requests before the step: the future that was cancelled by the first brings its CancelledError itself.
      if (waited?._raisesCancelled() !== true) return { value: new CancelledError(this.#cancelMessage) };
    }
    return mistake === null ? null : { value: mistake };
  }

  #waitFor(future: Future<unknown>): void {
    if (future._loop !== this.loop) {
      future._awaited = false;
      this.#throwSoon(otherLoopError(this.task, future));
    } else if (!future._awaited) {
      this.#throwSoon(`yield was used instead of yield* in task ${String(this.task)} with ${future.toString()}`);
    } else if (future === (this.task as unknown)) {
      future._awaited = false;
      this.#throwSoon(selfAwaitError(future));
    } else {
      future._awaited = false;
      future._addWaiter(this);
      this.#waitingFor = future;
      this.deliverTo(future);
    }
  }

  #throwSoon(mistake: string | RuntimeError): void {
    this.#mistake = typeof mistake === "string" ? new RuntimeError(mistake) : mistake;
    this.loop._enqueue(this);
  }

  #push(frame: Frame): void {
    if (this.#pile === null) this.#pile = [frame];
    else this.#pile.push(frame);
    this.#innermost = frame._iterator;
  }

  #pop(): Frame {
    const pile = this.#pile!;
    const frame = pile.pop()!;
    this.#innermost = pile.length === 0 ? this.#root : pile[pile.length - 1]!._iterator;
    return frame;
  }
}

/** The driver of the coroutine that runs; outside of one, an error that says `refusal`. */
export function currentDriver(refusal: string): Driver<unknown> {
  const execution = currentExecution();
  if (execution instanceof Driver) return execution;
  throw new RuntimeError(refusal);
}

function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && "_claim" in value;
}

function cureFor(yielded: unknown): string {
  if (typeof yielded !== "object" || yielded === null) return "";
  if (isFrame(yielded) || Symbol.iterator in yielded) return ": yield was used instead of yield*";
  if (typeof (yielded as { then?: unknown }).then === "function") return ": write yield* asyncio.fromPromise(promise)";
  return "";
}
