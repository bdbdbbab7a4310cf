/** Coroutine: work that starts when it is awaited, and not before. @module */

import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { inspectAsString } from "../base/format.ts";
import { captureStack, locationOf } from "../base/stack.ts";
import type { OnFinally, OnFulfilled, OnRejected, Reject, Resolve } from "./promise-methods.ts";
import { called, nativePromise } from "./promise-methods.ts";
import type { KernelLoop } from "./contract.ts";
import { currentContext } from "./contextvars.ts";
import type { Frame } from "./driver.ts";
import type { Awaitable, Future, Suspension } from "./futures.ts";
import { tagOf } from "./generators.ts";
import type { Owner } from "./inline-driver.ts";
import { InlineDriver, ScopeDriver } from "./inline-driver.ts";
import type { Neglect, Neglectable } from "./neglect.ts";
import { currentExecution, findLoop, nearestLoop, noLoop } from "./running.ts";

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
  /** What reports need of it; made when it is needed. */
  #record: Record | null = null;

  /** What reports call it. */
  abstract readonly name: string;
  /** @internal What a driver steps. */
  abstract readonly _iterator: Iterator<unknown, unknown, unknown>;

  constructor() {
    nearestLoop()?._watch(this);
  }

  /** @internal Runs it as part of the task whose async function awaits it; returns the wait, or what came of it. */
  protected abstract drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown>;

  /** As a promise's: what `await` calls. It runs as part of the task whose async function calls it. */
  then<A = T, B = never>(onFulfilled?: OnFulfilled<T, A>, onRejected?: OnRejected<B>): Promise<A | B> {
    if (typeof onFulfilled !== "function" || typeof onRejected !== "function") {
      return nativePromise<T>(this).then(onFulfilled, onRejected);
    }
    let owner: Owner;
    try {
      owner = ownerOf(this);
    } catch (error) {
      return called(onRejected, error) as Promise<A | B>;
    }
    return this.drive(owner, onFulfilled, onRejected) as Promise<A | B>;
  }

  /** As a promise's. */
  catch<B = never>(onRejected?: OnRejected<B>): Promise<T | B> {
    return nativePromise<T>(this).catch(onRejected);
  }

  /** As a promise's. */
  finally(onFinally?: OnFinally): Promise<T> {
    return nativePromise<T>(this).finally(onFinally);
  }

  get [Symbol.toStringTag](): string {
    return "Coroutine";
  }

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
    const neglect = this.#record?.neglect;
    if (neglect) neglect.settled = true;
  }

  /** @internal */
  get _isNeglected(): boolean {
    return !this.#started;
  }

  /** @internal Remembers where it was made: the loop is in debug mode. */
  _rememberMaking(): void {
    this.#record = { sourceTraceback: captureStack(DEBUG_STACK_DEPTH), neglect: null };
  }

  /** @internal */
  _neglect(): Neglect {
    this.#record ??= { sourceTraceback: null, neglect: null };
    this.#record.neglect ??= {
      message: `coroutine '${this.name}' was never awaited`,
      description: this.toString(),
      sourceTraceback: this.#record.sourceTraceback,
      settled: false,
    };
    return this.#record.neglect;
  }

  toString(): string {
    const made = this.#record?.sourceTraceback?.[0];
    return `<coroutine ${this.name}()${made === undefined ? "" : ` created at ${locationOf(made)}`}>`;
  }
}
inspectAsString("Coroutine", Coroutine);

/** What few coroutines have. */
interface Record {
  readonly sourceTraceback: readonly string[] | null;
  neglect: Neglect | null;
}

/** How far a {@link GeneratorCoroutine} has come. */
type Phase = typeof NEW | typeof HANDED | typeof RUNNING | typeof RETURNED | typeof RAISED;
const NEW = 0;
const HANDED = 1;
const RUNNING = 2;
const RETURNED = 3;
const RAISED = 4;

/** A coroutine that hands itself to the driver, which steps its generator. */
export abstract class FrameCoroutine<T> extends Coroutine<T> implements Frame {
  #phase: Phase = NEW;
  #outcome: unknown = undefined;

  /** @internal The first call hands the coroutine to the driver; the second brings what came of it. */
  override next(): IteratorResult<unknown, T> {
    if (this.#phase === NEW) {
      this.#phase = HANDED;
      return { done: false, value: this };
    }
    if (this.#phase === HANDED) throw new RuntimeError(`${this.toString()} was not awaited: write await before it`);
    if (this.#phase === RAISED) throw this.#outcome;
    return { done: true, value: this.#outcome as T };
  }

  protected override drive(owner: Owner, onFulfilled: Resolve, onRejected: Reject): Promise<unknown> {
    this.#phase = RUNNING;
    return this.makeDriver(owner, onFulfilled, onRejected).start();
  }

  protected makeDriver(owner: Owner, onFulfilled: Resolve, onRejected: Reject): InlineDriver<T> {
    return new InlineDriver(owner, this._iterator, onFulfilled, onRejected);
  }

  /** @internal */
  _claim(): boolean {
    if (this.#phase !== HANDED) return false;
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

/** A coroutine that is a scope of requests to cancel: a deadline, a group. What runs inside is asked without its caller. */
export class ScopeCoroutine<T> extends GeneratorCoroutine<T> {
  protected override makeDriver(owner: Owner, onFulfilled: Resolve, onRejected: Reject): InlineDriver<T> {
    return new ScopeDriver(owner, this._iterator, onFulfilled, onRejected);
  }
}

/** Whether `value` is a coroutine object: a {@link Coroutine} or a generator object. CPython: `asyncio.iscoroutine`. */
export function isCoroutine(value: unknown): value is Coroutine<unknown> | CoroutineGenerator<unknown> {
  if (value instanceof Coroutine) return true;
  return typeof value === "object" && value !== null && tagOf(value) === "Generator";
}

/** Starts `coroutine` for the async function that awaits it. @throws without one, or the second time. */
function ownerOf(coroutine: Coroutine<unknown>): Owner {
  const execution = currentExecution();
  const loop = execution?.loop ?? findLoop();
  coroutine._begin();
  if (loop === null || (execution !== null && execution.scope === null)) throw homelessError(coroutine, loop);
  if (loop.isClosed()) throw new RuntimeError(`Cannot await ${coroutine.toString()}: Event loop is closed`);
  return (execution ?? { loop, task: null, context: currentContext(), scope: null, driver: null }) as Owner;
}

function homelessError(coroutine: Coroutine<unknown>, loop: KernelLoop | null): RuntimeError {
  const cure = loop === null ? noLoop() : "no task: use loop.createTask(fn)";
  return new RuntimeError(`Cannot await ${coroutine.toString()} here: ${cure}`);
}
