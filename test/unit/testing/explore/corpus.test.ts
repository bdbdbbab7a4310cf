/** Planted bugs: the portfolio finds each, its token has it again, and of the mended program every schedule is clean. */

import { explore, replay } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { patterns } from "./corpus/patterns.ts";
import { primitives } from "./corpus/primitives.ts";

/** The most schedules that a search may need. */
const RUNS = 2000;

const BUGS = [...patterns, ...primitives].map((bug) => [bug.name, bug] as const);

describe.each(BUGS)("%s", (_name, { program, order, cancels = 0, bound }) => {
  test("is found, and had again from its token", async () => {
    const { failure } = await explore(program(false), { order, cancels, runs: RUNS });
    expect(failure).not.toBeNull();
    const again = await replay(program(false), failure!.token).then(
      () => null,
      (error: unknown) => error,
    );
    expect(again).toMatchObject({ name: (failure!.error as Error).name });
  });

  test("mended, it is clean: the search is exhausted", async () => {
    const search = { order, cancels, policy: "delays", bound, runs: 100_000 } as const;
    const { failure, exhausted } = await explore(program(true), search);
    expect(failure === null ? null : String(failure)).toBeNull();
    expect(exhausted).toBe(true);
  });
});
