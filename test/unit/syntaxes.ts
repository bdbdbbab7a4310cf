/** One program in both syntaxes: written once, with `yield* wait(...)` for each `await`, and run as an async function and as a generator. */

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

const asyncFunction: Syntax =
  (program) =>
  async (...args) => {
    const steps = program(...args);
    let step = steps.next();
    while (step.done !== true) {
      let value: unknown;
      try {
        // oxlint-disable-next-line no-await-in-loop -- the program's own order
        value = await step.value;
      } catch (error) {
        step = steps.throw(error);
        continue;
      }
      step = steps.next(value);
    }
    return step.value;
  };

const generator: Syntax = (program) =>
  function* (...args) {
    const steps = program(...args);
    let step = steps.next();
    while (step.done !== true) {
      let value: unknown;
      try {
        value = yield* step.value;
      } catch (error) {
        step = steps.throw(error);
        continue;
      }
      step = steps.next(value);
    }
    return step.value;
  };

export const SYNTAXES: readonly (readonly [name: string, syntax: Syntax])[] = [
  ["an async function", asyncFunction],
  ["a generator", generator],
];
