/** One program in both syntaxes: written once, with `yield* wait(...)`, or a plain `yield`, for each `await`, and run as an async function and as a generator. */

import type { Awaitable, CoroutineGenerator } from "asyncio-ts";

/** A program that waits for what it yields. */
export type Program<T> = Generator<Awaitable<unknown>, T, unknown>;

/** Makes of a program's function one of a syntax. */
export type Syntax = <A extends unknown[], T>(
  program: (...args: A) => Program<T>,
) => (...args: A) => Promise<T> | CoroutineGenerator<T>;

/** An `await`, in a program. */
export function* wait<T>(awaitable: Awaitable<T>): Program<T> {
  return (yield awaitable) as T;
}

export async function playAsAsyncFunction<T>(program: Program<T>): Promise<T> {
  let step = program.next();
  while (step.done !== true) {
    let value: unknown;
    try {
      // oxlint-disable-next-line no-await-in-loop -- the program's own order
      value = await step.value;
    } catch (error) {
      step = program.throw(error);
      continue;
    }
    step = program.next(value);
  }
  return step.value;
}

export function* playAsGenerator<T>(program: Program<T>): CoroutineGenerator<T> {
  let step = program.next();
  while (step.done !== true) {
    let value: unknown;
    try {
      value = yield* step.value;
    } catch (error) {
      step = program.throw(error);
      continue;
    }
    step = program.next(value);
  }
  return step.value;
}

const asyncFunction: Syntax =
  (program) =>
  async (...args) =>
    await playAsAsyncFunction(program(...args));

const generator: Syntax = (program) =>
  function* (...args) {
    return yield* playAsGenerator(program(...args));
  };

export const SYNTAXES: readonly (readonly [name: string, syntax: Syntax])[] = [
  ["an async function", asyncFunction],
  ["a generator", generator],
];
