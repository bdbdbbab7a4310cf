/** A queue that was long gives its memory back when it is empty. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const gc = (globalThis as { gc?: () => void }).gc!;

const ITEMS = 2_000_000;

/** The bytes in use, after the garbage collector has run. */
function bytesHeld(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

test.each([
  ["Queue", () => new asyncio.Queue<number>()],
  ["LifoQueue", () => new asyncio.LifoQueue<number>()],
  ["PriorityQueue", () => new asyncio.PriorityQueue<number>()],
])("H7: a %s holds less than a tenth of what it held when it was full", async (_name, make) => {
  await run(async () => {
    const queue = make();
    const empty = bytesHeld();
    for (let i = 0; i < ITEMS; i++) queue.putNowait(i);
    const full = bytesHeld() - empty;
    for (let i = 0; i < ITEMS; i++) queue.getNowait();
    const left = bytesHeld() - empty;
    expect(queue.empty()).toBe(true);
    expect(full).toBeGreaterThan(ITEMS);
    expect(left / full).toBeLessThan(0.1);
    queue.putNowait(1);
    expect(queue.getNowait()).toBe(1);
  });
});
