/** E10: fake timers of test runners, all of them faked, which is what Vitest, Jest and sinon do unless told otherwise. */

import * as asyncio from "asyncio-ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([0.001, 0.1, 0.3, 1.1, 60, 86_400.7])(
  "E10: sleep(%d) fires at that time, and not a millisecond later",
  async (delay) => {
    const start = Date.now();
    let firedAfter = Number.NaN;
    const program = asyncio.run(async () => {
      await asyncio.sleep(delay);
      firedAfter = Date.now() - start;
    });
    await vi.advanceTimersByTimeAsync(delay * 1000 - 1);
    expect(firedAfter).toBeNaN();
    await vi.advanceTimersByTimeAsync(2);
    expect(firedAfter).toBe(delay * 1000);
    await vi.runAllTimersAsync();
    await program;
  },
);

test("E10: a deadline passes with them", async () => {
  const program = asyncio.run(() => asyncio.timeout(60, () => asyncio.sleep(3600)));
  const outcome = expect(program).rejects.toBeInstanceOf(asyncio.TimeoutError);
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.runAllTimersAsync();
  await outcome;
});
