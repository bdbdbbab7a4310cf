/** Requests to cancel: at moments, and by ways, that a review of the kernel found to matter. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { createTask, gather, sleep, taskGroup, timeout, wait, waitFor } = asyncio;

/** A promise that knows nothing of the loop's clock, and is settled when the loop says so. */
function bare(seconds: number): Promise<void> {
  return new Promise((resolve) => void asyncio.getRunningLoop().callLater(seconds, resolve));
}

describe("a request that comes round to the async function that made it", () => {
  test("ends the wait at which it closes, and not the function", async () => {
    await run(async () => {
      const seen: unknown[] = [];
      const task: asyncio.Task<string> = createTask(async () => {
        const other = createTask(async () => {
          await task;
        });
        await sleep(0);
        await sleep(0);
        task.cancel();
        try {
          await other;
        } catch {
          seen.push(task.done(), task.cancelling());
        }
        task.uncancel();
        await sleep(1);
        return "result";
      });
      expect(await task).toBe("result");
      expect(seen).toEqual([false, 1]);
    });
  });

  test("leaves no group before its body has ended", async () => {
    await run(async ({ loop }) => {
      const ends: string[] = [];
      const task: asyncio.Task<void> = createTask(async () => {
        const other = createTask(async () => {
          await task;
        });
        try {
          await taskGroup(async () => {
            await sleep(1);
            task.cancel();
            try {
              await other;
            } catch {
              await sleep(3);
            }
            ends.push(`body at ${loop.time()}`);
          });
        } finally {
          ends.push(`group at ${loop.time()}`);
        }
      });
      await gather(task, { returnExceptions: true });
      expect(ends).toEqual(["body at 4", "group at 4"]);
    });
  });

  test("of a deadline that a bare promise kept waiting ends in a TimeoutError", async () => {
    await run(async () => {
      const task: asyncio.Task<void> = createTask(async () => {
        const other = createTask(async () => {
          await task;
        });
        await timeout(0.5, async () => {
          await bare(1);
          await other;
        });
      });
      const [end] = await gather(task, { returnExceptions: true });
      expect(end).toBeInstanceOf(asyncio.TimeoutError);
      expect(task.cancelling()).toBe(0);
    });
  });
});

describe("a chain that is longer than a request passes waiters that were asked in the same entry", () => {
  const LENGTH = 200;

  /** A task that waits for a task, and so on, down to `tail`. */
  function chain(length: number, tail: () => Promise<void>): asyncio.Task<void> {
    return createTask(async () => {
      await (length === 0 ? tail() : chain(length - 1, tail));
    });
  }

  test("passes on a second request that comes later", async () => {
    await run(async ({ loop }) => {
      const top = chain(LENGTH, async () => {
        try {
          await sleep(1000);
        } finally {
          await sleep(300);
        }
      });
      await expect((async () => await timeout(5, async () => await waitFor(top, 1)))()).rejects.toThrow(
        asyncio.TimeoutError,
      );
      expect(loop.time()).toBe(5);
    });
  });

  test("gather() too, however often it was cancelled before", async () => {
    await run(async () => {
      let requests = 0;
      const stubborn = createTask(async () => {
        while (requests < 80) {
          try {
            await sleep(1000);
          } catch {
            requests++;
          }
        }
      });
      const both = gather(stubborn, sleep(0));
      for (let i = 0; i < 80; i++) {
        await sleep(1);
        expect(both.cancel()).toBe(true);
      }
      await gather([both], { returnExceptions: true });
      expect([requests, stubborn.done()]).toEqual([80, true]);
    });
  });
});

test("a circle through a group of any size comes apart", async () => {
  await run(async () => {
    const parent: asyncio.Task<void> = createTask(async () => {
      await taskGroup(async (group) => {
        for (let i = 0; i < 2000; i++) {
          group.createTask(async () => {
            await parent;
          });
        }
      });
    });
    await sleep(1);
    parent.cancel();
    await sleep(1);
    expect(parent.cancelled()).toBe(true);
  });
});

describe("a future whose cancel() throws", () => {
  class Throwing extends asyncio.Future<void> {
    override cancel(): boolean {
      throw new Error("no");
    }
  }

  test.each(["deadline", "group"])("does not end the loop when a %s asks it", async (kind) => {
    const reports = await run(async ({ loop }) => {
      const future = new Throwing();
      loop.callLater(2, () => future.setResult());
      const body = async (): Promise<void> => {
        await future;
      };
      const failing = createTask(async () => {
        if (kind === "deadline") await timeout(1, body);
        else {
          await taskGroup(async (group) => {
            group.createTask(body);
            group.createTask(async () => {
              await sleep(1);
              throw new RangeError("a task of the group");
            });
          });
        }
      });
      await wait([failing]);
      if (failing.done() && !failing.cancelled()) failing.exception();
      expect(loop.time()).toBe(2);
    });
    expect(reports.map(({ exception }) => String(exception))).toEqual(["Error: no"]);
  });
});

test("wait() retrieves no exception", async () => {
  const reports = await run(async () => {
    await wait([
      createTask(async () => {
        throw new Error("x");
      }),
    ]);
    await sleep(0.01);
  });
  expect(reports.map(({ message }) => message)).toEqual(["Task exception was never retrieved"]);
});

describe("asCompleted() that was left", () => {
  test("still completes what it has given out", async () => {
    await run(async () => {
      const [first] = asyncio.asCompleted([sleep(2, "slow"), sleep(1, "fast")]);
      expect(await first).toBe("fast");
    });
  });

  test("still completes several, as tasks", async () => {
    await run(async () => {
      const tasks: asyncio.Task<string>[] = [];
      for (const next of asyncio.asCompleted([sleep(3, "c"), sleep(2, "b"), sleep(1, "a")])) {
        tasks.push(createTask(next));
        if (tasks.length === 2) break;
      }
      expect(await gather(tasks)).toEqual(["a", "b"]);
    });
  });
});

test.each([0, -1, Number.NaN])("awaitBudget refuses %s", async (count) => {
  await run(async ({ loop }) => {
    expect(() => (loop.awaitBudget = count)).toThrow(RangeError);
  });
});
