/** A generator object is one coroutine: it is driven once. Debug mode says so; to know it always would cost a microsecond. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { createTask, gather, sleep } = asyncio;

const debug = { debug: true };

/** How a task ended, as a value. */
async function endOf(task: asyncio.Task<unknown>): Promise<unknown> {
  const [end] = await gather(task, { returnExceptions: true });
  return end;
}

describe("H6: one generator object, in debug mode", () => {
  // CPython: the first task gives 5, the second one RuntimeError: cannot reuse already awaited coroutine.
  test("given to createTask() twice is run once, by the first; the second task fails", async () => {
    await run(async () => {
      const record: string[] = [];
      const work = function* (): asyncio.CoroutineGenerator<number> {
        for (const step of ["one", "two", "three"]) {
          record.push(step);
          yield* sleep(1);
        }
        return 5;
      };
      const object = work();
      const [first, second] = [createTask(object), createTask(object)];
      expect(await endOf(first)).toBe(5);
      const error = await endOf(second);
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
      expect(String(error)).toContain("cannot reuse");
      expect(record).toEqual(["one", "two", "three"]);
    }, debug);
  });

  test("given to createTask() when another task is in the middle of it is refused, and the other goes on", async () => {
    await run(async ({ loop }) => {
      const work = function* (): asyncio.CoroutineGenerator<string> {
        yield* sleep(1);
        yield* sleep(1);
        return "result";
      };
      const object = work();
      const first = createTask(object);
      await sleep(0.5);
      expect(await endOf(createTask(() => object))).toBeInstanceOf(asyncio.RuntimeError);
      expect(loop.time()).toBe(0.5);
      expect(await first).toBe("result");
      expect(loop.time()).toBe(2);
    }, debug);
  });
});
