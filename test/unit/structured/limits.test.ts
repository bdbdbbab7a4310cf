/** CapacityLimiter and RateLimiter. */

import * as asyncio from "asyncio-ts";
import { CapacityLimiter, RateLimiter, WouldBlockError } from "asyncio-ts/structured";
import { asyncTest, explore, waitAllTasksBlocked } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { createTask, gather, getRunningLoop, sleep } = asyncio;

describe("CapacityLimiter", () => {
  test(
    "lends so many tokens, and the next in line gets one that comes back",
    asyncTest(async () => {
      const limiter = new CapacityLimiter(2);
      let inside = 0;
      let most = 0;
      const work = () =>
        limiter.hold(async () => {
          most = Math.max(most, ++inside);
          await sleep(1);
          inside--;
        });
      await gather(Array.from({ length: 5 }, () => createTask(work)));
      expect([most, getRunningLoop().time(), limiter.borrowedTokens]).toEqual([2, 3, 0]);
    }),
  );

  test(
    "the same in generators, and with a hold that is disposed of",
    asyncTest(function* () {
      const limiter = new CapacityLimiter(1);
      const held = yield* limiter.hold();
      expect(limiter.availableTokens).toBe(0);
      held.release();
      yield* limiter.acquire();
      limiter.release();
      expect(limiter.availableTokens).toBe(1);
    }),
  );

  test(
    "a token belongs to its borrower",
    asyncTest(async () => {
      const limiter = new CapacityLimiter(2);
      await limiter.acquire();
      await expect(limiter.acquire()).rejects.toThrow("already: one is all it can have");
      const other = createTask(async () => limiter.release(), { name: "thief" });
      await asyncio.wait([other]);
      expect(other.exception()).toMatchObject({ message: expect.stringMatching(/'thief'.* has no token/) });
      const key = {};
      await limiter.acquireOnBehalfOf(key);
      const { borrowers, ...counts } = limiter.statistics();
      expect(counts).toEqual({ totalTokens: 2, borrowedTokens: 2, waiting: 0 });
      expect([borrowers[0] === asyncio.currentTask(), borrowers[1] === key]).toEqual([true, true]);
      expect(() => limiter.acquireNowait({})).toThrow(WouldBlockError);
      limiter.release(key);
      limiter.acquireNowait({});
      limiter.release();
    }),
  );

  test(
    "the number of tokens may change while it is in use",
    asyncTest(async () => {
      const limiter = new CapacityLimiter(0);
      const waiting = [1, 2].map(() => createTask(() => limiter.acquireOnBehalfOf({})));
      await waitAllTasksBlocked();
      expect(limiter.statistics().waiting).toBe(2);
      limiter.totalTokens = 1;
      await waitAllTasksBlocked();
      expect(waiting.map((task) => task.done())).toEqual([true, false]);
      limiter.totalTokens = Infinity;
      await gather(waiting);
      limiter.totalTokens = 1;
      expect(limiter.availableTokens).toBe(-1);
      for (const bad of [-1, 1.5, Number.NaN]) expect(() => (limiter.totalTokens = bad)).toThrow(RangeError);
    }),
  );

  test("none is lent twice and none is lost, with a cancellation at any wait (anyio #1170, #947)", async () => {
    const { failure, exhausted } = await explore(
      async (exploring) => {
        const limiter = new CapacityLimiter(1);
        let inside = 0;
        exploring.always("one at a time", () => inside < 2 && limiter.borrowedTokens < 2);
        const use = async (): Promise<void> => {
          await limiter.hold(async () => {
            inside++;
            try {
              await sleep(0);
            } finally {
              inside--;
            }
          });
        };
        await asyncio.wait([1, 2, 3].map((n) => createTask(use, { name: `task ${n}` })));
        if (limiter.availableTokens !== 1) throw new Error("a token is lost");
      },
      { order: "any", policy: "delays", bound: 2, cancels: 1, runs: 50_000 },
    );
    expect(failure === null ? null : String(failure)).toBeNull();
    expect(exhausted).toBe(true);
  });
});

describe("RateLimiter", () => {
  const timesOf = async (limiter: RateLimiter, count: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      await limiter.acquire();
      times.push(Number(getRunningLoop().time().toFixed(6)));
    }
    return times;
  };

  test(
    "lets a burst through, and then one after the other",
    asyncTest(async () => {
      expect(await timesOf(new RateLimiter({ limit: 2, per: 1 }), 6)).toEqual([0, 0, 0.5, 1, 1.5, 2]);
      const base = getRunningLoop().time();
      const even = await timesOf(new RateLimiter({ limit: 4, per: { minutes: 1 }, burst: 1 }), 3);
      expect(even).toEqual([base, base + 15, base + 30]);
    }),
  );

  test(
    "never more than the limit and the burst in any stretch of time",
    asyncTest(async () => {
      const limiter = new RateLimiter({ limit: 5, per: 1, burst: 2 });
      const times: number[] = [];
      await gather(
        Array.from({ length: 40 }, (_, i) =>
          createTask(async () => {
            await sleep((i % 7) / 3);
            await limiter.acquire();
            times.push(getRunningLoop().time());
          }),
        ),
      );
      for (const start of times) {
        const inOneSecond = times.filter((time) => time >= start && time < start + 1).length;
        expect(inOneSecond).toBeLessThanOrEqual(5 + 2);
      }
    }),
  );

  test(
    "who is cancelled in line has not come",
    asyncTest(async () => {
      const limiter = new RateLimiter({ limit: 1, per: 10, burst: 1 });
      await limiter.acquire();
      const given = createTask(() => limiter.acquire());
      const next = createTask(() => limiter.acquire());
      await sleep(5);
      given.cancel();
      await next;
      expect(getRunningLoop().time()).toBe(10);
      expect(limiter.tryAcquire()).toBe(false);
      await sleep(10);
      expect([limiter.tryAcquire(), limiter.tryAcquire()]).toEqual([true, false]);
    }),
  );

  test("bad options are errors at the call", () => {
    expect(() => new RateLimiter({ limit: 0, per: 1 })).toThrow("limit must be positive");
    expect(() => new RateLimiter({ limit: 1, per: 0 })).toThrow("per must be positive");
    expect(() => new RateLimiter({ limit: 1, per: 1, burst: 0 })).toThrow("burst must be at least 1");
  });
});
