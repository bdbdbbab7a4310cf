/** asyncTest: a loop of its own in virtual time, and what is left behind fails the test. */

import * as asyncio from "asyncio-ts";
import { asyncTest, LeftoverError, memoryStreams } from "asyncio-ts/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const { createTask, getRunningLoop, sleep } = asyncio;

/** What `run` fails with, as text. */
async function failureOf(run: () => Promise<void>): Promise<string> {
  return await run().then(
    () => "passed",
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );
}

describe("a test in virtual time", () => {
  test("runs in either syntax, with what the runner gives", async () => {
    const seen: unknown[] = [];
    await asyncTest(async (context: string, n: number) => {
      await sleep({ hours: 1 });
      seen.push(context, n, getRunningLoop().time());
    })("context", 1);
    await asyncTest(function* (context: string) {
      yield* sleep({ days: 1 });
      seen.push(context, getRunningLoop().time());
    })("again");
    expect(seen).toEqual(["context", 1, 3600, "again", 86_400]);
  });

  test("has no parameter by which a runner might want a callback", () => {
    expect(asyncTest(async (_done: unknown) => {})).toHaveLength(0);
  });

  test("fails as its body does", async () => {
    const error = new Error("expected 1");
    await expect(asyncTest(async () => await Promise.reject(error))()).rejects.toBe(error);
  });

  test("a deadlock fails at once, with the tree", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        const lock = new asyncio.Lock();
        await lock.acquire();
        await lock.acquire();
      }),
    );
    expect(failure).toMatch(/^DeadlockError: deadlock: a task still waits.*\nTask 'test' in anonymous\(\)\n/);
    expect(failure).toContain("waits for Lock.acquire() of <Lock [locked, waiters:1]>");
  });

  test("waits for nothing outside of the loop, and says so", async () => {
    const failure = await failureOf(asyncTest(async () => await new Promise((resolve) => setTimeout(resolve, 1))));
    expect(failure).toContain("The clock is virtual");
  });

  test("with loopFactory it is the platform's loop", async () => {
    await asyncTest(
      async () => {
        await new Promise((resolve) => setImmediate(resolve));
        const server = await asyncio.startServer(() => {}, "127.0.0.1", 0);
        server.close();
        await server.waitClosed();
      },
      { loopFactory: asyncio.newEventLoop },
    )();
  });
});

describe("what is left behind", () => {
  test("a task: its name, where it waits, and where it was made", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        createTask(async () => await sleep(60), { name: "poller" });
        await sleep(0);
      }),
    );
    expect(failure).toMatch(/^LeftoverError: the test has left behind:\n {2}a task, running still:\n/);
    expect(failure).toContain("Task 'poller' in");
    expect(failure).toMatch(/at .*async-test\.test\.ts:\d+:\d+/);
  });

  test("a task that is one of many", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        for (const name of ["a", "b"]) createTask(async () => await sleep(60), { name });
      }),
    );
    expect(failure).toContain("2 tasks, running still:");
  });

  test("a task that goes on when it is cancelled ends first, and says how", async () => {
    let hasCleaned = false;
    const failure = await failureOf(
      asyncTest(async () => {
        createTask(
          async () => {
            await sleep(60).catch(async () => await sleep(5));
            hasCleaned = true;
            throw new Error("while cleaning");
          },
          { name: "stubborn" },
        );
        await sleep(0);
      }),
    );
    expect(hasCleaned).toBe(true);
    expect(failure).toContain("stubborn failed when it was cancelled: Error: while cleaning");
  });

  test("a task that cannot be ended", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        createTask(async () => {
          for (;;) await new asyncio.Event().wait().catch(() => {});
        });
        await sleep(0);
      }),
    );
    expect(failure).toContain("what is left does not end when it is cancelled: DeadlockError");
  });

  test("a timer, and where it was set", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        getRunningLoop().callLater(10, function tick() {});
        getRunningLoop()
          .callLater(10, () => {})
          .cancel();
      }),
    );
    expect(failure).toMatch(/a timer: <TimerHandle when=10 tick\(\)/);
    expect(failure).toMatch(/at .*async-test\.test\.ts:\d+:\d+/);
  });

  test("a connection", async () => {
    const failure = await failureOf(asyncTest(async () => void (await memoryStreams())));
    expect(failure.match(/still open: <StreamTransport/g)).toHaveLength(2);
  });

  test("a server", async () => {
    const failure = await failureOf(
      asyncTest(async () => void (await asyncio.startServer(() => {}, "127.0.0.1", 0)), {
        loopFactory: asyncio.newEventLoop,
      }),
    );
    expect(failure).toContain("still open: <Server");
  });

  test("an error that nobody retrieved is the cause too", async () => {
    const error = new Error("unseen");
    const run = asyncTest(async () => {
      createTask(async () => await Promise.reject(error), { name: "failing" });
      await sleep(1);
    });
    const failure: unknown = await run().catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(LeftoverError);
    expect(failure).toMatchObject({ code: "ASYNCIO_LEFTOVER", cause: error });
    expect(String(failure)).toContain("Task exception was never retrieved");
  });

  test("a coroutine that nobody awaited", async () => {
    const failure = await failureOf(asyncTest(async () => void sleep(1)));
    expect(failure).toContain("was never awaited");
  });

  test("what was reported to the exception handler", async () => {
    const failure = await failureOf(
      asyncTest(async () => {
        getRunningLoop().callSoon(() => {
          throw new Error("in a callback");
        });
        await sleep(0);
      }),
    );
    expect(failure).toContain("in a callback");
  });

  test("a handler of the test's own takes what is reported", async () => {
    const reports: unknown[] = [];
    await asyncTest(async () => {
      const loop = getRunningLoop();
      loop.setExceptionHandler((_loop, { exception }) => void reports.push(exception));
      loop.callSoon(() => {
        throw new Error("expected");
      });
      await sleep(0);
    })();
    expect(reports).toEqual([new Error("expected")]);
  });
});

describe("a test that fails and leaves something", () => {
  const log = vi.fn<(text: string) => void>();
  const previous = asyncio.getLogger();
  beforeEach(() => asyncio.setLogger({ debug() {}, info() {}, warning() {}, error: log }));
  afterEach(() => asyncio.setLogger(previous));

  test("fails with its own error; the rest is logged", async () => {
    const run = asyncTest(async () => {
      createTask(async () => await sleep(60), { name: "poller" });
      await sleep(0);
      throw new Error("expected 1");
    });
    await expect(run()).rejects.toThrow("expected 1");
    expect(log.mock.calls.join()).toContain("Task 'poller'");
  });
});
