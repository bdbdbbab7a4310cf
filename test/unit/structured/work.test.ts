/** mapConcurrent, forEachConcurrent, retry and race. */

import * as asyncio from "asyncio-ts";
import type { ChannelReceiver } from "asyncio-ts/structured";
import { forEachConcurrent, mapConcurrent, openChannel, race, retry, streamConcurrent } from "asyncio-ts/structured";
import { asyncTest, waitAllTasksBlocked } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import type { Program } from "../syntaxes.ts";
import { SYNTAXES, wait } from "../syntaxes.ts";

const { createTask, getRunningLoop, sleep } = asyncio;

describe("mapConcurrent", () => {
  test(
    "results are in the order of the items, and so many are worked on at a time",
    asyncTest(async () => {
      let running = 0;
      let most = 0;
      const results = await mapConcurrent(
        [3, 1, 2, 1],
        async (seconds, index) => {
          most = Math.max(most, ++running);
          await sleep(seconds);
          running--;
          return `${index}: ${seconds}`;
        },
        { limit: 2 },
      );
      expect(results).toEqual(["0: 3", "1: 1", "2: 2", "3: 1"]);
      expect([most, getRunningLoop().time()]).toEqual([2, 4]);
    }),
  );

  test(
    "in generators; no item is taken before there is a place for it",
    asyncTest(function* () {
      const taken: number[] = [];
      function* source() {
        for (let i = 0; i < 5; i++) {
          taken.push(i);
          yield i;
        }
      }
      const mapping = createTask(
        mapConcurrent(
          source(),
          function* (n) {
            yield* sleep(1);
            return n * 2;
          },
          { limit: 2 },
        ),
      );
      yield* sleep(0.5);
      expect(taken).toEqual([0, 1]);
      expect(yield* mapping).toEqual([0, 2, 4, 6, 8]);
    }),
  );

  test(
    "items may come one after the other, from an async generator or a channel",
    asyncTest(async () => {
      async function* source() {
        for (let i = 0; i < 3; i++) {
          await sleep(1);
          yield i;
        }
      }
      expect(await mapConcurrent(source(), async (n) => n, { limit: 5 })).toEqual([0, 1, 2]);
      const [sender, receiver] = openChannel<string>(5);
      for (const item of "abc") sender.sendNowait(item);
      sender.close();
      expect(await mapConcurrent(receiver, async (item) => item.toUpperCase(), { limit: 2 })).toEqual(["A", "B", "C"]);
    }),
  );

  test(
    "the first error cancels the rest, is raised when all have ended, and closes the source",
    asyncTest(async () => {
      const log: string[] = [];
      function* source() {
        try {
          yield* [1, 2, 3, 4];
        } finally {
          log.push("closed");
        }
      }
      const work = async (n: number): Promise<void> => {
        if (n === 2) {
          await sleep(1);
          throw new RangeError("two");
        }
        try {
          await sleep(60);
        } finally {
          await sleep(5);
          log.push(`cleaned ${n}`);
        }
      };
      await expect(mapConcurrent(source(), work, { limit: 3 })).rejects.toThrow(new RangeError("two"));
      expect(log).toEqual(["cleaned 1", "cleaned 3", "closed"]);
      expect(getRunningLoop().time()).toBe(6);
    }),
  );

  test(
    "a second error is not lost",
    asyncTest(async () => {
      const reports: unknown[] = [];
      getRunningLoop().setExceptionHandler((_loop, { exception }) => void reports.push(exception));
      const work = async (name: string): Promise<void> => {
        if (name === "first") throw new Error("first");
        await sleep(60).catch(() => {
          throw new Error("second");
        });
      };
      await expect(mapConcurrent(["other", "first"], work, { limit: 2 })).rejects.toThrow("first");
      expect(reports).toEqual([new Error("second")]);
    }),
  );

  test(
    "with returnExceptions, errors are results",
    asyncTest(async () => {
      const work = async (n: number): Promise<number> => {
        if (n === 1) throw new Error("one");
        return await sleep(1, n);
      };
      expect(await mapConcurrent([0, 1, 2], work, { limit: 1, returnExceptions: true })).toEqual([
        0,
        new Error("one"),
        2,
      ]);
    }),
  );

  test(
    "cancelled, it cancels all and waits for them",
    asyncTest(async () => {
      let cleaned = 0;
      const work = async (): Promise<void> => {
        try {
          await sleep(60);
        } finally {
          await sleep(1);
          cleaned++;
        }
      };
      const mapping = createTask(forEachConcurrent([1, 2, 3], work, { limit: 2 }));
      await waitAllTasksBlocked();
      mapping.cancel();
      await asyncio.wait([mapping]);
      expect([mapping.cancelled(), cleaned]).toEqual([true, 2]);
    }),
  );

  test(
    "an async generator has cleaned up when it returns",
    asyncTest(async () => {
      const log: string[] = [];
      async function* source() {
        try {
          yield 1;
          await sleep(60);
        } finally {
          await sleep(1);
          log.push("cleaned");
        }
      }
      const work = async (): Promise<never> => {
        await sleep(1);
        throw new Error("failed");
      };
      await expect(mapConcurrent(source(), work, { limit: 2 })).rejects.toThrow("failed");
      expect([log, getRunningLoop().time()]).toEqual([["cleaned"], 2]);
    }),
  );

  test(
    "an async source that never answers can be cancelled",
    asyncTest(async () => {
      const source = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
      await expect(asyncio.timeout(1, () => forEachConcurrent(source, async () => {}, { limit: 1 }))).rejects.toThrow(
        asyncio.TimeoutError,
      );
    }),
  );

  test("bad input is an error at the call", () => {
    expect(() => mapConcurrent([], async () => {}, { limit: 0 })).toThrow("limit must be at least 1");
    expect(() => mapConcurrent(5 as never, async () => {}, { limit: 1 })).toThrow("items: expected an iterable");
  });
});

describe.each(SYNTAXES)("streamConcurrent, in %s", (_name, syntax) => {
  const specify = (name: string, program: () => Program<void>): void =>
    test(name, asyncTest(syntax(program) as () => Promise<void>));

  specify("gives the results as they come, to the end", function* () {
    const load = (seconds: number): asyncio.Coroutine<number> => sleep(seconds, seconds);
    const body = syntax(function* (results: ChannelReceiver<number>) {
      const times: number[][] = [];
      for (let i = 0; i < 3; i++) {
        const result = yield* wait(results.receive());
        times.push([result, getRunningLoop().time()]);
      }
      return times;
    });
    const times = yield* wait(streamConcurrent([3, 1, 1], load, { limit: 2 }, body));
    expect(times).toEqual([
      [1, 1],
      [1, 2],
      [3, 3],
    ]);
  });

  specify("takes no item before there is a worker for it, and a worker waits for the body", function* () {
    const taken: number[] = [];
    function* source(): Generator<number, void, undefined> {
      for (let i = 0; i < 6; i++) {
        taken.push(i);
        yield i;
      }
    }
    const body = syntax(function* (results: ChannelReceiver<number>) {
      yield* wait(sleep(10));
      const before = [...taken];
      yield* wait(results.receive());
      yield* wait(sleep(10));
      return [before, [...taken]];
    });
    const steps = yield* wait(streamConcurrent(source(), (n) => sleep(0, n), { limit: 2 }, body));
    expect(steps).toEqual([
      [0, 1],
      [0, 1, 2],
    ]);
  });

  specify("a body that has enough ends the rest, and waits for its end", function* () {
    const ended: number[] = [];
    const work = syntax(function* (seconds: number) {
      try {
        yield* wait(sleep(seconds));
      } finally {
        ended.push(seconds);
      }
      return seconds;
    }) as (seconds: number) => Promise<number>;
    const first = syntax((results: ChannelReceiver<number>) => wait(results.receive()));
    expect(yield* wait(streamConcurrent([1, 60, 70, 80, 90], work, { limit: 3 }, first))).toBe(1);
    expect([ended.toSorted(), getRunningLoop().time()]).toEqual([[1, 60, 70, 80], 1]);
  });

  specify("an error of a work, of the items or of the body ends the others", function* () {
    const broken = new Error("broken");
    // oxlint-disable-next-line require-yield
    function* brokenSource(): Generator<number, void, undefined> {
      throw broken;
    }
    const drain = syntax(function* (results: ChannelReceiver<unknown>) {
      for (;;) yield* wait(results.receive());
    });
    const fails = (): never => {
      throw broken;
    };
    for (const running of [
      streamConcurrent([1, 2], fails, { limit: 1 }, drain),
      streamConcurrent(brokenSource(), (n) => sleep(n), { limit: 2 }, drain),
      streamConcurrent([1, 2], (n) => sleep(n), { limit: 2 }, fails),
    ]) {
      const task = createTask(running);
      yield* wait(asyncio.wait([task]));
      expect((task.exception() as AggregateError).errors).toContain(broken);
    }
  });
});

describe("retry", () => {
  test(
    "tries again, waiting longer each time, and gives the result",
    asyncTest(async () => {
      const times: number[] = [];
      const flaky = async (attempt: number): Promise<string> => {
        times.push(Number(getRunningLoop().time().toFixed(3)));
        if (attempt < 4) throw new Error(`attempt ${attempt}`);
        return "done";
      };
      expect(await retry(flaky, { times: 5, jitter: 0 })).toBe("done");
      expect(times).toEqual([0, 0.1, 0.3, 0.7]);
    }),
  );

  test(
    "in generators, with a backoff of its own and jitter",
    asyncTest(function* () {
      let calls = 0;
      const result = yield* retry(
        function* () {
          yield* sleep(0);
          if (++calls < 3) throw new Error("no");
          return calls;
        },
        { backoff: (failed) => failed * 10, jitter: 0.5, random: () => 0.5 },
      );
      expect([result, getRunningLoop().time()]).toEqual([3, 22.5]);
    }),
  );

  test(
    "the last error is raised as it is; what is not worth another attempt at once",
    asyncTest(async () => {
      const attempts: number[] = [];
      const failing = async (attempt: number): Promise<never> => {
        attempts.push(attempt);
        throw new RangeError(`attempt ${attempt}`);
      };
      await expect(retry(failing, { times: 2, backoff: 1 })).rejects.toThrow(new RangeError("attempt 2"));
      await expect(retry(failing, { retryIf: (error) => !(error instanceof RangeError) })).rejects.toThrow("attempt 1");
      expect(attempts).toEqual([1, 2, 1]);
    }),
  );

  test(
    "a cancellation is never tried again, in an attempt or between two",
    asyncTest(async () => {
      let attempts = 0;
      const work = async (): Promise<void> => {
        attempts++;
        await sleep(1);
        throw new Error("again");
      };
      for (const when of [0.5, 5]) {
        const task = createTask(retry(work, { backoff: 60, jitter: 0 }));
        await sleep(when);
        task.cancel();
        await asyncio.wait([task]);
        expect(task.cancelled()).toBe(true);
      }
      expect(attempts).toBe(2);
    }),
  );

  test(
    "a deadline for all of it, with the last error as the cause",
    asyncTest(async () => {
      const error: unknown = await retry(async () => await Promise.reject(new Error("down")), {
        times: Infinity,
        backoff: 4,
        jitter: 0,
        deadline: 10,
      }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect(error).toMatchObject({ cause: new Error("down") });
      expect(getRunningLoop().time()).toBe(10);
    }),
  );

  test("bad options are errors at the call", () => {
    const fn = async (): Promise<void> => {};
    expect(() => retry(fn, { times: 0 })).toThrow("times must be at least 1");
    expect(() => retry(fn, { jitter: 2 })).toThrow("jitter: expected 0 to 1");
  });
});

describe("race", () => {
  test(
    "the first result wins, and the losers have ended when it returns",
    asyncTest(async () => {
      const log: string[] = [];
      const slow = async (): Promise<string> => {
        try {
          return await sleep(60, "slow");
        } finally {
          await sleep(1);
          log.push("cleaned");
        }
      };
      expect(await race(slow, () => sleep(5, "fast"))).toBe("fast");
      expect([log, getRunningLoop().time()]).toEqual([["cleaned"], 6]);
    }),
  );

  test(
    "a failure is no result; if all fail, their errors are in a group",
    asyncTest(function* () {
      const fail = (message: string, seconds: number) =>
        function* () {
          yield* sleep(seconds);
          throw new Error(message);
        };
      expect(yield* race(fail("early", 1), () => sleep(5, "late"))).toBe("late");
      let failure: unknown;
      try {
        yield* race(fail("a", 1), fail("b", 2));
      } catch (error) {
        failure = error;
      }
      expect(failure).toMatchObject({
        message: expect.stringContaining("no work has succeeded"),
        errors: [{ message: "a" }, { message: "b" }],
      });
    }),
  );

  test(
    "cancelled, it cancels all and waits for them; a lock that a loser held is free",
    asyncTest(async () => {
      const lock = new asyncio.Lock();
      const work = () => lock.hold(() => sleep(60));
      const racing = createTask(race(work, work));
      await waitAllTasksBlocked();
      racing.cancel();
      await asyncio.wait([racing]);
      expect([racing.cancelled(), lock.locked()]).toEqual([true, false]);
    }),
  );

  test(
    "a loser that fails while it is cancelled is reported",
    asyncTest(async () => {
      const reports: unknown[] = [];
      getRunningLoop().setExceptionHandler((_loop, { exception }) => void reports.push(exception));
      const bad = async (): Promise<void> => {
        await sleep(60).catch(() => {
          throw new Error("while cancelled");
        });
      };
      await race(bad, () => sleep(1));
      expect(reports).toEqual([new Error("while cancelled")]);
      expect(() => race()).toThrow(RangeError);
    }),
  );
});
