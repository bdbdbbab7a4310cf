/** The programs that are known not to do what CPython does, with the reason. @module */

import type { Program } from "./language.ts";
import type { Difference, Interpreter, Result } from "./run.ts";

/** The first line in which two traces differ. */
type TraceDifference = Extract<Difference, { readonly kind: "trace" }>;

/** Why some programs differ, and which. */
interface KnownDifference {
  readonly reason: string;
  appliesTo(program: Program, interpreter: Interpreter, difference: TraceDifference): boolean;
}

/** Two programs of the corpus `medium`, from before the recorder left such programs out. */
const CIRCLES: ReadonlySet<string> = new Set(["22-25", "22-46"]);
const OVERFLOW = /^loop: (Stack overflow|maximum recursion depth exceeded)/;

/** CPython's loop had nothing left to do, and what still ran was cancelled from outside. */
const WATCHDOG = /: watchdog$/;

const knownDifferences: readonly KnownDifference[] = [
  {
    reason: "CPython overflows its stack on a circle of waits; here the circle is broken",
    appliesTo: ({ id, trace }) => CIRCLES.has(id) && trace.some((line) => OVERFLOW.test(line)),
  },
  {
    reason:
      "CPython waits for ever on a circle of waits through a group; here the child that waits for its parent goes on",
    appliesTo: (program, _interpreter, { expected, got }) =>
      WATCHDOG.test(expected) && !WATCHDOG.test(got) && JSON.stringify(program).includes('["group",'),
  },
  {
    reason:
      "the first step of an eager task ends at the first await of its async function: what is awaited begins when the " +
      "code that made the task has given way, since JavaScript has no await that begins or goes on at once",
    appliesTo: ({ eager }, { syntax }) => syntax === "async" && eager === true,
  },
];

/** Why a program that did not do what CPython does is known not to; `null` if it is not, or did not even run. */
export function reasonFor({ program, difference }: Result, interpreter: Interpreter): string | null {
  if (difference?.kind !== "trace") return null;
  return knownDifferences.find((known) => known.appliesTo(program, interpreter, difference))?.reason ?? null;
}
