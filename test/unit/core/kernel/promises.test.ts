/** Promises as futures. */

import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

test("cancelling a future whose promise rejects with a hostile error does no harm", async () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", listen);
  try {
    await run(async () => {
      let reject!: (error: unknown) => void;
      const future = asyncio.fromPromise(new Promise((_resolve, no) => (reject = no)));
      future.cancel();
      reject({
        get name(): never {
          throw new Error("name");
        },
      });
      await sleep(1);
    });
    await letProcessGoOn();
  } finally {
    process.off("unhandledRejection", listen);
  }
  expect(unhandled).toEqual([]);
});

/** The ends of a promise whose future has been cancelled. */
function cancelledFuture<T>(options?: asyncio.FromPromiseOptions<T>): {
  resolve(value: T): void;
  reject(error: unknown): void;
} {
  let [resolve, reject] = [assert.fail as (value: T) => void, assert.fail as (error: unknown) => void];
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  asyncio.fromPromise(promise, options).cancel();
  return { resolve, reject };
}

describe("B7: after the cancellation", () => {
  test("work that was told to stop may be rejected with whatever it likes", async () => {
    const reports = await run(async () => {
      const future = asyncio.fromPromise(
        (signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () =>
              reject(Object.assign(new Error("canceled"), { code: "ERR_CANCELED" })),
            ),
          ),
      );
      future.cancel();
      await sleep(1);
    });
    expect(reports).toEqual([]);
  });

  test("a promise that fails is reported: nobody told its work to stop", async () => {
    const reports = await run(async () => {
      cancelledFuture().reject(new Error("no such host"));
      await sleep(1);
    });
    expect(reports.map(({ exception }) => String(exception))).toEqual(["Error: no such host"]);
  });
});

describe("C6: a value that comes after the cancellation", () => {
  test("goes to late, once; one in time does not", async () => {
    const reports = await run(async () => {
      const seen: string[] = [];
      const late = (value: string): void => void seen.push(value);
      cancelledFuture({ late }).resolve("connection");
      expect(await asyncio.fromPromise(Promise.resolve("in time"), { late })).toBe("in time");
      await sleep(1);
      expect(seen).toEqual(["connection"]);
    });
    expect(reports).toEqual([]);
  });

  test("is disposed of, if it knows how to be", async () => {
    const reports = await run(async () => {
      const seen: string[] = [];
      cancelledFuture<object>().resolve({ [Symbol.dispose]: () => void seen.push("dispose") });
      cancelledFuture<object>().resolve({
        [Symbol.asyncDispose]: async () => void seen.push("asyncDispose"),
        [Symbol.dispose]: () => void seen.push("not this one"),
      });
      cancelledFuture<unknown>().resolve(null);
      cancelledFuture<object>().resolve({});
      await sleep(1);
      expect(seen).toEqual(["dispose", "asyncDispose"]);
    });
    expect(reports).toEqual([]);
  });

  test.each([
    ["throws", () => assert.fail("broken")],
    ["rejects", async () => assert.fail("broken")],
  ])("late that %s is reported", async (_name, late) => {
    const reports = await run(async () => {
      cancelledFuture<number>({ late }).resolve(1);
      await sleep(1);
    });
    expect(reports.map(({ exception }) => (exception as Error).message)).toEqual(["broken"]);
  });

  test("late that is no function is refused", async () => {
    await run(async () => {
      const late = 5 as never;
      expect(() => asyncio.fromPromise(Promise.resolve(1), { late })).toThrow(
        "A function is required as late: received 5",
      );
    });
  });
});

describe("C7: a foreign thenable is taken as await takes it", () => {
  const foreign: Record<string, PromiseLike<unknown>> = {
    "that calls back twice": thenable((resolve, reject) => {
      resolve("first");
      resolve("second");
      reject(new Error("third"));
    }),
    "that throws after it called back": thenable((resolve) => {
      resolve("first");
      throw new Error("late");
    }),
    "that resolves with a promise": thenable((resolve) => resolve(Promise.resolve("first"))),
  };

  test.each(Object.entries(foreign))("one %s", async (_name, one) => {
    await run(async () => {
      expect(await one).toBe("first");
      expect(await asyncio.fromPromise(one)).toBe("first");
      expect(await asyncio.gather(one, one)).toEqual(["first", "first"]);
      expect(await asyncio.waitFor(one, 1)).toBe("first");
      expect(await asyncio.shield(one)).toBe("first");
      expect(await asyncio.ensureFuture(one)).toBe("first");
    });
  });
});

function thenable(
  then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void,
): PromiseLike<unknown> {
  // oxlint-disable-next-line unicorn/no-thenable -- what is tested
  return { then } as PromiseLike<unknown>;
}
