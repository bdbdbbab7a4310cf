/** Async iterators that are driven from outside, one next() at a time: a next() that is cancelled takes nothing. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { bytesOf, textOf } from "../network/support.ts";
import { run } from "../../virtual.ts";

const { asCompleted, sleep, waitFor } = asyncio;

describe("H6: next(), given up at a deadline", () => {
  test("of a queue's iterator leaves the item that comes later in the queue", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>();
      const iterator = queue[Symbol.asyncIterator]();
      await expect(waitFor(iterator.next(), 1)).rejects.toThrow(asyncio.TimeoutError);
      queue.putNowait("item");
      await sleep(0);
      expect(queue.qsize()).toBe(1);
      expect(await iterator.next()).toEqual({ done: false, value: "item" });
    });
  });

  // CPython: the same, `anext(aiter(as_completed(...)))` in `wait_for`.
  test("of the iterator of asCompleted() leaves the future that is done later for the next one", async () => {
    await run(async ({ loop }) => {
      const futures = [loop.createFuture<number>(), loop.createFuture<number>()] as const;
      const iterator = asCompleted(futures)[Symbol.asyncIterator]();
      await expect(waitFor(iterator.next(), 1)).rejects.toThrow(asyncio.TimeoutError);
      futures[0].setResult(7);
      await sleep(0);
      const { value } = await waitFor(iterator.next(), 1);
      expect((value as [asyncio.Future<number>])[0]).toBe(futures[0]);
      await iterator.return?.();
    });
  });

  // CPython: b"line\n", `anext(aiter(reader))` in `wait_for`.
  test("of a reader's iterator leaves the line that comes later in the reader", async () => {
    await run(async () => {
      const reader = new asyncio.StreamReader();
      const iterator = reader[Symbol.asyncIterator]();
      await expect(waitFor(iterator.next(), 1)).rejects.toThrow(asyncio.TimeoutError);
      reader.feedData(bytesOf("line\n"));
      await sleep(0);
      expect(textOf(await waitFor(reader.readline(), 1))).toBe("line\n");
    });
  });
});

describe("H6: next(), awaited in a task that is cancelled", () => {
  test("of a queue's iterator in an async function leaves the item in the queue", async () => {
    await run(async () => {
      const queue = new asyncio.Queue<string>();
      const iterator = queue[Symbol.asyncIterator]();
      const task = asyncio.createTask(async () => void (await iterator.next()));
      await sleep(1);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
      queue.putNowait("item");
      await sleep(0);
      expect(queue.getNowait()).toBe("item");
    });
  });
});
