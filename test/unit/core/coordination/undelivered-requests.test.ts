/** C1: what was asked of code that awaits a bare promise is done late, and told. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep, timeout, waitFor, createTask, coroutine } = asyncio;

/** A promise of nobody's, which nothing can interrupt. */
function bare<T>(seconds: number, value: T): Promise<T> {
  const loop = asyncio.getRunningLoop();
  return new Promise((resolve) => void loop.callLater(seconds, () => resolve(value)));
}

const late = /the deadline passed, and the body ended 0\.300 s later: it awaited a promise.*fromPromise/;

/** What `work` ends with, and when. */
async function outcome(work: () => asyncio.Awaitable<unknown>): Promise<[unknown, number]> {
  const loop = asyncio.getRunningLoop();
  const start = loop.time();
  let end: unknown;
  try {
    end = await work();
  } catch (error) {
    end = error;
  }
  return [end, Math.round((loop.time() - start) * 1000)];
}

describe("C1: a deadline around a bare promise", () => {
  test.each<[string, () => asyncio.Awaitable<unknown>]>([
    ["that the body returns", () => timeout(0.1, () => bare(0.4, "value"))],
    ["that the body awaits", () => timeout(0.1, async () => await bare(0.4, "value"))],
    ["in a coroutine that is waited for", () => waitFor(coroutine(async () => await bare(0.4, "value"))(), 0.1)],
    [
      "in a generator",
      () =>
        timeout(0.1, function* () {
          return yield* coroutine(async () => await bare(0.4, "value"))();
        }),
    ],
    ["in a deadline that has not passed", () => timeout(0.1, () => timeout(9, () => bare(0.4, "value")))],
  ])("%s ends in a TimeoutError that says how late, and why", async (_name, work) => {
    await run(async () => {
      const [error, milliseconds] = await outcome(work);
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
      expect((error as Error).message).toMatch(late);
      expect((error as Error).cause).toBeInstanceOf(asyncio.CancelledError);
      expect(milliseconds).toBe(400);
    });
  });

  test("of a task ends the task cancelled, and then in a TimeoutError", async () => {
    await run(async () => {
      const [error, milliseconds] = await outcome(() =>
        waitFor(
          createTask(async () => await bare(0.4, 1)),
          0.1,
        ),
      );
      expect([error, milliseconds]).toEqual([expect.any(asyncio.TimeoutError), 400]);
    });
  });

  test("that is waited for itself is on time", async () => {
    await run(async () => {
      const [error, milliseconds] = await outcome(() => waitFor(bare(0.4, 1), 0.1));
      expect([error, milliseconds]).toEqual([expect.any(asyncio.TimeoutError), 100]);
    });
  });

  test("lets the error of the body go before its own", async () => {
    await run(async () => {
      const failing = async (): Promise<never> => {
        await bare(0.4, 1);
        throw new RangeError("no such page");
      };
      expect(await outcome(() => timeout(0.1, failing))).toEqual([new RangeError("no such page"), 400]);
    });
  });

  test("leaves nothing behind: the task that caught the TimeoutError is not asked to stop any more", async () => {
    await run(async () => {
      await outcome(() => timeout(0.1, () => bare(0.4, 1)));
      expect(asyncio.currentTask()!.cancelling()).toBe(0);
      await sleep(1);
    });
  });

  test("both of two: the outer one raises when both have passed", async () => {
    await run(async () => {
      const [error] = await outcome(() => timeout(0.1, () => timeout(0.1, () => bare(0.4, 1))));
      expect(error).toBeInstanceOf(asyncio.TimeoutError);
    });
  });

  test("and a task that is cancelled too ends cancelled", async () => {
    await run(async () => {
      const task = createTask(() => timeout(0.1, () => bare(0.4, 1)));
      await sleep(0.2);
      task.cancel();
      await asyncio.wait([task]);
      expect(task.cancelled()).toBe(true);
    });
  });

  test("at the next wait of ours the request arrives, and the body is cancelled there", async () => {
    await run(async () => {
      let reached = false;
      const body = async (): Promise<void> => {
        await bare(0.4, 1);
        await sleep(5);
        reached = true;
      };
      expect(await outcome(() => timeout(0.1, body))).toEqual([expect.any(asyncio.TimeoutError), 400]);
      expect(reached).toBe(false);
    });
  });
});

describe("C1: a group", () => {
  test("whose body awaits a bare promise while a task fails raises the failure, late", async () => {
    await run(async () => {
      const [error, milliseconds] = await outcome(() =>
        asyncio.taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(0.1);
            throw new RangeError("no such page");
          });
          return await bare(0.4, 1);
        }),
      );
      expect((error as asyncio.ExceptionGroup).exceptions).toEqual([new RangeError("no such page")]);
      expect(milliseconds).toBe(400);
    });
  });
});

describe("C1, C5: debug mode", () => {
  test("tells when a request finds only a bare promise for a while, with the task", async () => {
    const reports = await run(
      async () => {
        const task = createTask(async () => await bare(5, 1), { name: "loader" });
        await sleep(0.1);
        task.cancel();
        await sleep(1);
        await asyncio.wait([task]);
      },
      { debug: true },
    );
    expect(reports.map(({ message, task }) => [message, String(task)])).toEqual([
      [
        expect.stringMatching(/the code awaits a promise, which cannot be interrupted/),
        expect.stringContaining("'loader'"),
      ],
    ]);
  });

  test("is silent when the promise is settled soon", async () => {
    const reports = await run(
      async () => {
        const task = createTask(async () => await bare(0.2, 1));
        await sleep(0.1);
        task.cancel();
        await sleep(1);
      },
      { debug: true },
    );
    expect(reports).toEqual([]);
  });

  test("tells when Promise.allSettled swallowed a deadline", async () => {
    const reports = await run(
      async () => {
        await timeout(0.1, async () => {
          await Promise.allSettled([sleep(5), sleep(5)]);
        });
      },
      { debug: true },
    );
    expect(reports.map(({ message }) => message)).toEqual([expect.stringMatching(/lost in an array/)]);
  });
});

test("C5: Promise.any wraps the cancellation, which is one all the same", async () => {
  await run(async () => {
    const body = async (): Promise<unknown> => await Promise.any([sleep(5), sleep(5)]);
    expect(await outcome(() => timeout(0.1, body))).toEqual([expect.any(asyncio.TimeoutError), 100]);
    const task = createTask(body);
    await sleep(0.1);
    task.cancel();
    await asyncio.wait([task]);
    expect(task.cancelled()).toBe(true);
  });
});
