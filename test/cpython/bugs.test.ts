/** What CPython does and the library does not do yet. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { play } from "./suite.ts";

test("asCompleted() of a future of another loop is an error", async () => {
  await play(async () => {
    const other = new asyncio.BaseEventLoop(new VirtualHost());
    expect(() => asyncio.asCompleted([other.createFuture()])).toThrow(RangeError);
    other.close();
  });
});

test("a name that is a number is that number, and not the name of the task so numbered", async () => {
  await play(function* () {
    const task = asyncio.createTask(asyncio.sleep(0), { name: 5 as never });
    expect(task.getName()).toBe("5");
    yield* task;
  });
});
