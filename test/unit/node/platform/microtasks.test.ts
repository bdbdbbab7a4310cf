/**
 * Letting promises go on in a turn: what the program throws meanwhile is the program's, from the first drain on. Whole
 * programs run in processes of their own, from a built `dist/`; `npm test` builds it.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

async function runProgram(code: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = `import * as asyncio from "asyncio-ts";\nimport { Readable } from "node:stream";\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { code: status, output };
}

describe("an error in the first drain", () => {
  const errors = [
    ["of a rejected promise that nothing awaits", `(async () => { throw new Error("mine"); })();`],
    ["of process.nextTick()", `process.nextTick(() => { throw new Error("mine"); });`],
    ["of a stream without a listener", `new Readable({ read() {} }).destroy(new Error("mine"));`],
    ["of queueMicrotask()", `queueMicrotask(() => { throw new Error("mine"); });`],
  ] as const;

  test.each(errors)("%s ends the process, as without the library", async (_what, statement) => {
    const { code, output } = await runProgram(`
      await asyncio.run(async () => { ${statement} await asyncio.sleep(0.001); console.log("END"); });
    `);
    expect(output).toContain("Error: mine");
    expect(output).not.toMatch(/^END$/m);
    expect(code).toBe(1);
  });

  test.each(errors)("%s reaches 'uncaughtException', and later drains work", async (_what, statement) => {
    const { code, output } = await runProgram(`
      process.on("uncaughtException", (error) => console.log("uncaught", error.message));
      await asyncio.run(async () => { ${statement} await asyncio.sleep(0.001); console.log("END"); });
      setImmediate(() => console.log(new asyncio.NodeHost().drainMicrotasks()));
    `);
    expect(output).toBe("uncaught mine\nEND\ntrue\n");
    expect(code).toBe(0);
  });
});

test("an error thrown in process.nextTick goes to 'uncaughtException', and the process goes on", async () => {
  const { code, output } = await runProgram(`
    process.on("uncaughtException", (error) => console.log("uncaught " + error.message));
    await asyncio.run(async () => {
      await asyncio.sleep(0);
      process.nextTick(() => { throw new Error("foreign"); });
      await asyncio.sleep(0.001);
    });
    console.log("the end");
  `);
  expect(output).toBe("uncaught foreign\nthe end\n");
  expect(code).toBe(0);
});

describe("drainMicrotasks()", () => {
  const node = process as unknown as { _tickCallback: unknown };
  const original = node._tickCallback;

  afterEach(() => {
    node._tickCallback = original;
    vi.resetModules();
  });

  /** The result of two drains by a copy of the module that has drained nothing yet, where Node has `tick`. */
  async function drainsWith(tick: unknown): Promise<boolean[]> {
    vi.resetModules();
    const { drainMicrotasks } = await import("../../../../src/node/platform/microtasks.ts");
    return await new Promise((resolve) => {
      setImmediate(() => {
        node._tickCallback = tick;
        const results = [drainMicrotasks(), drainMicrotasks()];
        node._tickCallback = original;
        resolve(results);
      });
    });
  }

  test("uses Node's private function where it works", async () => {
    expect(await drainsWith(original)).toEqual([true, true]);
  });

  test("is false where there is none, and where it runs no promises", async () => {
    expect(await drainsWith(undefined)).toEqual([false, false]);
    expect(await drainsWith(() => {})).toEqual([false, false]);
  });
});
