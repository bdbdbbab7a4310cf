/** E7: a hang that is no deadlock, in debug mode: while a loop runs, and after it. */

import type { Server } from "node:net";
import { createServer } from "node:net";
import * as asyncio from "asyncio-ts";
import { afterEach, expect, test, vi } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";

/** Closes `server`, and waits until Node does not list it any more. */
async function close(server: Server): Promise<void> {
  server.close();
  await letProcessGoOn();
}

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
  await close(port);
});

test.each([
  [
    "opened in main",
    true,
    [/^The loop was closed 10 seconds ago, and the process goes on: kept alive by TCPS\w+; close/],
  ],
  ["opened before", true, []],
  ["opened in main", false, []],
])("E7: run() has ended, and a server %s is open; debug %s", async (when, debug, expected) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const warnings: string[] = [];
  const previous = asyncio.getLogger();
  asyncio.setLogger({ ...previous, warning: (text) => void warnings.push(text) });
  try {
    const server = createServer();
    if (when === "opened before") server.listen(0);
    await asyncio.run(
      async () => {
        if (when === "opened in main") server.listen(0);
      },
      { debug },
    );
    await vi.advanceTimersByTimeAsync(9_999);
    expect(warnings).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(warnings).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    await close(server);
  } finally {
    asyncio.setLogger(previous);
  }
});
