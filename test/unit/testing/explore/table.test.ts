/**
 * How many schedules each policy needs for each planted bug: a table, printed by `npm run explore:table`. Nothing of it is
 * checked here; `corpus.test.ts` checks what a user relies on.
 */

import type { Policy } from "asyncio-ts/testing";
import { explore } from "asyncio-ts/testing";
import { test } from "vitest";
import type { Bug } from "./corpus/bug.ts";
import { patterns } from "./corpus/patterns.ts";
import { primitives } from "./corpus/primitives.ts";

const POLICIES: readonly Policy[] = ["portfolio", "random", "urw", "pos", "pct", "delays", "preemptions"];
const RUNS = 2000;
/** A search with another seed each time; what is told is the one in the middle. */
const SEARCHES = 5;

async function schedulesFor({ program, order, cancels = 0 }: Bug, policy: Policy): Promise<string> {
  const counts: number[] = [];
  for (let i = 0; i < SEARCHES; i++) {
    const search = { order, cancels, policy, runs: RUNS, seed: i * 100_003, shrinkRuns: 0, bound: 3 };
    const { failure, schedules } = await explore(program(false), search);
    counts.push(failure === null ? Infinity : schedules);
    // Nothing is drawn in these.
    if (policy === "delays" || policy === "preemptions") break;
  }
  const middle = counts.toSorted((a, b) => a - b)[counts.length >> 1]!;
  return middle === Infinity ? "-" : String(middle);
}

test.skipIf(process.env["EXPLORE_TABLE"] === undefined)("the table", { timeout: 3_600_000 }, async () => {
  const lines = [
    `| bug | source | order | ${POLICIES.join(" | ")} |`,
    `| --- | --- | --- |${" ---: |".repeat(POLICIES.length)}`,
  ];
  for (const bug of [...patterns, ...primitives]) {
    const counts: string[] = [];
    for (const policy of POLICIES) counts.push(await schedulesFor(bug, policy));
    const order = bug.cancels === undefined ? bug.order : `${bug.order}, ${bug.cancels} cancelled`;
    lines.push(`| ${bug.name} | ${bug.source} | ${order} | ${counts.join(" | ")} |`);
  }
  console.log(lines.join("\n"));
});
