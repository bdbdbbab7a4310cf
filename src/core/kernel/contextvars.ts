/** Context variables: values that belong to a task and travel with it. Python's `contextvars`. @module */

import { currentExecution, runAs } from "./running.ts";

type Values = Map<ContextVar<unknown>, unknown>;

const MISSING = Symbol("missing");

/** What a variable was before a `set`, to be given to `reset`. */
export class Token<T> {
  /** @internal */
  _used: boolean = false;
  /** @internal */
  readonly _context: Context;
  /** The variable that was set. */
  readonly var: ContextVar<T>;
  /** @internal */
  readonly _old: unknown;

  /** @internal */
  constructor(context: Context, variable: ContextVar<T>, old: unknown) {
    this._context = context;
    this.var = variable;
    this._old = old;
  }

  /** The value before the `set`; `undefined` when there was none. */
  get oldValue(): T | undefined {
    return this._old === MISSING ? undefined : (this._old as T);
  }
}

/**
 * The values of the context variables at one place of the program. Each task has a copy of its own, made when the task
 * is; copying is O(1), however many variables there are.
 *
 * CPython: `contextvars.Context`.
 */
export class Context {
  #values: Values;
  /** Another context reads the same map: copy it before the next write. */
  #shared: boolean;
  #entered: boolean = false;

  /** An empty context. Most programs want {@link copyContext}. */
  constructor() {
    this.#values = EMPTY;
    this.#shared = true;
  }

  /** A context with the same values, which go separate ways from here on. */
  copy(): Context {
    const copy = new Context();
    copy.#values = this.#values;
    this.#shared = true;
    return copy;
  }

  /**
   * Calls `fn(...args)` in this context: what it sets stays here. If `fn` is async, so does what it sets later.
   *
   * ```ts
   * const user = new asyncio.ContextVar<string>("user");
   * const context = asyncio.copyContext();
   * context.run(() => user.set("Ada"));
   * assert.equal(context.get(user), "Ada");
   * assert.equal(user.get("nobody"), "nobody");
   * ```
   *
   * @throws {RangeError} if the context is entered already, as it is inside of `fn`.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    if (this.#entered) throw new RangeError("Cannot enter context: it is already entered; run a copy() of it");
    this.#entered = true;
    const outer = currentExecution();
    const execution = {
      loop: outer?.loop ?? null,
      task: outer?.task ?? null,
      scope: outer?.scope ?? null,
      driver: outer?.driver ?? null,
      context: this,
    };
    try {
      return runAs(execution, () => fn(...args));
    } finally {
      this.#entered = false;
    }
  }

  /** The value of `variable` in this context, or `undefined`. */
  get<T>(variable: ContextVar<T>): T | undefined {
    return this.#values.get(variable) as T | undefined;
  }

  has<T>(variable: ContextVar<T>): boolean {
    return this.#values.has(variable);
  }

  get size(): number {
    return this.#values.size;
  }

  [Symbol.iterator](): Iterator<[ContextVar<unknown>, unknown]> {
    return this.#values[Symbol.iterator]();
  }

  /** @internal */
  _lookup(variable: ContextVar<unknown>): unknown {
    const value = this.#values.get(variable);
    return value === undefined && !this.#values.has(variable) ? MISSING : value;
  }

  /** @internal */
  _assign(variable: ContextVar<unknown>, value: unknown): void {
    if (this.#shared) {
      this.#values = new Map(this.#values);
      this.#shared = false;
    }
    if (value === MISSING) this.#values.delete(variable);
    else this.#values.set(variable, value);
  }
}

const EMPTY: Values = new Map();

/** The context of code that runs outside of any loop. */
const rootContext = new Context();

/**
 * A variable with a value for each task. A task starts with the values of the code that made it, and what it sets,
 * nobody else sees.
 *
 * ```ts
 * const request = new asyncio.ContextVar<number>("request");
 * async function handle(id: number) {
 *   request.set(id);
 *   await asyncio.sleep(0);
 *   return request.get();
 * }
 * const ids = await asyncio.run(async () => {
 *   const tasks = [1, 2].map((id) => asyncio.createTask(() => handle(id)));
 *   return await asyncio.gather(tasks);
 * });
 * assert.deepEqual(ids, [1, 2]);
 * ```
 *
 * CPython: `contextvars.ContextVar`.
 */
export class ContextVar<T> {
  readonly name: string;
  readonly #default: unknown;

  constructor(name: string, options?: { readonly default: T }) {
    this.name = name;
    this.#default = options === undefined ? MISSING : options.default;
  }

  /**
   * The value in the current context; else `fallback`; else the variable's default.
   *
   * @throws {ReferenceError} if there is none of them. CPython: `LookupError`.
   */
  get(): T;
  get<U>(fallback: U): T | U;
  get(...fallback: unknown[]): unknown {
    const value = currentContext()._lookup(this);
    if (value !== MISSING) return value;
    if (fallback.length > 0) return fallback[0];
    if (this.#default !== MISSING) return this.#default;
    throw new ReferenceError(`Context variable '${this.name}' has no value and no default`);
  }

  /** Sets the value in the current context. Give the token to `reset` to take it back. */
  set(value: T): Token<T> {
    const context = currentContext();
    const token = new Token<T>(context, this, context._lookup(this));
    context._assign(this, value);
    return token;
  }

  /**
   * Puts back what was before the `set` that returned `token`.
   *
   * @throws {RangeError} if the token was used before, or belongs to another variable or another context.
   */
  reset(token: Token<T>): void {
    if (token._used) throw new RangeError(`Token of '${this.name}' has already been used once`);
    if (token.var !== this)
      throw new RangeError(`Token of '${token.var.name}' given to context variable '${this.name}'`);
    const context = currentContext();
    if (token._context !== context) throw new RangeError(`Token of '${this.name}' was made in a different Context`);
    token._used = true;
    context._assign(this, token._old);
  }

  toString(): string {
    return `<ContextVar name='${this.name}'>`;
  }
}

/** A copy of the current context. CPython: `contextvars.copy_context`. */
export function copyContext(): Context {
  return currentContext().copy();
}

/** @internal The context of the code that runs now, itself and not a copy. */
export function currentContext(): Context {
  return currentExecution()?.context ?? rootContext;
}
