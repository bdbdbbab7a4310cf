/** Promises as futures. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
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
