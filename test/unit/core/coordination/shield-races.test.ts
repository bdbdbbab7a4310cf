/** Promise.race() with a shield, again and again: the losers of the rounds do not add up. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { createTask, gather, shield, sleep } = asyncio;

const ROUNDS = 20_000;

describe("H4: 20,000 rounds of Promise.race() with shield(shared)", () => {
  test("are cancelled in the middle of the next one: the losers end, and what they share goes on", async () => {
    const reports = await run(async ({ loop }) => {
      const shared = loop.createFuture<string>();
      let rounds = 0;
      const task = createTask(async () => {
        for (; rounds < ROUNDS; rounds++) await Promise.race([shield(shared), sleep(0)]);
        await Promise.race([shield(shared), sleep(3600)]);
      });
      await sleep(1);
      expect([rounds, task.done()]).toEqual([ROUNDS, false]);
      task.cancel();
      await gather(task, { returnExceptions: true });
      expect([task.cancelled(), shared.done(), loop.time()]).toEqual([true, false, 1]);
      expect(loop.statistics().tasks).toBe(1);
      shared.setResult("shared");
      expect(await shield(shared)).toBe("shared");
    });
    expect(reports).toEqual([]);
  });

  test("end when what they share ends", async () => {
    const reports = await run(async ({ loop }) => {
      const shared = loop.createFuture<string>();
      const task = createTask(async () => {
        for (let round = 0; round < ROUNDS; round++) await Promise.race([shield(shared), sleep(0)]);
        return await Promise.race([shield(shared), sleep(3600, "late")]);
      });
      await sleep(1);
      shared.setResult("shared");
      expect(await task).toBe("shared");
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
    expect(reports).toEqual([]);
  });
});
