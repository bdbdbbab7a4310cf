/** The programs that are known not to do what CPython does, with the reason. @module */

import type { KnownDifference } from "../kit/known-differences.ts";
import { EAGER, GROUP_CIRCLE } from "../kit/known-differences.ts";

/** Two programs of the corpus `medium`, from before the recorder left such programs out. */
const CIRCLES: ReadonlySet<string> = new Set(["22-25", "22-46"]);
const OVERFLOW = /^loop: (Stack overflow|maximum recursion depth exceeded)/;

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason: "CPython overflows its stack on a circle of waits; here the circle is broken",
    appliesTo: ({ id, trace }) => CIRCLES.has(id) && trace?.some((line) => OVERFLOW.test(line)) === true,
  },
  GROUP_CIRCLE,
  EAGER,
];
