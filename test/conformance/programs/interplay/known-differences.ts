/** The programs that are known not to do what CPython does, with the reason. @module */

import type { KnownDifference } from "../kit/known-differences.ts";
import { EAGER, GROUP_CIRCLE } from "../kit/known-differences.ts";

export const knownDifferences: readonly KnownDifference[] = [
  GROUP_CIRCLE,
  {
    ...EAGER,
    appliesTo: (program, { syntax }) =>
      syntax !== "generators" && (program.eager === true || JSON.stringify(program).includes('"eager":true')),
  },
];
