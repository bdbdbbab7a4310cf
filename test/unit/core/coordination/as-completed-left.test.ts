/** asCompleted() that is left before its end: nothing of it stays behind. */

import { queryObjects } from "node:v8";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { asCompleted, sleep } = asyncio;

/** How many objects there are, once the garbage collector has run. */
function objectsHeld(): number {
  return queryObjects(Object, { format: "count" });
}

describe("H6: `for await` over asCompleted(), left with `break`", () => {
  // CPython: one callback stays on each future that is not done, and the timer stays until its time.
  test("takes its callbacks off what goes on, and its timer away", async () => {
    await run(async ({ loop }) => {
      const futures = [loop.createFuture<number>(), loop.createFuture<number>(), loop.createFuture<number>()] as const;
      const before = String(futures[1]);
      futures[0].setResult(1);
      for await (const [future] of asCompleted(futures, { timeout: 100 })) {
        expect(future).toBe(futures[0]);
        break;
      }
      await sleep(0);
      expect([String(futures[1]), String(futures[2])]).toEqual([before, before]);
      const { timers, cancelledTimers } = loop.statistics();
      expect(timers - cancelledTimers).toBe(0);
    });
  });

  test("does so when the body throws, too", async () => {
    await run(async ({ loop }) => {
      const [done, pending] = [loop.createFuture<number>(), loop.createFuture<number>()];
      const before = String(pending);
      done.setResult(1);
      const walk = async (): Promise<void> => {
        for await (const [future] of asCompleted([done, pending], { timeout: 100 }))
          throw new RangeError(String(future.result()));
      };
      await expect(walk()).rejects.toThrow(new RangeError("1"));
      await sleep(0);
      expect(String(pending)).toBe(before);
      const { timers, cancelledTimers } = loop.statistics();
      expect(timers - cancelledTimers).toBe(0);
    });
  });

  test("a thousand times over the same future, with a deadline, holds nothing until that future ends", async () => {
    const rounds = 1000;
    await run(async ({ loop }) => {
      const shared = loop.createFuture<number>();
      const work = async (times: number): Promise<void> => {
        for (let round = 0; round < times; round++) {
          const done = loop.createFuture<number>();
          done.setResult(round);
          for await (const _ of asCompleted([done, shared], { timeout: 3600 })) break;
        }
        await sleep(1);
      };
      await work(100);
      const before = objectsHeld();
      await work(rounds);
      expect(objectsHeld() - before).toBeLessThan(rounds / 2); // one object a round would be a leak
      shared.setResult(1);
    });
  });
});
