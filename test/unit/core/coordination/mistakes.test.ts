/** E11, G4: calls as Python has them, and other slips: the error names the cure. */

import { runInNewContext } from "node:vm";
import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const work = async (): Promise<void> => await asyncio.sleep(0);

test.each<[string, () => unknown, RegExp]>([
  ["gather(fn)", () => asyncio.gather(work as never), /received work\(\), a function: call it/],
  ["shield(fn)", () => asyncio.shield(work as never), /received work\(\), a function: call it/],
  [
    "timeout(1)",
    () => asyncio.timeout(1, undefined as never),
    /The body is a function, timeout\(seconds, async \(\) => \.\.\.\): received undefined/,
  ],
  ["timeoutAt(1)", () => asyncio.timeoutAt(1, null as never), /timeoutAt\(when, async \(\) => \.\.\.\): received null/],
  [
    "taskGroup()",
    () => asyncio.taskGroup(undefined as never),
    /taskGroup\(async \(group\) => \.\.\.\): received undefined/,
  ],
  [
    "createTask(promise)",
    () => asyncio.createTask(Promise.resolve() as never),
    /it runs already and has no owner; pass the function/,
  ],
  [
    "createTask(promise) of another realm",
    () => asyncio.createTask(runInNewContext("Promise.resolve()") as never),
    /Cannot start a promise with createTask: it runs already and has no owner; pass the function/,
  ],
  [
    "createTask(future)",
    () => asyncio.createTask(asyncio.getRunningLoop().createFuture() as never),
    /use ensureFuture\(future\)/,
  ],
])("E11: %s", async (_name, mistake, message) => {
  await run(async () => {
    expect(mistake).toThrow(message);
  });
});

test("G4: a coroutine that is taken apart without await says what is missing", async () => {
  await run(async () => {
    const pair = asyncio.coroutine(async () => [1, 2]);
    expect(() => {
      const [a, b] = pair() as never as number[];
      return [a, b];
    }).toThrow("<coroutine anonymous()> was not awaited: write await before it");
  });
});
