/** The programs that are known not to do what CPython does, with the reason. @module */

import type { Program } from "./language.ts";
import type { Interpreter } from "./run.ts";

/** Why some programs differ, and which. */
interface KnownDifference {
  readonly reason: string;
  appliesTo(program: Program, interpreter: Interpreter): boolean;
}

/** Two programs of the corpus `medium`, from before the recorder left such programs out. */
const CIRCLES: ReadonlySet<string> = new Set(["22-25", "22-46"]);
const OVERFLOW = /^loop: (Stack overflow|maximum recursion depth exceeded)/;

/** In all of them, code inside of a timeout or a group is asked to stop, or asks how often it was. */
const MISCOUNTED: ReadonlySet<string> = new Set(["21-142", "22-117", "22-369"]);

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
  {
    reason:
      "a bug: inside of an async function's timeout or group, requests to cancel made before it began, or taken back " +
      "inside of it, are miscounted",
    appliesTo: ({ id }, { syntax }) => syntax === "async" && MISCOUNTED.has(id),
  },
];

/** Why `program`, which differs from CPython when `interpreter` runs it, is known to do so; `null` if it is not. */
export function reasonFor(program: Program, interpreter: Interpreter): string | null {
  return knownDifferences.find((known) => known.appliesTo(program, interpreter))?.reason ?? null;
}
