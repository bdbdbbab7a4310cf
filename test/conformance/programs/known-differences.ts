/** The programs that are known not to do what CPython does, with the reason. @module */

import type { Program } from "./language.ts";
import type { Interpreter, Result } from "./run.ts";

/** Why some programs differ, and which. */
interface KnownDifference {
  readonly reason: string;
  appliesTo(program: Program, interpreter: Interpreter): boolean;
}

/** Two programs of the corpus `medium`, from before the recorder left such programs out. */
const CIRCLES: ReadonlySet<string> = new Set(["22-25", "22-46"]);
const OVERFLOW = /^loop: (Stack overflow|maximum recursion depth exceeded)/;

const knownDifferences: readonly KnownDifference[] = [
  {
    reason: "CPython overflows its stack on a circle of waits; here the circle is broken",
    appliesTo: ({ id, trace }) => CIRCLES.has(id) && trace.some((line) => OVERFLOW.test(line)),
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
  return knownDifferences.find((known) => known.appliesTo(program, interpreter))?.reason ?? null;
}
