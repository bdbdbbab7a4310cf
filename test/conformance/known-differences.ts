/** The programs that are known not to do what CPython does, with the reason. @module */

import { VirtualHost } from "asyncio-ts/testing";
import { generators } from "./interpreter.ts";
import type { Program } from "./language.ts";
import type { Interpreter } from "./run.ts";
import { runProgram } from "./run.ts";

/** Why some programs differ, and which. */
interface KnownDifference {
  readonly reason: string;
  /** Whether the reason holds for `program`, run by `interpreter`. It is asked only if the program does differ. */
  appliesTo(program: Program, interpreter: Interpreter): boolean | Promise<boolean>;
}

/** From before the recorder left such programs out. */
const CIRCLES: ReadonlySet<string> = new Set(["22-25", "22-46"]);
const OVERFLOW = /^loop: (Stack overflow|maximum recursion depth exceeded)/;

const KNOWN: readonly KnownDifference[] = [
  {
    reason: "CPython overflows its stack on a circle of waits; here the circle is broken",
    appliesTo: ({ id, trace }) => CIRCLES.has(id) && trace.some((line) => OVERFLOW.test(line)),
  },
  {
    reason:
      "an eager task of an async function takes its first step to the first await, or to its end, and goes on when " +
      "the code that made it has given way: JavaScript has no await that goes on at once",
    async appliesTo(program, { syntax }) {
      if (syntax !== "async" || program.eager !== true) return false;
      return (await runProgram(program, generators, new VirtualHost())).hasOutrunAsyncFunctions;
    },
  },
];

/** Why `program`, which differs from CPython when `interpreter` runs it, is known to do so; `null` if it is not. */
export async function reasonFor(program: Program, interpreter: Interpreter): Promise<string | null> {
  for (const known of KNOWN) if (await known.appliesTo(program, interpreter)) return known.reason;
  return null;
}
