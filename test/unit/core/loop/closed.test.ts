/** What goes on after a loop was closed ends all the same, and is counted once. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

test("a task that ends after its loop was closed is counted once", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  loop.setExceptionHandler(() => {});
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  loop.createTask(async () => await gate);
  await loop.runUntilComplete(() => sleep(1));
  loop.close();
  open();
  await letProcessGoOn();
  expect(loop.statistics().tasks).toBe(0);
});

// What is awaited once the loop is closed can never be done: it is ended like the waits that close() found.
test("a wait that begins after the loop was closed ends, so that a `finally` is reached", async () => {
  const record: string[] = [];
  const background = async (): Promise<void> => {
    try {
      await sleep(100);
    } finally {
      try {
        await sleep(10); // the loop closes while it cleans up
      } finally {
        try {
          await sleep(1);
        } finally {
          record.push("cleaned up");
        }
      }
    }
  };
  await run(async () => {
    background().catch(() => {});
    await sleep(1);
  });
  await letProcessGoOn();
  expect(record).toEqual(["cleaned up"]);
});
