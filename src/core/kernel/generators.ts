/**
 * Generator objects and functions: what they are, and how they are resumed.
 *
 * V8 gives the objects of each closure of a generator function a hidden class of their own. To look `next` up on one
 * costs hundreds of nanoseconds where functions are written in place, as bodies of deadlines and groups are; to call the
 * prototype's own `next` costs nothing.
 *
 * @module
 */

import { RuntimeError } from "../base/exceptions.ts";

type Result = IteratorResult<unknown, unknown>;

/** What generator functions of this realm inherit from; those of another are known by their tag. */
const GENERATOR_FUNCTION = Object.getPrototypeOf(function* () {}) as { readonly prototype: Generator };
const { prototype } = GENERATOR_FUNCTION;
const next = prototype.next as (this: unknown) => Result;
const raise = prototype.throw as (this: unknown, error: unknown) => Result;
const close = prototype.return as (this: unknown, value: unknown) => Result;

export function isGeneratorFunction(fn: object): boolean {
  return Object.getPrototypeOf(fn) === GENERATOR_FUNCTION || tagOf(fn) === "GeneratorFunction";
}

/** Whether `iterator` is the object of a generator function of this realm, with nothing added to it. */
export function isGeneratorObject(iterator: object): boolean {
  const own: object | null = Object.getPrototypeOf(iterator) as object | null;
  return own !== null && Object.getPrototypeOf(own) === prototype;
}

/** What kind of object or function the language says `value` is. */
export function tagOf(value: object): unknown {
  return (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
}

/** `generator.next()`, for what {@link isGeneratorObject} has found to be one. */
export function resumeGenerator(generator: object): Result {
  return next.call(generator);
}

/** `generator.throw(error)`. */
export function throwIntoGenerator(generator: object, error: unknown): Result {
  return raise.call(generator, error);
}

/** The generator objects that tasks drive, or have driven; in debug mode, since it costs a microsecond for each. */
const driven: WeakSet<object> = new WeakSet();

/** `generator`, or, if another task drives it, what fails at once: the two would run interleaved. */
export function claimed<T>(generator: Iterator<unknown, T, unknown>): Iterator<unknown, T, unknown> {
  if (driven.has(generator)) return new Refusal();
  driven.add(generator);
  return generator;
}

class Refusal implements Iterator<never, never, unknown> {
  next(): never {
    throw new RuntimeError("cannot reuse a generator object that another task runs: call the function again");
  }
}

/** A generator object that is delegated to with `yield*`, in a shape that all of them share. */
export class GeneratorCall<T> implements Iterator<unknown, T, unknown> {
  readonly #generator: object;

  constructor(generator: object) {
    this.#generator = generator;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<unknown, T> {
    return next.call(this.#generator) as IteratorResult<unknown, T>;
  }

  throw(error: unknown): IteratorResult<unknown, T> {
    return raise.call(this.#generator, error) as IteratorResult<unknown, T>;
  }

  return(value: unknown): IteratorResult<unknown, T> {
    return close.call(this.#generator, value) as IteratorResult<unknown, T>;
  }
}
