/** The programs that are known not to do what CPython does, with the reason. @module */

import type { KnownDifference } from "../kit/known-differences.ts";
import { CIRCLE_OF_GROUP, EAGER } from "../kit/known-differences.ts";

export const knownDifferences: readonly KnownDifference[] = [
  {
    ...EAGER,
    appliesTo: (program, { syntax }) =>
      syntax === "async" && (program.eager === true || JSON.stringify(program).includes('"eager":true')),
  },
  CIRCLE_OF_GROUP,
];
