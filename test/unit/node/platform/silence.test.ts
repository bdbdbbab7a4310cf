/** E7: a hang that is no deadlock, in debug mode. */

import { createServer } from "node:net";
import * as asyncio from "asyncio-ts";
import { afterEach, expect, test, vi } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";

afterEach(() => void vi.useRealTimers());

test.each([
  [
    true,
    [
      /^Nothing has happened for 10 seconds\nTask 'Task-\d+' in \w+\(\)\n {2}waits for <Future pending[^]*kept alive by .*TCPS/,
    ],
  ],
  [false, []],
])("E7: with debug %s", async (debug, expected) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const port = createServer().listen(0);
  const loop = asyncio.newEventLoop();
  const reports: string[] = [];
  loop.setExceptionHandler((_loop, { message }) => void reports.push(message));
  const never = loop.createFuture();
  const program = asyncio.run(
    async () => {
      await never;
    },
    { debug, loopFactory: () => loop },
  );
  await letProcessGoOn();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(reports).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(reports).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reports).toHaveLength(expected.length);
  loop.callSoonThreadsafe(() => never.setResult());
  await program;
  port.close();
});
