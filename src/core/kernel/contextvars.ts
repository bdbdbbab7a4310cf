/** Context variables: values that belong to a task and travel with it. Python's `contextvars`. @module */

import { repr } from "../base/format.ts";
import { PersistentMap } from "../base/persistent-map.ts";
import { currentExecution, runAs } from "./running.ts";

/** A variable and its value in one context. */
interface Setting {
  readonly variable: ContextVar<unknown>;
  readonly value: unknown;
}

/** @internal What a context holds, by the variables' serial numbers. Contexts share it until one of them is written. */
export type Settings = PersistentMap<Setting>;

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
 * is; copying costs nothing, and a change the same however many variables there are.
 *
 * CPython: `contextvars.Context`.
 */
export class Context {
  #settings: Settings = PersistentMap.empty();
  #entered: boolean = false;

  /** @internal A context of `settings`. */
  static _of(settings: Settings): Context {
    const context = new Context();
    context.#settings = settings;
    return context;
  }

  /** A context with the same values, which go separate ways from here on. */
  copy(): Context {
    return Context._of(this.#settings);
  }

  /** @internal What it holds now, for a copy that may be made later. */
  get _settings(): Settings {
    return this.#settings;
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
   * @throws {RangeError} if the context is entered already, as it is inside of `fn`, and in a callback or a task that runs in it.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const outer = currentExecution();
    if (this.#entered || outer?.context === this) {
      throw new RangeError("Cannot enter context: it is already entered; run a copy() of it");
    }
    this._enter();
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
      this._leave();
    }
  }

  /** @internal A callback runs in it, or code in `run`: it cannot be entered again meanwhile. */
  _enter(): void {
    this.#entered = true;
  }

  /** @internal */
  _leave(): void {
    this.#entered = false;
  }

  /** The value of `variable` in this context, or `undefined`. */
  get<T>(variable: ContextVar<T>): T | undefined {
    return this.#settings.get(variable._serial)?.value as T | undefined;
  }

  has<T>(variable: ContextVar<T>): boolean {
    return this.#settings.get(variable._serial) !== undefined;
  }

  get size(): number {
    return this.#settings.size;
  }

  *[Symbol.iterator](): Iterator<[ContextVar<unknown>, unknown]> {
    for (const { variable, value } of this.#settings) yield [variable, value];
  }

  /** @internal */
  _lookup(variable: ContextVar<unknown>): unknown {
    const setting = this.#settings.get(variable._serial);
    return setting === undefined ? MISSING : setting.value;
  }

  /** @internal */
  _assign(variable: ContextVar<unknown>, value: unknown): void {
    this.#settings = this.#settings.with(variable._serial, value === MISSING ? undefined : { variable, value });
  }
}

let variablesMade = 0;

/** The context of code that runs outside of any loop. */
const rootContext = new Context();

/**
 * A variable with a value for each task. A task starts with the values of the code that made it, and what it sets,
 * other tasks do not see.
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
  /** @internal */
  readonly _serial: number = variablesMade++;
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

/** `context`, if one was given. @throws {TypeError} for what is none: found later, it would break a callback. */
export function checkedContext(context: Context | null | undefined): Context | null | undefined {
  if (context === undefined || context === null || context instanceof Context) return context;
  throw new TypeError(`A Context is required as context, such as copyContext(): received ${repr(context)}`);
}

/** A copy of the current context. CPython: `contextvars.copy_context`. */
export function copyContext(): Context {
  return currentContext().copy();
}

/** @internal The context of the code that runs now, itself and not a copy. */
export function currentContext(): Context {
  return (currentExecution()?.context as Context | undefined) ?? rootContext;
}
