/** `npx asyncio-ts ps` and `pstree` on processes that were not prepared for it. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build } from "../examples/program.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const library = JSON.stringify(new URL("../../../dist/node/index.js", import.meta.url).href);
const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-cli-"));

beforeAll(build);
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the command line answers. */
async function ask(...args: string[]): Promise<Answer> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [join(root, "bin/asyncio-ts.mjs"), ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

/** A program that prints a line when it is ready: its pid. */
async function start(program: string, env: Record<string, string> = {}): Promise<string> {
  const code = `import * as asyncio from ${library};\n${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, XDG_RUNTIME_DIR: folder, ...env },
  });
  const exit = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  await once(createInterface({ input: child.stdout }), "line");
  return String(child.pid);
}

const GROUP = `
  async function album() { await asyncio.sleep(60); }
  function* main() {
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(album, { name: "Sundowning" });
      group.createTask(function* tmbte() { yield* asyncio.timeout(60, () => asyncio.sleep(60)); }, { name: "TMBTE" });
      yield* asyncio.sleep(0.01);
      console.log("ready");
    });
  }
  await asyncio.run(main);`;

describe.runIf(process.platform === "linux")("a process that runs", () => {
  test("pstree: who waits for whom", async () => {
    const pid = await start(GROUP);
    const { code, stdout, stderr } = await ask("pstree", pid);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trimEnd().split("\n")).toEqual([
      "└── (T) Task-1",
      "    └──  main",
      "        └──  taskGroup",
      "            ├── (T) Sundowning",
      "            │   └──  album",
      "            └── (T) TMBTE",
      "                └──  tmbte",
      "                    └──  timeout",
    ]);
  });

  test("ps: a row for each; asked again and again, by several at once, and nothing is left", async () => {
    const pid = await start(GROUP);
    const before = readdirSync(folder);
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask("ps", pid)));
    for (const { code, stdout, stderr } of answers) {
      expect([code, stderr]).toEqual([0, ""]);
      const rows = stdout.trimEnd().split("\n").slice(2);
      expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
        [pid, "0x1", "Task-1", "taskGroup -> main", "0x0"],
        [pid, "0x2", "Sundowning", "album", "taskGroup -> main", "Task-1", "0x1"],
        [pid, "0x3", "TMBTE", "timeout -> tmbte", "taskGroup -> main", "Task-1", "0x1"],
      ]);
    }
    expect(readdirSync(folder)).toEqual(before);
  });

  test("pstree: who holds the lock that everybody waits for", async () => {
    const pid = await start(`
      const lock = new asyncio.Lock();
      async function holder() { await lock.hold(async () => { console.log("ready"); await asyncio.sleep(60); }); }
      async function waiter() { await lock.acquire(); }
      await asyncio.run(async function main() {
        await asyncio.taskGroup(async (group) => {
          group.createTask(holder, { name: "holder" });
          group.createTask(waiter, { name: "waiter" });
        });
      });`);
    const { stdout } = await ask("pstree", pid);
    expect(stdout).toContain("└── waits for Lock.acquire() of <Lock [locked, waiters:1]>, held by Task 'holder'");
  });

  test("names cannot speak to the terminal", async () => {
    const pid = await start(`await asyncio.run(async () => {
      const task = asyncio.createTask(asyncio.sleep(60), { name: "\\u001b[31mred\\u202e\\nnext" });
      console.log("ready");
      await task;
    });`);
    const { stdout } = await ask("pstree", pid);
    expect(stdout).toContain("(T) ?[31mred??next");
  });

  test("tasks that wait for each other: no tree, but the circle", async () => {
    const pid = await start(`await asyncio.run(async () => {
      const tasks = [];
      const waitFor = (i) => async () => { await asyncio.sleep(0); await asyncio.shield(tasks[i]); };
      tasks.push(asyncio.createTask(waitFor(1), { name: "a" }), asyncio.createTask(waitFor(0), { name: "b" }));
      await asyncio.sleep(0.01);
      console.log("ready");
      await asyncio.sleep(60);
    });`);
    const { code, stdout, stderr } = await ask("pstree", pid);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("ERROR: await-graph contains cycles - cannot print a tree!\n\ncycle: a → b → a\n");
    expect((await ask("ps", pid)).code).toBe(0);
  });
});

describe.runIf(process.platform === "linux")("a process that does not answer", () => {
  test("its loop is blocked", async () => {
    const pid = await start(`await asyncio.run(async () => { console.log("ready"); for (;;); });`);
    const { code, stderr } = await ask("ps", pid);
    expect(code).toBe(1);
    expect(stderr).toBe(`Error: process ${pid} does not answer: its loop is blocked, and computes\n`);
  });

  test("it is stopped", async () => {
    const pid = await start(GROUP);
    process.kill(Number(pid), "SIGSTOP");
    expect((await ask("ps", pid)).stderr).toBe(`Error: process ${pid} does not answer: it is stopped (SIGSTOP)\n`);
    process.kill(Number(pid), "SIGCONT");
  });

  test("it has nothing to do with us, or does not want to: it gets no signal", async () => {
    const foreign = `Error: process PID runs no loop of asyncio-ts (or has ASYNCIO_TS_ATTACH=0)\n`;
    for (const [program, env] of [
      [`console.log("ready"); setInterval(() => {}, 1e6);`, {}],
      [GROUP, { ASYNCIO_TS_ATTACH: "0" }],
    ] as const) {
      const pid = await start(program, env);
      expect((await ask("ps", pid)).stderr).toBe(foreign.replace("PID", pid));
      expect(existsSync(`/proc/${pid}`)).toBe(true);
    }
  });

  test("it catches every signal, to end by any: it is not asked", async () => {
    const pid = await start(`
      import { constants } from "node:os";
      for (const signal of Object.keys(constants.signals)) {
        if (!["SIGKILL", "SIGSTOP", "SIGPROF"].includes(signal)) process.on(signal, () => process.exit(1));
      }
      await asyncio.run(async () => { console.log("ready"); await asyncio.sleep(60); });`);
    expect((await ask("ps", pid)).stderr).toBe(
      `Error: process ${pid} catches every signal: it is not asked, lest it ends\n`,
    );
    expect(existsSync(`/proc/${pid}`)).toBe(true);
  });

  test("it is not there", async () => {
    expect(await ask("ps", "999999999")).toEqual({
      code: 1,
      stdout: "",
      stderr: "Error: process 999999999 not found\n",
    });
  });
});

test("a command line that says nothing is told what it may say", async () => {
  expect((await ask("--help")).stdout).toMatch(/^usage: asyncio-ts COMMAND PID/);
  for (const [args, message] of [
    [[], /^no command\n\nusage:/],
    [["jump"], /^no such command: jump/],
    [["ps"], /^the PID of a process is missing/],
    [["ps", "one"], /^no PID of a process: one/],
    [["ps", "1", "2"], /^no PID of a process/],
    [["--frobnicate"], /Unknown option '--frobnicate'/],
  ] as const) {
    const { code, stderr } = await ask(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  }
});
