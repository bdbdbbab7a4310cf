/** The loop's clock and its host's: long waits, and slow steps. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";

const { sleep } = asyncio;

// `when < now + resolution` is never true once the resolution is less than half a step of the clock's numbers.
test("a sleep of a year ends in virtual time", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  const watchdog = setInterval(() => {
    if (loop.statistics().turns > 1000) loop.stop();
  }, 1);
  try {
    await loop.runUntilComplete(() => sleep({ days: 365 }));
  } finally {
    clearInterval(watchdog);
  }
});

// "Let I/O in at least every 10 ms": the clock is read after 64 entries, however long each takes.
test("slow steps, a few in a turn, leave the loop to its host every ten milliseconds", async () => {
  class SlowHost extends VirtualHost {
    spent: number = 0;
    calls: number = 0;
    override now(): number {
      return super.now() + this.spent;
    }
    override requestTurn(delay: number): void {
      this.calls++;
      super.requestTurn(delay);
    }
  }
  const host = new SlowHost();
  const loop = new asyncio.BaseEventLoop(host);
  await loop.runUntilComplete(function* () {
    for (let i = 0; i < 60; i++) {
      host.spent += 0.005;
      yield* sleep(0);
    }
  } as never);
  expect(host.calls).toBeGreaterThanOrEqual(20);
});
