/**
 * Drives a coroutine: steps its generator, and waits where it waits. A task is a driver; so is an `await` of a
 * coroutine in an async function, which runs inside of the task that awaits (`inline-driver.ts`).
 *
 * The innermost coroutine is resumed directly. When a coroutine reaches `yield* other()` and `other()` is a
 * `Coroutine`, that one hands itself over, and the driver keeps a stack of them:
 *
 * ```text
 *   root generator        main()           waits for  worker()
 *   frames[0]             worker()         waits for  sleep(1)
 *   frames[1]  ◄ stepped  sleep(1)         waits for  a future
 * ```
 *
 * So a resume costs the same at every depth, where a chain of bare `yield*` pays for each link, and the stack is an
 * await stack that tools can read.
 *
 * A driver is a future, since a task is both. Weighed and refused: a task that has a driver (one more object of 160
 * bytes for each task, and every question passed on to it).
 *
 * @module
 */

import { CancelledError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import { askBranches, deliverKept, keepLevel, takeDelivery } from "./cancellation.ts";
import type {
  Asked,
  Awaited,
  Cancellable,
  CountingWaiter,
  Execution,
  Fork,
  KernelLoop,
  Runnable,
  WaitScope,
} from "./contract.ts";
import { Future, otherLoopError, selfAwaitError } from "./futures.ts";
import { isGeneratorObject, resumeGenerator, throwIntoGenerator } from "./generators.ts";
import type { Ambient } from "./running.ts";
import { countStep, currentExecution, mayGoOn, swapRunning } from "./running.ts";

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

/**
 * What a driver waits for besides a future: the call of an async function. It steps the driver itself when the function
 * has ended, in the turn in which it ended, as a generator's end would.
 */
export abstract class Call implements Awaited, Fork {
  abstract done(): boolean;
  abstract readonly _branches: Iterable<Cancellable>;

  /** With nothing to cancel, the driver keeps the request for the next wait. */
  cancel(message?: string): boolean {
    return askBranches(this, message);
  }

  get _onward(): this {
    return this;
  }

  /** The end of the function is no wait of its code: a request that comes too late stays with the driver. */
  get _interruptible(): boolean {
    return false;
  }

  _raisesCancelled(): boolean {
    return false;
  }

  /** Nothing else can end it. */
  _removeWaiter(): void {}

  _neverMind(): void {}
}

/** How the innermost coroutine is resumed; a driver that has ended resumes nothing. */
type Kind = typeof GENERATOR | typeof ITERATOR | typeof ENDED;
const GENERATOR = 0;
const ITERATOR = 1;
const ENDED = 2;

/** What runs a coroutine from its first step to its end, as part of a task. */
export abstract class Driver<T> extends Future<T> implements Execution, CountingWaiter {
  /** The async context in which the steps run; `null` where the platform has none, or it is the present one. */
  protected ambient: Ambient | null = null;
  /** What is running in the coroutine, innermost last; see the picture above. */
  readonly #root: Iterator<unknown, unknown, unknown>;
  #frames: Frame[] | null = null;
  #innermost: Iterator<unknown, unknown, unknown>;
  #kind: Kind;
  /** @internal From the moment the coroutine waits until its next step: a request to cancel goes there. */
  _waitingFor: Awaited | null = null;
  /** @internal */
  _asked: Asked | null = null;

  constructor(loop: KernelLoop, root: Iterator<unknown, unknown, unknown>) {
    super({ loop });
    this.#root = root;
    this.#innermost = root;
    this.#kind = kindOf(root);
  }

  get loop(): KernelLoop {
    return this._loop;
  }

  get driver(): this {
    return this;
  }

  abstract get task(): object | null;
  abstract get context(): object;
  abstract get origin(): Execution;
  /** Where async functions called from inside the coroutine register their waits. */
  abstract get scope(): WaitScope | null;
  /** @internal The driver inside of which this one runs: an `await` runs inside of its task. */
  abstract get _outer(): CountingWaiter | null;
  /** @internal Whether it is what a signal belongs to inside of a task: a deadline, a group, a cancel scope. */
  get _isScope(): boolean {
    return false;
  }

  /** @internal */
  abstract get _strays(): Iterable<Cancellable> | null;
  /** @internal */
  abstract _askedBy(message: string | undefined): void;
  /** The coroutine returned. */
  protected abstract returned(value: T): void;
  /** The coroutine threw. */
  protected abstract raised(error: unknown): void;

  /** @internal */
  override get _onward(): this {
    return this;
  }

  /** @internal */
  get _hasEnded(): boolean {
    return this.#kind === ENDED;
  }

  /** @internal Whether `call` is all that is run here, so that what carries this across promises stands for it too. */
  _isRoot(_call: WaitScope): boolean {
    return false;
  }

  protected get root(): Iterator<unknown, unknown, unknown> {
    return this.#root;
  }

  /** The coroutines under way, outermost first, the root left out. */
  get frames(): readonly Frame[] {
    return this.#frames ?? [];
  }

  /** @internal One step, called by the loop: the first, or after what was waited for is done. */
  run(): void {
    countStep(this.task);
    if (this.ambient === null) this.#step(null);
    else this.ambient.runInAsyncScope(Driver.#stepThis, this);
  }

  static #stepThis(this: Driver<unknown>): void {
    this.#step(null);
  }

  /** @internal */
  _breakOff(): void {
    this._waitingFor = null;
  }

  /** @internal Steps in the next turn, in which a request to cancel is delivered as at any wait. */
  _giveWay(): void {
    this._waitingFor = null;
    if (this._asked !== null) keepLevel(this);
    this._loop._enqueue(this);
  }

  /** @internal One step into which `mistake` is thrown: what the coroutine yielded cannot be waited for. */
  _runMistake(mistake: RuntimeError): void {
    if (this.ambient === null) this.#step(mistake);
    else this.ambient.runInAsyncScope(() => this.#step(mistake), this);
  }

  /** Resumes the innermost coroutine, and goes on until one of them waits or the root ends. */
  #step(mistake: RuntimeError | null): void {
    if (this.#kind === ENDED) {
      this.#steppedAfterEnd();
      return;
    }
    const previous = swapRunning(this);
    try {
      this.#advance(this.#errorToThrow() ?? mistake);
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#throwSoon(new RuntimeError("Task got bad yield: it cannot be looked at", { cause: error }));
    } finally {
      swapRunning(previous);
    }
  }

  /** A request to cancel, if one was kept, instead of what was waited for. */
  #errorToThrow(): CancelledError | null {
    const waited = this._waitingFor;
    this._waitingFor = null;
    if (this._asked === null) return null;
    const request = takeDelivery(this, waited);
    return request === null ? null : new CancelledError(request.message);
  }

  #advance(error: Error | null): void {
    /** How many of the frames were pushed in this step: one that ends in it was an await that did not wait. */
    let fresh = 0;
    for (;;) {
      let result: IteratorResult<unknown, unknown>;
      try {
        if (this.#kind === GENERATOR) {
          result = error === null ? resumeGenerator(this.#innermost) : throwIntoGenerator(this.#innermost, error);
        } else {
          result = error === null ? this.#innermost.next() : this.#innermost.throw!(error);
        }
      } catch (thrown) {
        error = null;
        if (this.#innermost === this.#root) {
          this.#kind = ENDED;
          this.raised(thrown);
          return;
        }
        this.#pop()._fail(thrown);
        if (fresh === 0 || (fresh--, mayGoOn())) continue;
        this._giveWay();
        return;
      }
      error = null;
      const { value } = result;
      if (result.done === true) {
        if (this.#innermost === this.#root) {
          this.#kind = ENDED;
          this.returned(value as T);
          return;
        }
        this.#pop()._finish(value);
        if (fresh === 0 || (fresh--, mayGoOn())) continue;
        this._giveWay();
        return;
      } else if (value === undefined) {
        // A bare yield gives way for one turn, as in CPython.
        this._giveWay();
        return;
      } else if (value instanceof Future) {
        this.#waitFor(value);
        return;
      } else if (value instanceof Call) {
        this.#suspend(value);
        return;
      } else if (isFrame(value) && value._claim()) {
        this.#push(value);
        fresh++;
      } else {
        this.#throwSoon(`Task got bad yield: ${repr(value)}${cureFor(value)}`);
        return;
      }
    }
  }

  #waitFor(future: Future<unknown>): void {
    const cameByYieldStar = future._claimWait();
    if (future._loop !== this._loop) {
      this.#throwSoon(otherLoopError(this.task, future));
    } else if (!cameByYieldStar) {
      this.#throwSoon(`yield was used instead of yield* in task ${String(this.task)} with ${future.toString()}`);
    } else if (future === this.task) {
      this.#throwSoon(selfAwaitError(future));
    } else {
      future._addWaiter(this);
      this.#suspend(future);
    }
  }

  #suspend(target: Awaited): void {
    this._waitingFor = target;
    if (this._asked !== null) deliverKept(this);
  }

  #throwSoon(mistake: string | RuntimeError): void {
    this._loop._enqueue(new Mistake(this, typeof mistake === "string" ? new RuntimeError(mistake) : mistake));
  }

  #steppedAfterEnd(): void {
    if (!this._loop.getDebug()) return;
    this._loop.callExceptionHandler({ message: `${this.toString()} was woken after its end; nothing was done` });
  }

  #push(frame: Frame): void {
    if (this.#frames === null) this.#frames = [frame];
    else this.#frames.push(frame);
    this.#innermost = frame._iterator;
    this.#kind = kindOf(this.#innermost);
  }

  #pop(): Frame {
    const frames = this.#frames!;
    const frame = frames.pop()!;
    this.#innermost = frames.length === 0 ? this.#root : frames[frames.length - 1]!._iterator;
    this.#kind = kindOf(this.#innermost);
    return frame;
  }
}

/** What a coroutine yielded cannot be waited for: the next turn says so at its `yield`. */
class Mistake implements Runnable {
  readonly #driver: Driver<unknown>;
  readonly #error: RuntimeError;

  constructor(driver: Driver<unknown>, error: RuntimeError) {
    this.#driver = driver;
    this.#error = error;
  }

  get task(): object | null {
    return this.#driver.task;
  }

  run(): void {
    this.#driver._runMistake(this.#error);
  }

  toString(): string {
    return this.#driver.toString();
  }
}

/** The driver of the coroutine that runs; outside of one, an error that says `refusal`. */
export function currentDriver(refusal: string): Driver<unknown> {
  const execution = currentExecution();
  if (execution instanceof Driver) return execution;
  throw new RuntimeError(refusal);
}

function kindOf(iterator: Iterator<unknown, unknown, unknown>): Kind {
  return isGeneratorObject(iterator) ? GENERATOR : ITERATOR;
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
