/** D1: callbacks that carry no async context, as those of ws, socket.io and grpc-js: the running loop is the thread's. */

import { AsyncResource } from "node:async_hooks";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";

const { sleep } = asyncio;

/** Made where no loop runs: what it calls has no context of a loop's. */
const outside = new AsyncResource("server");

/** Calls `callback` later, as an emitter does that was made before any loop; what it returned, or threw. */
function emitLater<T>(callback: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const emit = (): void => void (async () => callback())().then(resolve, reject);
    outside.runInAsyncScope(() => void setImmediate(emit));
  });
}

describe("D1: in a callback without context, while one loop runs", () => {
  test("that loop is the running one, and there is no current task", async () => {
    await asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      const seen = emitLater(() => [asyncio.getRunningLoop() === loop, asyncio.currentTask()]);
      expect(await asyncio.fromPromise(seen)).toEqual([true, null]);
    });
  });

  test("tasks are made, and what is awaited goes on, in both syntaxes", async () => {
    await asyncio.run(async () => {
      const callback = async (): Promise<unknown[]> => {
        const queue = new asyncio.Queue<string>();
        const task = asyncio.createTask(function* () {
          yield* queue.put("from a task");
        });
        const item = await queue.get();
        await task;
        await sleep(0.001);
        const deadline = asyncio.timeout(0.001, () => sleep(60));
        return [item, await deadline.catch((error: Error) => error.name)];
      };
      expect(await asyncio.fromPromise(emitLater(callback))).toEqual(["from a task", "TimeoutError"]);
    });
  });

  test("run() is allowed: it is no coroutine that calls it", async () => {
    await asyncio.run(async () => {
      const inner = emitLater(() => asyncio.run(() => sleep(0.001, "inner")));
      expect(await asyncio.fromPromise(inner)).toBe("inner");
    });
  });

  test("a handler gives the call an owner", async () => {
    await asyncio.run(async () => {
      const call = asyncio.handler(
        async () => {
          await sleep(0.001);
          return asyncio.currentTask()?.getName();
        },
        { name: "message" },
      );
      expect(await asyncio.fromPromise(emitLater(call))).toBe("message");
    });
  });
});

test("D1: while several loops run, the error names the cure; the loop that was taken outside knows", async () => {
  const [first, second] = [0, 1].map(() =>
    asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      await sleep(0.005);
      const lost = emitLater(() => asyncio.getRunningLoop());
      await expect(asyncio.fromPromise(lost)).rejects.toThrow(
        /several run.*const loop = asyncio\.getRunningLoop\(\).*loop\.createTask.*asyncio\.handler/,
      );
      const found = emitLater(async () => (await loop.createTask(() => sleep(0.001, "found"))) as string);
      expect(await asyncio.fromPromise(found)).toBe("found");
    }),
  );
  await Promise.all([first, second]);
});

test("D1: while none runs, it says so", async () => {
  await expect(emitLater(() => asyncio.getRunningLoop())).rejects.toThrow(
    "no running event loop: call this from inside asyncio.run(...)",
  );
});
