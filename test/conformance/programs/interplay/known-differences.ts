/** The programs that are known not to do what CPython does, with the reason. @module */

import type { KnownDifference } from "../kit/known-differences.ts";
import { EAGER } from "../kit/known-differences.ts";

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason:
      "CPython never ends a circle of waits through a task group, however often its tasks are cancelled: each request " +
      "comes back to the task that passes it on; here the circle is broken",
    appliesTo: (program) =>
      program.trace?.at(-1)?.startsWith("loop: deadlock") === true && JSON.stringify(program).includes('["group"'),
  },
  {
    ...EAGER,
    appliesTo: (program, { syntax }) =>
      syntax !== "generators" && (program.eager === true || JSON.stringify(program).includes('"eager":true')),
  },
];
