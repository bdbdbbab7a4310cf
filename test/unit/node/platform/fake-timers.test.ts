/** E10: fake timers of test runners, all of them faked, which is what Vitest, Jest and sinon do unless told otherwise. */

import * as asyncio from "asyncio-ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

// A faked setImmediate that is asked for while the clock ticks comes a millisecond later, and the loop's turn with it.
test.each([0.001, 0.1, 0.3, 1.1, 60, 86_400.7])(
  "E10: sleep(%d) fires with the next tick of the clock",
  async (delay) => {
    const start = Date.now();
    let firedAfter = Number.NaN;
    const program = asyncio.run(async () => {
      await asyncio.sleep(delay);
      firedAfter = Date.now() - start;
    });
    await vi.advanceTimersByTimeAsync(delay * 1000);
    expect(firedAfter).toBeNaN();
    await vi.advanceTimersByTimeAsync(1);
    expect(firedAfter).toBe(delay * 1000 + 1);
    await vi.runAllTimersAsync();
    await program;
  },
);

test("E10: with timers and clocks faked and immediates real, sleep(60) fires at 60 seconds", async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  let firedAfter = Number.NaN;
  const program = asyncio.run(async () => {
    const start = Date.now();
    await asyncio.sleep(60);
    firedAfter = Date.now() - start;
  });
  await letProcessGoOn();
  await vi.advanceTimersByTimeAsync(60_000);
  await program;
  expect(firedAfter).toBe(60_000);
});

test("E10: a deadline passes with them", async () => {
  const program = asyncio.run(() => asyncio.timeout(60, () => asyncio.sleep(3600)));
  const outcome = expect(program).rejects.toBeInstanceOf(asyncio.TimeoutError);
  await vi.advanceTimersByTimeAsync(60_001);
  await vi.runAllTimersAsync();
  await outcome;
});
