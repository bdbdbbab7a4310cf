/** What was forgotten is reported once the garbage collector has found it. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

const { sleep } = asyncio;

// V8 keeps the receivers of an error's frames until its `stack` is read: error, driver, task, future hold each other.
test("a failed task that nobody holds is collected and reported before the loop closes", async () => {
  const reports: asyncio.ExceptionContext[] = [];
  const loop = asyncio.newEventLoop();
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await loop.runUntilComplete(async () => {
    for (let i = 0; i < 20; i++) {
      asyncio.createTask(function* () {
        yield* [];
        throw new Error("lost");
      } as never);
      await sleep(0);
    }
    for (let i = 0; i < 10_000 && reports.length === 0; i++) {
      await sleep(0.001);
      (globalThis as { gc?: () => void }).gc?.();
    }
    expect(reports.length).toBeGreaterThan(0);
  });
  loop.close();
});
