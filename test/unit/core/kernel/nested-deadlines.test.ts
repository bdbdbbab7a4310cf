/** Deadlines around deadlines in async functions, deep. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { CROWD } from "../../sizes.ts";
import { run } from "../../virtual.ts";

const { createTask, gather, sleep, timeout } = asyncio;

const DEPTH = CROWD;

/** Waits for `seconds` below `depth` deadlines of an hour. */
async function nest(depth: number, seconds: number): Promise<string> {
  return depth === 0 ? await sleep(seconds, "slept") : await timeout(3600, () => nest(depth - 1, seconds));
}

test("E12: what is below them ends in time", async () => {
  await run(async ({ loop }) => {
    expect(await nest(DEPTH, 1)).toBe("slept");
    const { timers, cancelledTimers } = loop.statistics();
    expect([loop.time(), timers - cancelledTimers]).toEqual([1, 0]);
  });
});

test("E12: the outermost one passes first, and is the one that is told of", async () => {
  await run(async ({ loop }) => {
    await expect((async () => await timeout(1, () => nest(DEPTH, 60)))()).rejects.toThrow(asyncio.TimeoutError);
    expect(loop.time()).toBe(1);
  });
});

test("E12: a task below them is cancelled", async () => {
  await run(async ({ loop }) => {
    const task = createTask(() => nest(DEPTH, 60));
    await sleep(1);
    task.cancel();
    await gather(task, { returnExceptions: true });
    const { timers, cancelledTimers } = loop.statistics();
    expect([task.cancelled(), loop.time(), timers - cancelledTimers]).toEqual([true, 1, 0]);
  });
});
