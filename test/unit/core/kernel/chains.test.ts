/** Long chains of tasks, each waiting for the next: every walk along them is a loop, and every text about them short. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { CROWD } from "../../sizes.ts";
import { run } from "../../virtual.ts";

const { createTask, sleep } = asyncio;

/** No text about a chain shows more than a few of its tasks. */
const LONGEST_TEXT = 4000;

/** Counts the levels that have cleaned up. */
interface Cleaned {
  count: number;
}

type Wait = () => asyncio.Awaitable<unknown>;
type Body = () => Promise<void> | asyncio.CoroutineGenerator<void>;

/** The body of a task that waits for `wait`, or for a task that does, and so on: `depth` tasks below it. */
type Level = (depth: number, wait: Wait, cleaned: Cleaned) => Body;

const levelAsync: Level = (depth, wait, cleaned) => async () => {
  try {
    await (depth === 0 ? wait() : createTask(levelAsync(depth - 1, wait, cleaned) as () => Promise<void>));
  } finally {
    cleaned.count++;
  }
};

const levelGenerator: Level = (depth, wait, cleaned) =>
  function* () {
    try {
      yield* depth === 0 ? wait() : createTask(levelGenerator(depth - 1, wait, cleaned) as () => Promise<void>);
    } finally {
      cleaned.count++;
    }
  };

const CHAINS = [
  { syntax: "async functions", level: levelAsync, length: 1000 },
  { syntax: "generators", level: levelGenerator, length: 1000 },
  { syntax: "async functions", level: levelAsync, length: CROWD },
  { syntax: "generators", level: levelGenerator, length: CROWD },
];

// CPython: at its recursion limit, about a thousand, the walk fails with a RecursionError.
describe.each(CHAINS)("E1: a chain of $length tasks, in $syntax", ({ level, length }) => {
  const forever: Wait = () => sleep(3600);
  const chain = (wait: Wait, cleaned: Cleaned): asyncio.Task<void> =>
    createTask(level(length - 1, wait, cleaned) as () => Promise<void>);

  test("meets its deadline: everything is cleaned up, and nothing is left", async () => {
    const cleaned = { count: 0 };
    const reports = await run(async ({ loop }) => {
      await expect(asyncio.waitFor(chain(forever, cleaned), 0.5)).rejects.toThrow(asyncio.TimeoutError);
      expect([cleaned.count, loop.time(), loop.statistics().tasks]).toEqual([length, 0.5, 1]);
    });
    expect(reports).toEqual([]);
  });

  test("is cancelled by cancel(): everything is cleaned up, and nothing is left", async () => {
    const cleaned = { count: 0 };
    const reports = await run(async ({ loop }) => {
      const task = chain(forever, cleaned);
      await sleep(1);
      expect(loop.statistics().tasks).toBe(length + 1);
      expect(task.cancel("stop")).toBe(true);
      await asyncio.gather(task, { returnExceptions: true });
      expect([task.cancelled(), task.cancelling(), cleaned.count]).toEqual([true, 1, length]);
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
    expect(reports).toEqual([]);
  });

  test("is cancelled at the end of the program: everything is cleaned up, and nothing is reported", async () => {
    const cleaned = { count: 0 };
    const reports = await run(async () => {
      void chain(forever, cleaned);
      await sleep(1);
    });
    expect([cleaned.count, reports]).toEqual([length, []]);
  });

  test("ends by itself, from its last task to its first", async () => {
    const cleaned = { count: 0 };
    await run(async ({ loop }) => {
      await chain(() => sleep(1), cleaned);
      expect([cleaned.count, loop.time(), loop.statistics().tasks]).toEqual([length, 1, 1]);
    });
  });

  test("shows a few of its tasks in the text of one", async () => {
    await run(async () => {
      const task = chain(forever, { count: 0 });
      await sleep(1);
      expect(String(task)).toMatch(/^<Task pending/);
      expect(String(task).length).toBeLessThan(LONGEST_TEXT);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
    });
  });

  test("that nothing can wake is a DeadlockError of few words, and is cleaned up", async () => {
    const cleaned = { count: 0 };
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    const reports: asyncio.ExceptionContext[] = [];
    loop.setExceptionHandler((_loop, context) => void reports.push(context));
    const main = async (): Promise<void> => await chain(() => loop.createFuture(), cleaned);
    const error: unknown = await asyncio.run(main, { loopFactory: () => loop }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(asyncio.DeadlockError);
    expect((error as Error).message.length).toBeLessThan(LONGEST_TEXT);
    expect([cleaned.count, reports]).toEqual([length, []]);
  });
});

const QUEUES = [
  {
    syntax: "async functions",
    follow: (before: asyncio.Awaitable<void>) => async () => {
      await before;
    },
  },
  {
    syntax: "generators",
    follow: (before: asyncio.Awaitable<void>) =>
      function* (): asyncio.CoroutineGenerator<void> {
        yield* before;
      },
  },
];

describe.each(QUEUES)("E1: a crowd of jobs, each awaiting the one before, in $syntax", ({ follow }) => {
  const jobs = (first: asyncio.Awaitable<void>): asyncio.Task<void>[] => {
    let before: asyncio.Awaitable<void> = first;
    return Array.from({ length: CROWD }, () => {
      const job = createTask(follow(before) as () => Promise<void>);
      before = job;
      return job;
    });
  };

  test("end in their order when the first one does", async () => {
    await run(async ({ loop }) => {
      const last = jobs(sleep(1)).at(-1)!;
      await last;
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
  });

  test("are all cancelled with the last one", async () => {
    await run(async ({ loop }) => {
      const all = jobs(sleep(3600));
      await sleep(1);
      all.at(-1)!.cancel();
      await asyncio.gather(all, { returnExceptions: true });
      expect(all.filter((job) => !job.cancelled())).toEqual([]);
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
  });

  test("are cancelled one by one, from the first to the last", async () => {
    await run(async ({ loop }) => {
      const all = jobs(sleep(3600));
      await sleep(1);
      for (const job of all) job.cancel();
      await asyncio.gather(all, { returnExceptions: true });
      expect(all.filter((job) => !job.cancelled())).toEqual([]);
      expect([loop.time(), loop.statistics().tasks]).toEqual([1, 1]);
    });
  });
});
