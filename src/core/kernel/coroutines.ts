/** Coroutine: work that starts when it is awaited, and not before. @module */

import { currentContext } from "./contextvars.ts";
import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import { Driver } from "./driver.ts";
import type { Frame } from "./driver.ts";
import type { AbstractEventLoop } from "./events.ts";
import { findRunningLoop, getRunningLoop } from "./events.ts";
import { CancelledError, RuntimeError } from "../base/exceptions.ts";

import { inspectAsString } from "../base/format.ts";
import type { Awaitable, Future, Suspension } from "./futures.ts";
import type { Neglect, Neglectable } from "./neglect.ts";
import type { Cancellable, Execution, WaitScope } from "./running.ts";
import { currentExecution, getAsyncContext } from "./running.ts";
import type { Reject, Resolve } from "./awaits.ts";
import { TurnWait } from "./awaits.ts";
import { captureStack, locationOf } from "../base/stack.ts";

/** A generator object as a generator function with `yield*` waits makes it: a coroutine too. */
export type CoroutineGenerator<T> = Generator<Suspension, T, unknown>;

/** The function that holds a coroutine's code: an async function, a generator function, or one that calls such. */
export type Body<T> = () => Future<T> | Coroutine<T> | CoroutineGenerator<T> | PromiseLike<T>;

/** What can be started as a task: a coroutine, a generator object, or the function to call. Not a promise. */
export type CoroutineLike<T> = Coroutine<T> | CoroutineGenerator<T> | Body<T>;

/**
 * Work that has not started: it runs when it is awaited, once, or when a task is made of it.
 *
 * The library's waiting functions return coroutines, and {@link coroutine} makes your own functions do so. A coroutine
 * that is never awaited is reported, as in CPython.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const nap = asyncio.sleep(0.001, "rested"); // nothing has begun
 *   assert.equal(await nap, "rested");
 * });
 * ```
 *
 * CPython: a coroutine object.
 */
export abstract class Coroutine<T> implements Awaitable<T>, Neglectable {
  #started: boolean = false;
  #neglect: Neglect | null = null;
  readonly #sourceTraceback: readonly string[] | null = null;

  /** What reports call it. */
  abstract readonly name: string;
  /** @internal What a driver steps. */
  abstract readonly _iterator: Iterator<unknown, unknown, unknown>;

  constructor() {
    const loop = currentExecution()?.loop ?? null;
    if (loop === null) return;
    if (loop.getDebug()) this.#sourceTraceback = captureStack(DEBUG_STACK_DEPTH);
    loop._watch(this);
  }

  /** Runs it as part of the task whose async function awaits it. */
  abstract then(onFulfilled: (value: T) => unknown, onRejected: (error: unknown) => unknown): void;

  /** For `yield*` in a generator coroutine; it evaluates to the result, or throws. */
  [Symbol.iterator](): Iterator<Suspension, T, unknown> {
    this._begin();
    return this as unknown as Iterator<Suspension, T, unknown>;
  }

  /** @internal */
  abstract next(): IteratorResult<unknown, T>;

  /** @internal */
  throw(error: unknown): never {
    throw error;
  }

  /** Drops it: what has not started will not be missed. CPython: `coroutine.close()`. */
  close(): void {
    if (!this.#started) this._begin();
  }

  /** @internal It starts, and can do so only once. */
  _begin(): void {
    if (this.#started) {
      throw new RuntimeError(`cannot reuse ${this.toString()}: call the function again, or share one task of it`);
    }
    this.#started = true;
    if (this.#neglect !== null) this.#neglect.settled = true;
  }

  /** @internal */
  get _isNeglected(): boolean {
    return !this.#started;
  }

  /** @internal */
  _neglect(): Neglect {
    this.#neglect ??= {
      message: `coroutine '${this.name}' was never awaited`,
      description: this.toString(),
      sourceTraceback: this.#sourceTraceback,
      settled: false,
    };
    return this.#neglect;
  }

  toString(): string {
    const made = this.#sourceTraceback?.[0];
    return `<coroutine ${this.name}()${made === undefined ? "" : ` created at ${locationOf(made)}`}>`;
  }
}
inspectAsString(Coroutine);

/** How far a {@link GeneratorCoroutine} has come. */
type Phase = typeof NEW | typeof RUNNING | typeof RETURNED | typeof RAISED;
const NEW = 0;
const RUNNING = 1;
const RETURNED = 2;
const RAISED = 3;

/** A coroutine that hands itself to the driver, which steps its generator. */
abstract class FrameCoroutine<T> extends Coroutine<T> implements Frame {
  #phase: Phase = NEW;
  #outcome: unknown = undefined;

  /** @internal The first call hands the coroutine to the driver; the second brings what came of it. */
  override next(): IteratorResult<unknown, T> {
    if (this.#phase === NEW) return { done: false, value: this };
    if (this.#phase === RAISED) throw this.#outcome;
    return { done: true, value: this.#outcome as T };
  }

  then(onFulfilled: (value: T) => unknown, onRejected: (error: unknown) => unknown): void {
    const owner = ownerOf(this, onRejected);
    if (owner !== null) this.drive(owner, onFulfilled, onRejected);
  }

  /** Runs for the async function of `owner`. */
  protected drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): void {
    this.#phase = RUNNING;
    new InlineDriver<T>(owner, this._iterator, onFulfilled, onRejected).start();
  }

  /** @internal */
  _claim(): boolean {
    if (this._isNeglected || this.#phase !== NEW) return false;
    this.#phase = RUNNING;
    return true;
  }

  /** @internal */
  _finish(value: unknown): void {
    this.#outcome = value;
    this.#phase = RETURNED;
  }

  /** @internal */
  _fail(error: unknown): void {
    this.#outcome = error;
    this.#phase = RAISED;
  }
}

/** A coroutine whose code is a generator. */
export class GeneratorCoroutine<T> extends FrameCoroutine<T> {
  readonly name: string;
  /** @internal */
  readonly _iterator: Iterator<unknown, unknown, unknown>;

  constructor(generator: Iterator<unknown, T, unknown>, name: string) {
    super();
    this.name = name;
    this._iterator = generator;
  }
}

/**
 * A coroutine that seldom waits: it makes a generator, and an async function's `await` a driver, only when it must. It
 * is for what programs do in their innermost loops, such as taking an item from a queue that has one.
 */
export abstract class AttemptCoroutine<T> extends FrameCoroutine<T> {
  #generator: CoroutineGenerator<T> | null = null;

  /** Whether {@link goOn} would have to wait now. */
  protected abstract mustWait(): boolean;
  /** Does it without waiting. */
  protected abstract goOn(): T;
  /** Waits as long as need be, and does it. */
  protected abstract waitAndGoOn(): CoroutineGenerator<T>;

  /** @internal */
  get _iterator(): CoroutineGenerator<T> {
    this.#generator ??= this.waitAndGoOn();
    return this.#generator;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    if (this.#generator !== null || this.mustWait()) return super.next();
    return { done: true, value: this.goOn() };
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): void {
    if (this.mustWait()) {
      super.drive(owner, onFulfilled, onRejected);
      return;
    }
    owner.loop._promisesDue();
    let value: T;
    try {
      value = this.goOn();
    } catch (error) {
      onRejected(error);
      return;
    }
    onFulfilled(value as never);
  }
}

/**
 * A coroutine that is one wait: a future, made when it is awaited and not before. It is for the library's simplest and
 * most frequent waits, which need no generator, no frame and no driver.
 */
export abstract class LazyFuture<T> extends Coroutine<T> {
  #future: Future<T> | null = null;

  /** Makes the future to wait for. */
  protected abstract make(loop: AbstractEventLoop): Future<T>;

  /** @internal */
  get _iterator(): Iterator<unknown, T, unknown> {
    return this;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    this.#future ??= this.make(getRunningLoop());
    return this.#future.next();
  }

  then(onFulfilled: (value: T) => unknown, onRejected: (error: unknown) => unknown): void {
    const owner = ownerOf(this, onRejected);
    if (owner !== null) this.wait(owner, onFulfilled, onRejected);
  }

  /** Waits for the async function of `owner`. */
  protected wait(owner: Owner, onFulfilled: Resolve, onRejected: Reject): void {
    this.make(owner.loop)._await(owner.execution?.scope ?? null, onFulfilled, onRejected);
  }
}

/** A {@link LazyFuture} that need not wait when it can go on at once. */
export abstract class AttemptFuture<T> extends LazyFuture<T> {
  #isWaiting: boolean = false;

  /** Whether {@link goOn} would have to wait now. */
  protected abstract mustWait(): boolean;
  /** Does it without waiting. */
  protected abstract goOn(): T;

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    if (!this.#isWaiting && !this.mustWait()) return { done: true, value: this.goOn() };
    this.#isWaiting = true;
    return super.next();
  }

  protected override wait(owner: Owner, onFulfilled: Resolve, onRejected: Reject): void {
    try {
      if (this.mustWait()) {
        super.wait(owner, onFulfilled, onRejected);
        return;
      }
      owner.loop._promisesDue();
      onFulfilled(this.goOn() as never);
    } catch (error) {
      onRejected(error);
    }
  }
}

const IN_NEXT_TURN: IteratorResult<undefined, never> = { done: false, value: undefined };

/** A coroutine that gives way for one turn: the bare `yield` of CPython's `sleep(0)`, without a future. */
export abstract class TurnCoroutine<T> extends Coroutine<T> {
  #waited: boolean = false;

  /** What the wait evaluates to. */
  protected abstract readonly result: T;

  /** @internal */
  get _iterator(): Iterator<unknown, T, unknown> {
    return this;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    if (this.#waited) return { done: true, value: this.result };
    this.#waited = true;
    return IN_NEXT_TURN;
  }

  then(onFulfilled: (value: T) => unknown, onRejected: (error: unknown) => unknown): void {
    const owner = ownerOf(this, onRejected);
    if (owner === null) return;
    new TurnWait(owner.loop, this.result, onFulfilled, onRejected).start(owner.execution?.scope ?? null);
  }
}

/** Whether `value` is a coroutine object: a {@link Coroutine} or a generator object. CPython: `asyncio.iscoroutine`. */
export function isCoroutine(value: unknown): value is Coroutine<unknown> | CoroutineGenerator<unknown> {
  if (value instanceof Coroutine) return true;
  return typeof value === "object" && value !== null && tagOf(value) === "Generator";
}

/** @internal What kind of object or function the language says `value` is. */
export function tagOf(value: object): unknown {
  return (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
}

/** Who awaits a coroutine in an async function. */
export interface Owner {
  readonly loop: AbstractEventLoop;
  readonly execution: Execution | null;
}

/** Starts `coroutine` for the async function that awaits it; without one, or the second time, refuses. */
function ownerOf(coroutine: Coroutine<unknown>, refuse: Reject): Owner | null {
  const execution = currentExecution();
  const loop = execution?.loop ?? findRunningLoop();
  try {
    coroutine._begin();
    if (loop === null || (execution !== null && execution.scope === null)) throw homelessError(coroutine, loop);
    if (loop.isClosed()) throw new RuntimeError(`Cannot await ${coroutine.toString()}: Event loop is closed`);
  } catch (error) {
    refuse(error);
    return null;
  }
  return { loop, execution };
}

function homelessError(coroutine: Coroutine<unknown>, loop: AbstractEventLoop | null): RuntimeError {
  const cure = loop === null ? "no running event loop: use asyncio.run(main)" : "no task: use loop.createTask(fn)";
  return new RuntimeError(`Cannot await ${coroutine.toString()} here: ${cure}`);
}

/**
 * An `await` of a coroutine in an async function: the coroutine runs in the same task, from `then` until the promise
 * is settled.
 */
class InlineDriver<T> extends Driver<T> implements Cancellable {
  readonly scope: WaitScope | null;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  #waitScope: WaitScope | null = null;
  #ended: boolean = false;

  constructor(owner: Owner, iterator: Iterator<unknown, unknown, unknown>, resolve: Resolve, reject: Reject) {
    const { execution } = owner;
    super(
      owner.loop,
      execution?.task ?? null,
      execution?.context ?? currentContext(),
      execution?.driver ?? null,
      iterator,
    );
    this.scope = execution?.scope ?? null;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The first step, at once; only a coroutine that then waits is registered as a wait of the async function. */
  start(): void {
    this.run();
    if (this.#ended) return;
    this.ambient = getAsyncContext()?.captureAsIs() ?? null;
    this.#waitScope = this.scope?.addWait(this) ?? null;
  }

  cancel(message?: string): boolean {
    return this.#ended ? false : this.deliverCancel(message);
  }

  abandon(): void {
    this.raised(new CancelledError("the event loop is closed"));
  }

  protected override returned(value: T): void {
    this.#leave();
    this.#resolve(value as never);
  }

  protected override raised(error: unknown): void {
    this.#leave();
    this.#reject(error);
  }

  protected override countInTask(by: number): void {
    if (this.task !== null) this.task._driver.innerRequests += by;
  }

  #leave(): void {
    this.#ended = true;
    this.countInTask(-this.ownRequests);
    this.#waitScope?.removeWait(this);
    const request = this.takeCancel();
    if (request !== null) this.scope?.driver?.inheritCancel(request.message);
    this.loop._promisesDue();
  }

  override toString(): string {
    return String(this.waitingFor ?? "<a coroutine>");
  }
}
