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

import { functionName, repr } from "../base/format.ts";
import { FutureWait, WaitSet } from "./awaits.ts";
import { handDown } from "./cancellation.ts";
import type { Cancellable, Execution, KernelLoop, Wait, WaitScope } from "./contract.ts";
import type { Body, Coroutine, CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
import { GeneratorCoroutine, isCoroutine } from "./coroutines.ts";
import type { Driver } from "./driver.ts";
import { Call, currentDriver } from "./driver.ts";
import type { Suspension } from "./futures.ts";
import { isFuture } from "./futures.ts";
import { claimed, GeneratorCall, isGeneratorFunction, isGeneratorObject } from "./generators.ts";
import { mayGoOn, runAs } from "./running.ts";

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
    const generator = isGeneratorBody ? fn.apply(this, args) : callLazily(fn, this, args);
    return new GeneratorCoroutine(generator as Iterator<unknown, ResultOf<R>, unknown>, name);
  };
  return Object.defineProperty(make, "name", { value: name });
}

function callLazily<This, A extends unknown[]>(fn: (this: This, ...args: A) => unknown, self: This, args: A): unknown {
  type Plain = (...args: A) => ReturnType<Body<unknown>>;
  return self === undefined ? new AsyncCall(fn as Plain, args) : new AsyncCall(() => fn.apply(self, args) as never, []);
}

/**
 * @internal What `createTask` and `run` drive, of whatever they were given.
 *
 * @throws {TypeError} for a promise, which has started already and has no owner, and for anything else.
 */
export function toCoroutine<T>(work: CoroutineLike<T>, caller: string): Coroutine<T> | CoroutineGenerator<T> {
  if (isCoroutine(work)) return work;
  if (typeof work === "function") return new GeneratorCoroutine<T>(rootOf(work), functionName(work));
  throw new TypeError(`Cannot start ${describe(work)} with ${caller}: ${cureFor(work, caller)}`);
}

/** @internal What a task drives for `fn`, of either syntax. */
export function rootOf<T>(fn: Body<T>): CoroutineGenerator<T> {
  return isGeneratorFunction(fn) ? (fn() as CoroutineGenerator<T>) : callBody(fn);
}

/** @throws {TypeError} if `body` is no function, as where Python has a block: the error says what to write in `call`. */
export function checkBody(body: unknown, call: string): void {
  if (typeof body === "function") return;
  throw new TypeError(`The body is a function, ${call}: received ${repr(body)}`);
}

/** Runs `body`, of either syntax, as a part of the coroutine that delegates to what this returns. */
export function callBody<A extends unknown[], T>(
  body: (...args: A) => ReturnType<Body<T>>,
  ...args: A
): CoroutineGenerator<T> {
  if (!isGeneratorFunction(body)) return new AsyncCall(body, args) as unknown as CoroutineGenerator<T>;
  const generator = body(...args) as CoroutineGenerator<T>;
  return isGeneratorObject(generator) ? (new GeneratorCall(generator) as unknown as CoroutineGenerator<T>) : generator;
}

/**
 * How far a call has come: not made; made, with its promise pending; for the rest what its result, which is no promise,
 * does; ended.
 */
type State<A, T> =
  | { readonly kind: "new"; readonly args: A }
  | typeof PENDING
  | { readonly kind: "delegated"; readonly to: Iterator<Suspension, T, unknown> }
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown };
const PENDING = { kind: "pending" } as const;

/**
 * The call of an async function, or of one that returns an awaitable. It is made when the coroutine takes its first step.
 *
 * It is the scope in which the function's waits are, and itself what the driver waits for: when the promise is settled,
 * the driver is stepped at once, in the turn in which the function ended, as a generator's end would be. (Refused: an
 * iterator, a scope and a future of their own, three objects for each call.)
 */
class AsyncCall<A extends unknown[], T> extends Call implements Iterator<Suspension, T, unknown>, Execution, WaitScope {
  readonly #body: (...args: A) => ReturnType<Body<T>>;
  #state: State<A, T>;
  #driver: Driver<unknown> | null = null;
  /** What the function waits for now: nearly always one, which then lies here itself. */
  #waits: Wait | Several | null = null;

  constructor(body: (...args: A) => ReturnType<Body<T>>, args: A) {
    super();
    this.#body = body;
    this.#state = { kind: "new", args };
  }

  // --- what the driver steps

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Suspension, T> {
    const state = this.#state;
    switch (state.kind) {
      case "new":
        return this.#call(state.args);
      case "delegated":
        return state.to.next();
      case "returned":
        return { done: true, value: state.value };
      case "threw":
        throw state.error;
      default:
        return { done: false, value: this as never };
    }
  }

  throw(error: unknown): IteratorResult<Suspension, T> {
    if (this.#state.kind !== "delegated") throw error;
    return this.#state.to.throw!(error);
  }

  return(value: T): IteratorResult<Suspension, T> {
    const to = this.#state.kind === "delegated" ? this.#state.to : null;
    return to?.return?.(value) ?? { done: true, value };
  }

  #call(args: A): IteratorResult<Suspension, T> {
    const driver = currentDriver("An async function runs as a coroutine only inside of a task");
    this.#driver = driver;
    this.#state = PENDING;
    let result: ReturnType<Body<T>>;
    try {
      result = driver._isRoot(this) ? this.#body(...args) : runAs(this, () => this.#body(...args));
    } catch (error) {
      this.#end({ kind: "threw", error });
      throw error;
    }
    if (result instanceof Promise) return this.#until(result as Promise<T>);
    if (isCoroutine(result) || isFuture(result)) {
      const iterator = result[Symbol.iterator]();
      const to = this.loop.getDebug() && isGeneratorObject(iterator) ? claimed(iterator) : iterator;
      this.#end({ kind: "delegated", to: to as Iterator<Suspension, T, unknown> });
      return this.next();
    }
    // What is foreign may settle twice or throw; a promise does neither.
    if (isThenable(result)) return this.#until(Promise.resolve(result) as Promise<T>);
    const error = new TypeError(
      `Cannot run ${functionName(this.#body)}() as a coroutine: it returned ${repr(result)}, no awaitable`,
    );
    this.#end({ kind: "threw", error });
    throw error;
  }

  #until(promise: Promise<T>): IteratorResult<Suspension, T> {
    promise.then(
      (value: T) => this.#settled({ kind: "returned", value }),
      (error: unknown) => this.#settled({ kind: "threw", error }),
    );
    this.loop._countAsyncFunctions(1);
    this.loop._promisesDue();
    return this.next();
  }

  #settled(end: State<A, T>): void {
    const { loop } = this;
    loop._countAsyncFunctions(-1);
    this.#end(end);
    if (!loop.isRunning() || !mayGoOn()) {
      this.driver._giveWay();
      return;
    }
    try {
      this.driver.run();
    } catch (error) {
      loop._leave(error);
    }
  }

  /** The function has ended: what is awaited from here on belongs to the outer scope. */
  #end(end: State<A, T>): void {
    this.#state = end;
    if (this.#waits !== null) this.#several().moveTo(this.#outer);
  }

  // --- what the function runs as

  get driver(): Driver<unknown> {
    return this.#driver!;
  }

  get task(): object | null {
    return this.#driver!.task;
  }

  get origin(): Execution {
    return this.#driver!.origin;
  }

  get context(): object {
    return this.#driver!.origin.context;
  }

  get loop(): KernelLoop {
    return this.#driver!.loop;
  }

  get scope(): this {
    return this;
  }

  addWait(wait: Wait): WaitScope {
    if (this.#state !== PENDING) return this.#outer.addWait(wait);
    if (this.#waits === null) this.#waits = wait;
    else this.#several().add(wait);
    handDown(this.driver, wait);
    return this;
  }

  removeWait(wait: Wait): void {
    if (this.#waits === wait) this.#waits = null;
    else if (this.#waits instanceof Several) this.#waits.delete(wait);
  }

  /** Where waits belong that begin after the function's end. */
  get #outer(): WaitScope {
    const driver = this.#driver!;
    return (driver._isRoot(this) ? (driver as unknown as WaitScope) : driver.scope) ?? this.loop._orphans;
  }

  #several(): Several {
    if (this.#waits instanceof Several) return this.#waits;
    const several = new Several();
    if (this.#waits !== null) several.add(this.#waits);
    this.#waits = several;
    return several;
  }

  // --- what the driver waits for

  override done(): boolean {
    return this.#state.kind === "returned" || this.#state.kind === "threw";
  }

  get _onlyWait(): Cancellable | null {
    return this.#waits instanceof Several ? null : this.#waits;
  }

  override get _branches(): Iterable<Cancellable> {
    if (this.#waits instanceof Several) return this.#waits;
    return this.#waits === null ? [] : [this.#waits];
  }

  /** A task that waits for its async function is shown to wait for what that waits for. */
  override toString(): string {
    const waits = [...this._branches].map((wait) => String(wait instanceof FutureWait ? wait._waitingFor : wait));
    return waits.length === 0 ? "<a promise>" : waits.join(" and ");
  }
}

/** The waits of a call that has more than one. (A wait may itself be a set, which a call that ended has left behind.) */
class Several extends WaitSet {}

function describe(work: unknown): string {
  return isPromise(work) ? "a promise" : repr(work);
}

/** Whether it is a promise, of another realm too, or another library's; and none of ours. */
function isPromise(work: unknown): boolean {
  return work instanceof Promise || (isThenable(work) && !isFuture(work));
}

function cureFor(work: unknown, caller: string): string {
  if (isPromise(work)) return `it runs already and has no owner; pass the function: ${caller}(() => work())`;
  if (isFuture(work)) return "it is a future; use ensureFuture(future), or await it";
  return "a coroutine or a function was expected";
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
