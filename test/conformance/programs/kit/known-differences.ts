/** The programs that are known not to do what CPython does, with the reason. Each language names its own. @module */

import type { Difference, Interpreter, Result } from "./run.ts";
import type { Program } from "./program.ts";

/** The first line in which two traces differ. */
type TraceDifference = Extract<Difference, { readonly kind: "trace" }>;

/** Why some programs differ, and which. */
export interface KnownDifference {
  readonly reason: string;
  appliesTo(program: Program, interpreter: Interpreter, difference: TraceDifference): boolean;
}

/** Holds for the programs of every language. */
export const EAGER: KnownDifference = {
  reason:
    "the first step of an eager task ends at the first await of its async function: what is awaited begins when the " +
    "code that made the task has given way, since JavaScript has no await that begins or goes on at once",
  appliesTo: ({ eager }, { syntax }) => syntax === "async" && eager === true,
};

/** CPython's loop had nothing left to do, and what still ran was cancelled from outside; or not even that helped. */
const HANGS = /: watchdog$|^loop: deadlock/;

/** Holds for the programs of every language. */
export const CIRCLE_OF_GROUP: KnownDifference = {
  reason: "CPython waits for ever on a circle of waits through a group; here a child that waits for its parent goes on",
  appliesTo: (program, _interpreter, { line, got }) =>
    !HANGS.test(got) &&
    JSON.stringify(program).includes('["group",') &&
    program.trace?.slice(line - 1).some((event) => HANGS.test(event)) === true,
};

/** Why a program that did not do what CPython does is known not to; `null` if it is not, or did not even run. */
export function reasonFor({ program, difference }: Result, interpreter: Interpreter): string | null {
  if (difference?.kind !== "trace") return null;
  return (
    interpreter.knownDifferences.find((known) => known.appliesTo(program, interpreter, difference))?.reason ?? null
  );
}
