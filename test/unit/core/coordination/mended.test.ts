/** What once went wrong, found by attacking the coordination half: each of these was a bug. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, sleep, taskGroup } = asyncio;

// CPython: the group returns. Here the request that was swallowed before it, and never taken back, counts as one that
// came while it waited: compare with `cancelling()` at the group's beginning, as `Timeout` does, and not with zero.
test("a group that one of its tasks cancels is not disturbed by a request that was swallowed before it", async () => {
  await run(async () => {
    const task = createTask(async () => {
      await outcomeOf(sleep(10));
      await taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(1);
          group.cancel();
        });
      });
      await sleep(1);
      return "went on";
    });
    await sleep(0);
    task.cancel();
    expect(await outcomeOf(task)).toBe("went on");
  });
});
