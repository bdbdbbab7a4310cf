/** Every kind of stream against every check: see `checks.ts` and `pairs.ts`. */

import { describe, test } from "vitest";
import type { Need, StreamCheck } from "./checks.ts";
import { oneWayChecks, twoWayChecks } from "./checks.ts";
import type { Kind } from "./pairs.ts";
import { oneWayKinds, play, twoWayKinds } from "./pairs.ts";

function conform<P>(directions: string, kinds: readonly Kind<P>[], checks: readonly StreamCheck<P>[]): void {
  const named = kinds.map((kind) => [kind.name, kind] as const);
  describe.each(named)(`${directions}: %s`, (_kind, kind) => {
    const fitting = checks.filter(([, , needs]) => needs === null || !lacking(kind).includes(needs));
    test.each(fitting)("%s", async (_check, check) => {
      await play(kind, check);
    });
  });
}

/** What streams of this kind are not made for. */
function lacking({ isLoop, isDeaf, isWhole }: Omit<Kind<unknown>, "connect">): Need[] {
  if (isLoop === true) return ["two ends", "an ear"];
  return [...(isDeaf === true ? ["an ear" as const] : []), ...(isWhole === true ? ["halves" as const] : [])];
}

conform("one direction", oneWayKinds, oneWayChecks);
conform("both directions", twoWayKinds, twoWayChecks);
