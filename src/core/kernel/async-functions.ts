/**
 * Async functions as coroutines.
 *
 * The kernel knows only generators. An async function becomes one by an adapter: a generator that calls the function
 * inside a *scope*, which the platform's async context carries to every `await` in it, and then waits for its promise.
 * An `await` of one of our awaitables calls its `then`; that finds the scope and registers the wait. Cancelling the
 * task cancels the waits registered, of which there may be several (`Promise.all`), and the adapter goes on waiting:
 * the function may catch the cancellation, clean up with more awaits, and finish when it likes.
 *
 * Each adapter has a scope of its own, so that a deadline around one async function cancels what was awaited inside of
 * it and never what its caller does beside it.
 *
 * @module
 */

import type { Context } from "./contextvars.ts";
import type { Body, Coroutine, CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
import { GeneratorCoroutine, isCoroutine, tagOf } from "./coroutines.ts";
import type { Driver } from "./driver.ts";
import { currentDriver } from "./driver.ts";
import type { Runnable } from "./events.ts";
import { functionName, repr } from "../base/format.ts";
import type { Suspension } from "./futures.ts";
import { Future, isFuture } from "./futures.ts";
import type { Cancellable, Execution, WaitScope } from "./running.ts";
import { runAs } from "./running.ts";
import type { Task } from "./tasks.ts";
import { FutureWait, WaitSet } from "./awaits.ts";

/** What an awaitable, a promise or a generator evaluates to. */
export type ResultOf<A> = A extends Generator<infer _Y, infer T, infer _N> ? T : Awaited<A>;

/**
 * Makes a function's calls lazy, as Python's `async def` does: a call returns a {@link Coroutine}, and nothing runs
 * until it is awaited or a task is made of it.
 *
 * Wrap an async function to pass calls of it around; wrap a generator function to let `await` take it, and to make deep
 * chains of calls cost no more than shallow ones.
 *
 * ```ts
 * const worker = asyncio.coroutine(async (name: string, delay: number) => {
 *   await asyncio.sleep(delay);
 *   return name;
 * });
 * await asyncio.run(async () => {
 *   const task = asyncio.createTask(worker("a", 0.002)); // a call, and yet not started
 *   assert.equal(await worker("b", 0.001), "b");
 *   assert.equal(await task, "a");
 * });
 * ```
 */
export function coroutine<This, A extends unknown[], R>(
  fn: (this: This, ...args: A) => R,
): (this: This, ...args: A) => Coroutine<ResultOf<R>> {
  const name = functionName(fn);
  const isGeneratorBody = isGeneratorFunction(fn);
  const make = function (this: This, ...args: A): Coroutine<ResultOf<R>> {
    const generator = isGeneratorBody ? fn.apply(this, args) : callBody(() => fn.apply(this, args) as never);
    return new GeneratorCoroutine(generator as Iterator<unknown, ResultOf<R>, unknown>, name);
  };
  return Object.defineProperty(make, "name", { value: name });
}

/**
 * @internal What `createTask` and `run` drive, of whatever they were given.
 *
 * @throws {TypeError} for a promise, which has started already and has no owner, and for anything else.
 */
export function toCoroutine<T>(work: CoroutineLike<T>, caller: string): Coroutine<T> | CoroutineGenerator<T> {
  if (isCoroutine(work)) return work;
  if (typeof work === "function") {
    const generator = isGeneratorFunction(work) ? (work as () => CoroutineGenerator<T>)() : callBody(work);
    return new GeneratorCoroutine<T>(generator, functionName(work));
  }
  throw new TypeError(`Cannot start ${describe(work)} with ${caller}: ${cureFor(work, caller)}`);
}

/** Runs `body`, of either syntax, as a part of the coroutine that delegates to what this returns. */
export function callBody<A extends unknown[], T>(
  body: (...args: A) => ReturnType<Body<T>>,
  ...args: A
): CoroutineGenerator<T> {
  const call = isGeneratorFunction(body) ? body(...args) : new BodyCall(body, args);
  return call as unknown as CoroutineGenerator<T>;
}

/** A call of an async function, or of one that returns an awaitable: it is made when the coroutine takes its first step. */
class BodyCall<A extends unknown[], T> implements Iterator<Suspension, T, unknown> {
  readonly #body: (...args: A) => ReturnType<Body<T>>;
  readonly #args: A;
  /** What the call returned; the rest of the coroutine is to wait for it. */
  #result: Iterator<Suspension, T, unknown> | null = null;

  constructor(body: (...args: A) => ReturnType<Body<T>>, args: A) {
    this.#body = body;
    this.#args = args;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Suspension, T> {
    this.#result ??= this.#call();
    return this.#result.next();
  }

  throw(error: unknown): IteratorResult<Suspension, T> {
    if (this.#result === null) throw error;
    return this.#result.throw!(error);
  }

  return(value: T): IteratorResult<Suspension, T> {
    return this.#result?.return?.(value) ?? { done: true, value };
  }

  #call(): Iterator<Suspension, T, unknown> {
    const scope = new AsyncScope<T>(currentDriver("An async function runs as a coroutine only inside of a task"));
    let result: ReturnType<Body<T>>;
    try {
      result = runAs(scope, () => this.#body(...this.#args));
    } catch (error) {
      scope.end();
      throw error;
    }
    if (isPromise(result)) return scope.until(result);
    if (isCoroutine(result) || isFuture(result)) {
      scope.end();
      return result[Symbol.iterator]();
    }
    if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
      // It is somebody else's, and may settle twice or throw; a promise does neither.
      return scope.until(Promise.resolve(result));
    }
    scope.end();
    throw new TypeError(
      `Cannot run ${functionName(this.#body)}() as a coroutine: it returned ${repr(result)}, no awaitable`,
    );
  }
}

/**
 * The waits of one async function, and the future of its promise. The driver waits for this future; when the promise is
 * settled the driver is stepped at once, in the same turn in which the function ended, as a generator's end would be.
 */
class AsyncScope<T> extends Future<T> implements Execution, WaitScope {
  readonly task: Task<unknown> | null;
  readonly context: Context;
  readonly driver: Driver<unknown>;
  readonly #outer: WaitScope | null;
  readonly #waits: WaitSet = new WaitSet();
  #ended: boolean = false;

  constructor(driver: Driver<unknown>) {
    super({ loop: driver.loop });
    this.task = driver.task;
    this.context = driver.context;
    this.driver = driver;
    this.#outer = driver.scope;
    this._loop._countAsyncFunctions(1);
  }

  get loop(): WaitScope["loop"] {
    return this._loop;
  }

  get scope(): this {
    return this;
  }

  /** The promise is settled: what is awaited from here on belongs to the outer scope. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waits.moveTo(this.#outer ?? this._loop._orphans);
    this._loop._countAsyncFunctions(-1);
  }

  /** Waits for the async function's promise. */
  until(promise: Promise<T>): Iterator<Suspension, T, unknown> {
    promise.then(
      (value: T) => {
        this.end();
        this.setResult(value);
      },
      (error: unknown) => {
        this.end();
        this._fail(error);
      },
    );
    this._loop._promisesDue();
    return this[Symbol.iterator]();
  }

  addWait(wait: Cancellable): WaitScope {
    if (this.#ended) return (this.#outer ?? this._loop._orphans).addWait(wait);
    this.#waits.add(wait);
    this.driver.deliverTo(wait);
    return this;
  }

  removeWait(wait: Cancellable): void {
    this.#waits.delete(wait);
  }

  /** A task that waits for its async function is shown to wait for what that waits for. */
  override toString(): string {
    const waits = [...this.#waits].map((wait) => String(wait instanceof FutureWait ? wait.future : wait));
    return waits.length === 0 ? "<a promise>" : waits.join(" and ");
  }

  /** @internal What the async function waits for now. */
  get _waits(): WaitSet {
    return this.#waits;
  }

  /** Cancels what the function waits for; with nothing to cancel, the driver keeps the request for the next wait. */
  override cancel(message?: string): boolean {
    return this.#waits.cancel(message);
  }

  override forgetCancel(): void {
    this.#waits.forgetCancel();
  }

  /** The end of the function is no wait of its code: a request to cancel that comes too late stays with the driver. */
  override get _interruptible(): boolean {
    return false;
  }

  override _wake(waiter: Runnable): void {
    if (!this._loop.isRunning()) {
      super._wake(waiter);
      return;
    }
    try {
      waiter.run();
    } catch (error) {
      this._loop._leave(error);
    }
  }
}

/** @internal */
export function waitsOf(future: Future<unknown>): WaitSet | null {
  return future instanceof AsyncScope ? future._waits : null;
}

/** What generator functions of this realm inherit from; those of another are known by their tag. */
const GENERATOR_FUNCTION: unknown = Object.getPrototypeOf(function* () {});

function isGeneratorFunction(fn: object): boolean {
  return Object.getPrototypeOf(fn) === GENERATOR_FUNCTION || tagOf(fn) === "GeneratorFunction";
}

function describe(work: unknown): string {
  return isPromise(work) ? "a promise" : repr(work);
}

function cureFor(work: unknown, caller: string): string {
  if (isPromise(work)) return `it runs already and has no owner; pass the function: ${caller}(() => work())`;
  if (isFuture(work)) return "it is a future; use ensureFuture(future), or await it";
  return "a coroutine or a function was expected";
}

function isPromise(value: unknown): value is Promise<never> {
  return value instanceof Promise;
}
