/** C8: what can be waited for has `then`, `catch` and `finally` as a promise has them. */

import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

async function failing(): Promise<never> {
  await sleep(1);
  throw new RangeError("no such page");
}

function unexpected(value: unknown): never {
  assert.fail(String(value));
}

/** One of each kind: pending and done, with a generator, a future and a turn behind it. */
const kinds: Record<string, () => asyncio.Awaitable<string>> = {
  "a task": () => asyncio.createTask(() => sleep(1, "value")),
  "a coroutine with a generator": () =>
    asyncio.coroutine(function* () {
      return yield* sleep(1, "value");
    })(),
  "a coroutine that does not wait": () => asyncio.coroutine(async () => "value")(),
  "a sleep": () => sleep(1, "value"),
  "a turn": () => sleep(0, "value"),
  "a queue's get that waits": () => {
    const queue = new asyncio.Queue<string>();
    asyncio.getRunningLoop().callLater(1, () => queue.putNowait("value"));
    return queue.get();
  },
  "a queue's get that does not wait": () => {
    const queue = new asyncio.Queue<string>();
    queue.putNowait("value");
    return queue.get();
  },
  "a future that is done": () => {
    const future = asyncio.getRunningLoop().createFuture<string>();
    future.setResult("value");
    return future;
  },
  "a deadline": () => asyncio.timeout(5, () => sleep(1, "value")),
};

describe.each(Object.entries(kinds))("C8: %s", (_name, make) => {
  test("then() gives what the callback returned, whatever is chained and when", async () => {
    await run(async () => {
      const length = (value: string): number => value.length;
      expect(await make().then(length)).toBe(5);
      expect(await make().then(length, unexpected)).toBe(5);
      expect(await make().then(lengthLater, unexpected)).toBe(5);
      expect(await make().then(null, null)).toBe("value");
      expect(await make().then(null).then(length)).toBe(5);
      const late = make().then(length, unexpected);
      await sleep(2);
      expect(await late).toBe(5);
      expect(await late).toBe(5);
    });
  });

  test("catch() and finally() pass the value on", async () => {
    await run(async () => {
      let calls = 0;
      expect(await make().catch(unexpected)).toBe("value");
      expect(await make().finally(() => void calls++)).toBe("value");
      expect(
        await make()
          .then(null, unexpected)
          .finally(() => void calls++),
      ).toBe("value");
      expect(calls).toBe(2);
    });
  });

  test("an error of a callback goes to who chains", async () => {
    const reports = await run(async () => {
      const broken = (): never => {
        throw new TypeError("broken");
      };
      await assert.rejects(make().then(broken), TypeError);
      await assert.rejects(make().then(broken, unexpected), TypeError);
      await assert.rejects(make().finally(broken), TypeError);
      expect(await make().then(broken, unexpected).catch(String)).toBe("TypeError: broken");
    });
    expect(reports).toEqual([]);
  });
});

async function lengthLater(value: string): Promise<number> {
  await Promise.resolve();
  return value.length;
}

describe("C8: a failure", () => {
  test.each([
    ["a task", () => asyncio.createTask(failing)],
    ["a coroutine", () => asyncio.coroutine(failing)()],
  ])("of %s goes along the chain until somebody catches it", async (_name, make) => {
    await run(async () => {
      await assert.rejects(make(), RangeError);
      await assert.rejects(make().then(String), RangeError);
      await assert.rejects(
        make().finally(() => 5),
        RangeError,
      );
      expect(await make().then(unexpected, String)).toBe("RangeError: no such page");
      expect(await make().catch(String)).toBe("RangeError: no such page");
      expect(
        await make()
          .then(String)
          .catch(() => "caught"),
      ).toBe("caught");
      await expect(make()).rejects.toThrow("no such page");
    });
  });

  test("of a coroutine that cannot start goes along the chain too", async () => {
    const coroutine = asyncio.coroutine(async () => 1)();
    expect(await coroutine.then(unexpected, String)).toMatch(/no running event loop/);
    expect(await coroutine.catch(String)).toMatch(/cannot reuse/);
  });
});

test("C8: matchers of test runners look at the value", async () => {
  await run(async () => {
    await expect(sleep(1, 5)).resolves.toBe(5);
    await expect(expect(sleep(1, 5)).resolves.toBe(6)).rejects.toThrow(/expected 5 to be 6/);
    await expect(asyncio.createTask(() => sleep(1, 5))).resolves.toBe(5);
  });
});

test("C8: a callback given by hand is a wait of the task, and cancelled with it", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture<number>();
    const heard: unknown[] = [];
    const task = asyncio.createTask(async () => {
      future.then(heard.push.bind(heard), (error: unknown) => heard.push(String(error)));
      await sleep(10);
    });
    await sleep(1);
    task.cancel();
    await sleep(1);
    expect(heard).toEqual(["CancelledError"]);
  });
});

test("C8: a promise is wanted, and an awaitable does", async () => {
  const typed = (): Promise<number> => sleep(1, 5);
  await run(async () => {
    expect(await Promise.all([typed(), sleep(0, "b")])).toEqual([5, "b"]);
    expect(Object.prototype.toString.call(sleep(0).close)).toBe("[object Function]");
    expect(Object.prototype.toString.call(asyncio.createTask(() => sleep(0)))).toBe("[object Task]");
  });
});
