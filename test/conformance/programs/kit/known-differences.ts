/** The programs that are known not to do what CPython does, with the reason. Each language names its own. @module */

import type { Interpreter, Result } from "./run.ts";
import type { Program } from "./program.ts";

/** Why some programs differ, and which. */
export interface KnownDifference {
  readonly reason: string;
  appliesTo(program: Program, interpreter: Interpreter): boolean;
}

/** Holds for the programs of every language. */
export const EAGER: KnownDifference = {
  reason:
    "the first step of an eager task ends at the first await of its async function: what is awaited begins when the " +
    "code that made the task has given way, since JavaScript has no await that begins or goes on at once",
  appliesTo: ({ eager }, { syntax }) => syntax !== "generators" && eager === true,
};

/** Holds for the programs of every language: what is left there was cancelled twenty times. */
export const GROUP_CIRCLE: KnownDifference = {
  reason:
    "CPython never ends a circle of waits through a task group, however often its tasks are cancelled: each request " +
    "comes back to the task that passes it on; here the circle is broken",
  appliesTo: (program) =>
    program.trace?.at(-1)?.startsWith("loop: deadlock") === true && JSON.stringify(program).includes('["group"'),
};

/** Why a program that did not do what CPython does is known not to; `null` if it is not, or did not even run. */
export function reasonFor({ program, difference }: Result, interpreter: Interpreter): string | null {
  if (difference?.kind !== "trace") return null;
  return interpreter.knownDifferences.find((known) => known.appliesTo(program, interpreter))?.reason ?? null;
}
