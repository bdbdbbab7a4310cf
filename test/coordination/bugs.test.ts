/** What should hold and does not: each test fails until its bug is mended, and moves to its subject's file then. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../virtual.ts";
import { outcomeOf } from "./outcomes.ts";

const { createTask, sleep, taskGroup } = asyncio;

describe("taskGroup()", () => {
  // CPython 3.15 has it too: `_exit` swallows every CancelledError once it is aborting, and without an error in the
  // group nobody asks again. The request stays counted and is never delivered.
  test("a cancellation from outside that comes while a cancelled group waits for its tasks is not lost", async () => {
    await run(async () => {
      const task = createTask(async () => {
        await taskGroup(async (group) => {
          group.createTask(async () => {
            try {
              await sleep(10);
            } finally {
              await sleep(3);
            }
          });
          await sleep(1);
          group.cancel();
        });
        await sleep(100);
        return "never heard of it";
      });
      await sleep(2);
      expect(task.cancel("external")).toBe(true);
      expect(await outcomeOf(task)).toBeInstanceOf(asyncio.CancelledError);
    });
  });
});

describe("Queue", () => {
  // CPython takes a getter out of the line when it wakes it; here the woken stay, and each wake() walks past them.
  test.each([
    [
      "Queue",
      () => {
        const queue = new asyncio.Queue<number>();
        return [() => queue.get(), () => queue.putNowait(0)] as const;
      },
    ],
    [
      "Semaphore",
      () => {
        const semaphore = new asyncio.Semaphore(0);
        return [() => semaphore.acquire(), () => semaphore.release()] as const;
      },
    ],
  ])("%s: ten thousand that wait are woken in a moment", async (_name, make) => {
    await run(async () => {
      const [wait, wake] = make();
      const tasks = Array.from({ length: 10_000 }, () => createTask(wait() as asyncio.Coroutine<unknown>));
      await sleep(1);
      const start = performance.now();
      for (let i = 0; i < tasks.length; i++) wake();
      expect(performance.now() - start).toBeLessThan(300);
      await asyncio.gather(tasks);
    });
  });

  // CPython binds the queue as a whole: RuntimeError('<Queue …> is bound to a different event loop').
  test("that one loop got from, another cannot wait to put into", async () => {
    const queue = new asyncio.Queue<number>(1);
    await run(async () => {
      const getting = createTask(queue.get());
      await sleep(0);
      queue.putNowait(1);
      await getting;
    });
    await run(async () => {
      queue.putNowait(1);
      const putting = createTask(queue.put(2));
      await sleep(0);
      queue.getNowait();
      expect(await outcomeOf(putting)).toBeInstanceOf(asyncio.RuntimeError);
    });
  });

  // TypeScript gives the variable of `for await` the type of what is awaited, which is what `await queue.get()` gives.
  test("`for await` of items that can be awaited gives what its type says", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture<string>();
      future.setResult("inner");
      const queue = new asyncio.Queue<asyncio.Future<string>>();
      queue.putNowait(future);
      queue.shutdown();
      for await (const item of queue) {
        const text: string = item;
        expect(text).toBe("inner");
      }
    });
  });
});
