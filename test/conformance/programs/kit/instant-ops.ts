/** The ops of every language that never wait; they are the same in both syntaxes. @module */

import type { CommonArguments } from "./program.ts";
import { Return, UserError } from "./show.ts";
import type { World } from "./world.ts";

/** What each op of a language does that never waits. */
export type InstantOps<Arguments, W extends World> = {
  readonly [N in keyof Arguments]?: Arguments[N] extends unknown[] ? (world: W, ...args: Arguments[N]) => void : never;
};

export const commonInstantOps: InstantOps<CommonArguments, World> = {
  log: (world, word) => world.log(word),
  return: (_world, value) => {
    throw new Return(value);
  },
  raise: (_world, message) => {
    throw new UserError(message);
  },
};
