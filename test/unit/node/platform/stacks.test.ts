/** B4: an error of a task has its callers in the stack, within the ten frames that V8 keeps. */

import { expect, test } from "vitest";
import { runProgram } from "../../program.ts";

test.each([
  ["a sleep", "await sleep(0.001);"],
  [
    "a queue",
    "const queue = new asyncio.Queue(); asyncio.getRunningLoop().callSoon(() => queue.putNowait(1)); await queue.get();",
  ],
  ["a task", "await asyncio.createTask(() => sleep(0));"],
  ["a promise", "await new Promise((resolve) => setTimeout(resolve, 1));"],
  ["a deadline", "await asyncio.timeout(1, async () => await sleep(0.001));"],
])("B4: after an await of %s, the stack names who awaits", async (_name, wait) => {
  const { output } = await runProgram(`
    async function query() { ${wait} throw new Error("no such table"); }
    async function load() { return await query(); }
    async function handle() { return await load(); }
    // The first turns find the platform's way to let promises go on.
    await asyncio.run(async () => { await sleep(0); await sleep(0); });
    await asyncio.run(async () => { await handle().catch((error) => console.log(error.stack)); });
  `);
  const frames = [...output.matchAll(/at (?:async )?(\w+) \(/g)].map(([, name]) => name);
  expect(frames.filter((name) => ["query", "load", "handle"].includes(name!))).toEqual(["query", "load", "handle"]);
});
