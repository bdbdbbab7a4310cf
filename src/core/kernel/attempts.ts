/**
 * Coroutines without a generator, for what programs do in their innermost loops: a wait that is one future, and an
 * attempt that seldom waits at all. They need no frame, and an `await` of one needs no driver.
 *
 * @module
 */

import { FutureWait, TurnWait } from "./awaits.ts";
import type { Reject, Resolve } from "./promise-methods.ts";
import { called } from "./promise-methods.ts";
import type { KernelLoop } from "./contract.ts";
import type { CoroutineGenerator } from "./coroutines.ts";
import { Coroutine, FrameCoroutine } from "./coroutines.ts";
import type { Future, Suspension } from "./futures.ts";
import { IN_NEXT_TURN } from "./futures.ts";
import type { Owner } from "./inline-driver.ts";
import { mayGoOn, requireLoop } from "./running.ts";

/** A coroutine that is one wait: a future, made when it is awaited and not before. */
export abstract class LazyFuture<T> extends Coroutine<T> {
  #future: Future<T> | null = null;

  /** Makes the future to wait for. */
  protected abstract make(loop: KernelLoop): Future<T>;

  /** With `yield*`, the generator waits for the future itself, and this is not needed any more. */
  override [Symbol.iterator](): Iterator<Suspension, T, unknown> {
    this._begin();
    return this.make(requireLoop())[Symbol.iterator]();
  }

  /** @internal */
  get _iterator(): Iterator<unknown, T, unknown> {
    return this;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    this.#future ??= this.make(requireLoop());
    return this.#future.next();
  }

  /** @internal */
  override throw(error: unknown): never {
    this.#future?.throw(error);
    throw error;
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    return this.make(owner.loop)._await(owner.scope, onFulfilled, onRejected);
  }
}

/**
 * A coroutine that tries at once, and waits only if it must; then it tries again, or is done.
 *
 * An attempt that never waits gives way now and then all the same; see `mayGoOn`.
 */
export abstract class Attempt<T> extends Coroutine<T> {
  #waitedFor: Future<unknown> | null = null;
  #hasWaited: boolean = false;

  /** Whether {@link goOn} cannot be done now. */
  protected abstract mustWait(hasWaited: boolean): boolean;
  /** Does it, without waiting. */
  protected abstract goOn(hasWaited: boolean): T;
  /** The future to wait for before the next try. */
  protected abstract makeWait(loop: KernelLoop): Future<unknown>;

  /** @internal */
  get _iterator(): Iterator<unknown, T, unknown> {
    return this;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    if (this.#waitedFor === null) {
      if (!mayGoOn()) return IN_NEXT_TURN;
    } else {
      const result = this.#waitedFor.next();
      if (result.done !== true) return result;
      this.#waitedFor = null;
      this.#hasWaited = true;
    }
    if (!this.mustWait(this.#hasWaited)) return { done: true, value: this.goOn(this.#hasWaited) };
    this.#waitedFor = this.makeWait(requireLoop());
    return this.#waitedFor.next() as IteratorResult<unknown, never>;
  }

  /** @internal */
  override throw(error: unknown): never {
    this.#waitedFor?.throw(error);
    throw error;
  }

  /** @internal The generator that waits is closed. */
  return(value: unknown): IteratorResult<unknown, never> {
    this.#waitedFor?.return(value);
    return { done: true, value: value as never };
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    if (mayGoOn()) return this.#try(owner, onFulfilled, onRejected);
    const goOn = (): Promise<unknown> => this.#try(owner, onFulfilled, onRejected);
    return new TurnWait(owner.loop, undefined, goOn, onRejected).start(owner.scope);
  }

  #try(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    let result: T;
    try {
      if (this.mustWait(this.#hasWaited)) {
        const future = this.makeWait(owner.loop);
        this.#hasWaited = true;
        const tryAgain = (): Promise<unknown> => this.#try(owner, onFulfilled, onRejected);
        return new FutureWait(future, tryAgain, onRejected).start(owner.scope);
      }
      owner.loop._promisesDue();
      result = this.goOn(this.#hasWaited);
    } catch (error) {
      return called(onRejected, error);
    }
    return called(onFulfilled, result as never);
  }
}

/** An {@link Attempt} whose wait is more than one future: a generator, made when it must wait. */
export abstract class AttemptCoroutine<T> extends FrameCoroutine<T> {
  #generator: CoroutineGenerator<T> | null = null;

  /** Whether {@link goOn} cannot be done now. */
  protected abstract mustWait(): boolean;
  /** Does it, without waiting. */
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
    if (!mayGoOn()) return IN_NEXT_TURN;
    return { done: true, value: this.goOn() };
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    if (this.mustWait()) return super.drive(owner, onFulfilled, onRejected);
    const goOn = (): Promise<unknown> => {
      let result: T;
      try {
        owner.loop._promisesDue();
        result = this.goOn();
      } catch (error) {
        return called(onRejected, error);
      }
      return called(onFulfilled, result as never);
    };
    return mayGoOn() ? goOn() : new TurnWait(owner.loop, undefined, goOn, onRejected).start(owner.scope);
  }
}

/** A coroutine that gives way for one turn: the bare `yield` of CPython's `sleep(0)`, without a future. */
export class TurnCoroutine<T> extends Coroutine<T> {
  readonly #result: T;
  #hasWaited: boolean = false;

  /** @param result what the wait evaluates to. */
  constructor(result: T) {
    super();
    this.#result = result;
  }

  get name(): string {
    return "sleep";
  }

  /** @internal */
  get _iterator(): Iterator<unknown, T, unknown> {
    return this;
  }

  /** @internal */
  override next(): IteratorResult<unknown, T> {
    if (this.#hasWaited) return { done: true, value: this.#result };
    this.#hasWaited = true;
    return IN_NEXT_TURN;
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    return new TurnWait(owner.loop, this.#result, onFulfilled, onRejected).start(owner.scope);
  }
}
