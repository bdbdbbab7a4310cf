/**
 * Several errors as one, under Python's names; and which errors are ordinary ones, a group among them.
 *
 * @module
 */

import { keepName } from "./format.ts";
import { leavesTheLoop } from "./exceptions.ts";
import { isCancelled } from "./foreign-aborts.ts";

/** What tells the errors to select from a group: a class, several classes, or a test. */
export type ErrorCondition =
  | (abstract new (...args: never[]) => Error)
  | readonly (abstract new (...args: never[]) => Error)[]
  | ((error: unknown) => boolean);

/**
 * Several errors at once, as Python's `BaseExceptionGroup`: {@link ExceptionGroup} when all of them are ordinary
 * errors, this class when a `CancelledError`, `KeyboardInterrupt` or `SystemExit` is among them.
 */
export class BaseExceptionGroup extends AggregateError {
  /** @param errors the errors that belong together; groups may nest. At least one. */
  constructor(message: string, errors: readonly unknown[], options?: ErrorOptions) {
    if (errors.length === 0) {
      throw new RangeError("Cannot create an exception group without exceptions: received an empty list");
    }
    super(errors, message, options);
  }

  /** The errors of the group, in the order they were given. */
  get exceptions(): readonly unknown[] {
    return this.errors as readonly unknown[];
  }

  /** A group of the same message with other errors; override it to keep a subclass through `split` and `subgroup`. */
  derive(errors: readonly unknown[]): BaseExceptionGroup {
    return exceptionGroup(this.message, errors);
  }

  /** The part of the group whose errors fit `condition`, its nesting kept, or `null` when none does. */
  subgroup(condition: ErrorCondition): BaseExceptionGroup | null {
    return this.split(condition)[0];
  }

  /**
   * The errors that fit `condition` and those that do not, each as a group with the nesting kept, or `null`.
   *
   * ```ts
   * const group = new asyncio.ExceptionGroup("two", [new TypeError("a"), new RangeError("b")]);
   * const [types, rest] = group.split(TypeError);
   * assert.equal(types?.exceptions.length, 1);
   * assert.equal(rest?.exceptions.length, 1);
   * ```
   */
  split(condition: ErrorCondition): [BaseExceptionGroup | null, BaseExceptionGroup | null] {
    const fits = toPredicate(condition);
    if (fits(this)) return [this, null];
    const matching: unknown[] = [];
    const others: unknown[] = [];
    for (const error of this.exceptions) {
      if (error instanceof BaseExceptionGroup) {
        const [match, rest] = error.split(condition);
        if (match !== null) matching.push(match);
        if (rest !== null) others.push(rest);
      } else {
        (fits(error) ? matching : others).push(error);
      }
    }
    return [this.#part(matching), this.#part(others)];
  }

  #part(errors: readonly unknown[]): BaseExceptionGroup | null {
    if (errors.length === 0) return null;
    const part = this.derive(errors);
    if (this.stack !== undefined) part.stack = this.stack;
    return part;
  }
}

/**
 * Several ordinary errors at once: what a task group raises when children failed. An `AggregateError` with Python's
 * `split` and `subgroup`.
 *
 * CPython: `ExceptionGroup`.
 */
export class ExceptionGroup extends BaseExceptionGroup {
  constructor(message: string, errors: readonly unknown[], options?: ErrorOptions) {
    super(message, errors, options);
    const control = errors.find((error) => !isException(error));
    if (control !== undefined) {
      throw new TypeError(`Cannot nest ${String(control)} in an ExceptionGroup: use BaseExceptionGroup`);
    }
  }
}

for (const [name, type] of Object.entries({ BaseExceptionGroup, ExceptionGroup })) {
  keepName(name, type);
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
}

/** An {@link ExceptionGroup} where all errors are ordinary ones, else a {@link BaseExceptionGroup}. */
export function exceptionGroup(message: string, errors: readonly unknown[]): BaseExceptionGroup {
  const Group = errors.every(isException) ? ExceptionGroup : BaseExceptionGroup;
  return new Group(message, errors);
}

/**
 * Begin every catch-all with this: it throws on what must not be swallowed, and returns for an ordinary error.
 *
 * JavaScript's `catch` catches everything; Python's `except Exception` lets the request to cancel pass. This is the
 * difference in one call: `CancelledError`, what foreign code made of it (an `AbortError` whose cause it is),
 * `KeyboardInterrupt` and `SystemExit` are thrown again.
 *
 * ```ts
 * async function poll(url: string) {
 *   try {
 *     return await fetchOnce(url);
 *   } catch (error) {
 *     asyncio.rethrowIfCancelled(error);
 *     return null; // an ordinary error: try again later
 *   }
 * }
 * async function fetchOnce(url: string): Promise<string> {
 *   throw new Error(`no route to ${url}`);
 * }
 * assert.equal(await asyncio.run(() => poll("example")), null);
 * ```
 */
export function rethrowIfCancelled(error: unknown): void {
  if (!isException(error)) throw error;
}

/** Whether Python's `except Exception` would catch it: everything but cancellation, Ctrl-C and exit. */
export function isException(error: unknown): boolean {
  if (error instanceof BaseExceptionGroup) return error instanceof ExceptionGroup;
  return !isCancelled(error) && !leavesTheLoop(error);
}

function toPredicate(condition: ErrorCondition): (error: unknown) => boolean {
  if (Array.isArray(condition)) {
    const types = condition as readonly (new () => Error)[];
    return (error) => types.some((type) => error instanceof type);
  }
  const isClass = condition === Error || (condition as { prototype?: unknown }).prototype instanceof Error;
  if (isClass) return (error) => error instanceof (condition as new () => Error);
  return condition as (error: unknown) => boolean;
}
