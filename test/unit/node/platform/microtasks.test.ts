/** Letting promises go on in the middle of a turn, in a process of its own. */

import { expect, test } from "vitest";
import { runProgram } from "../../program.ts";

// process._tickCallback() throws through the library's frames: "async hook stack has become corrupted", exit code 1.
test("an error thrown in process.nextTick goes to 'uncaughtException', and the process goes on", async () => {
  const { code, output } = await runProgram(`
    process.on("uncaughtException", (error) => console.log("uncaught " + error.message));
    await asyncio.run(async () => {
      await sleep(0);
      process.nextTick(() => { throw new Error("foreign"); });
      await sleep(0.001);
    });
    console.log("the end");
  `);
  expect(output).toBe("uncaught foreign\nthe end\n");
  expect(code).toBe(0);
});
