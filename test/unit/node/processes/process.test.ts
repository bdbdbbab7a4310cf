/** Whole programs in processes of their own: how they end. Needs a built `dist/`; `npm test` builds it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `code` as a module. A line `READY` on its output makes `interact` run, with the process. */
async function runProgram(
  code: string,
  options: { readonly env?: NodeJS.ProcessEnv; readonly onReady?: (kill: () => void) => void } = {},
): Promise<Ended> {
  const program = `import * as asyncio from "asyncio-ts";\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: root,
    env: { ...process.env, ...options.env },
  });
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of chunk.split("\n").slice(0, -1)) {
      if (line === "READY") options.onReady?.(() => child.kill("SIGINT"));
      else stdout += `${line}\n`;
    }
  });
  const [code_, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code: code_, signal, stdout, stderr };
}

test("a deadlock is an error instead of a silent end", async () => {
  const { code, stderr } = await runProgram(`
    await asyncio.run(async function main() {
      await asyncio.getRunningLoop().createFuture();
    });
  `);
  expect(code).toBe(1);
  expect(stderr).toContain("DeadlockError: deadlock: a task still waits, and nothing is left that could wake the loop");
  expect(stderr).toMatch(/Task 'Task-\d+' in main\(\)\n {2}waits for <Future pending/);
});

test("a task that awaits a promise that never settles is a deadlock too", async () => {
  const { stdout } = await runProgram(`
    const error = await asyncio.run(() => new Promise(() => {})).catch((error) => error);
    console.log(error.name);
  `);
  expect(stdout).toBe("DeadlockError\n");
});

test("Ctrl-C cancels main, which cleans up; run() throws KeyboardInterrupt", async () => {
  const { code, stdout } = await runProgram(
    `
    try {
      await asyncio.run(async () => {
        try {
          console.log("READY");
          await asyncio.sleep(60);
        } finally {
          await asyncio.sleep(0.01);
          console.log("cleaned");
        }
      });
    } catch (error) {
      console.log(error.name);
    }
  `,
    { onReady: (kill) => kill() },
  );
  expect([code, stdout]).toEqual([0, "cleaned\nKeyboardInterrupt\n"]);
});

test("a second Ctrl-C ends the process with 130, after saying what still runs", async () => {
  const { code, stderr } = await runProgram(
    `
    await asyncio.run(async function stubborn() {
      for (;;) {
        try {
          console.log("READY");
          await asyncio.sleep(60);
        } catch {
          await asyncio.sleep(0.15); // what came within a tenth of a second would be the same signal
        }
      }
    });
  `,
    { onReady: (kill) => kill() },
  );
  expect(code).toBe(130);
  expect(stderr).toContain("Interrupted while these tasks were still running:\nTask 'Task-1' in stubborn()");
});

test("ASYNCIO_DEBUG switches debug mode on", async () => {
  const program = `await asyncio.run(async () => console.log(asyncio.getRunningLoop().getDebug()));`;
  expect((await runProgram(program, { env: { ASYNCIO_DEBUG: "1" } })).stdout).toBe("true\n");
  expect((await runProgram(program, { env: { ASYNCIO_DEBUG: "" } })).stdout).toBe("false\n");
});

test("reports go to standard error, in CPython's form", async () => {
  const { code, stdout, stderr } = await runProgram(`
    await asyncio.run(async () => {
      asyncio.createTask(async function bug() { throw new TypeError("not consumed"); }, { name: "bugtask" });
      void asyncio.sleep(1);
      await asyncio.sleep(0);
      console.log("done");
    });
  `);
  expect([code, stdout]).toEqual([0, "done\n"]);
  expect(stderr).toMatch(
    /^coroutine 'sleep' was never awaited\nTask exception was never retrieved\nfuture: <Task finished name='bugtask' coro=<bug\(\) done> exception=TypeError\('not consumed'\)>\nTypeError: not consumed\n {4}at /,
  );
});

test("an idle loop keeps no process alive, and a timer does", async () => {
  const { stdout } = await runProgram(`
    await asyncio.run(() => asyncio.sleep(0.02));
    console.log("slept");
    asyncio.newEventLoop();
  `);
  expect(stdout).toBe("slept\n");
});
