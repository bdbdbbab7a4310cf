/** The interpreters of the language `interplay`. @module */

import { interpretersOf } from "../kit/interpreters.ts";
import { waitingOps as inAsyncFunctions } from "./async-functions.ts";
import { waitingOps as inGenerators } from "./generators.ts";
import { instantOps } from "./instant-ops.ts";
import { knownDifferences } from "./known-differences.ts";
import { World } from "./world.ts";

/** In generator functions, in async functions, in both. */
export const [generators, asyncFunctions, mixed] = interpretersOf({
  instantOps,
  inGenerators,
  inAsyncFunctions,
  knownDifferences,
  makeWorld: (program, ops, host) => new World(program, ops, host),
});
