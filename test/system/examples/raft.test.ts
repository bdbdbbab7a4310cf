/** examples/raft: the promises hold, and a safeguard that is taken out is missed. `explore.mjs` runs more of it. */

import { explore, replay } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { raft } = (await import("../../../examples/raft/simulation.mjs" as string)) as {
  readonly raft: (without?: string) => Promise<void>;
};

const OPTIONS = { policy: "random", seed: 1, maxSteps: 1_000_000, shrinkRuns: 0 } as const;

describe("Raft on a simulated network", () => {
  test("keeps its promises", async () => {
    const { failure, schedules } = await explore(() => raft(), { ...OPTIONS, runs: 10 });
    expect([failure && String(failure), schedules]).toEqual([null, 10]);
  });

  test.each([
    ["log matching", "state machine safety"],
    ["up-to-date votes", "leader completeness"],
    ["careful truncation", "leader completeness"],
  ])("without %s it does not, and the token shows it again", async (without, promise) => {
    const { failure } = await explore(() => raft(without), { ...OPTIONS, runs: 100 });
    expect(String(failure)).toContain(promise);
    const again = replay(() => raft(without), failure!.token, OPTIONS);
    await expect(again).rejects.toMatchObject({ cause: { message: expect.stringContaining(promise) } });
  });
});
