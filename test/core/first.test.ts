import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";

test("a week of sleep passes at once on the virtual host", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  await loop.runUntilComplete(() => asyncio.sleep({ days: 7 }));
  expect(loop.time()).toBe(604_800);
});
