/** `npx asyncio-ts` on processes that were not prepared for it. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build } from "../examples/program.ts";
import { ask } from "./ask.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const library = JSON.stringify(new URL("../../../dist/node/index.js", import.meta.url).href);
const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-cli-"));

beforeAll(build);
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that prints a line when it is ready: its pid. */
async function start(
  program: string,
  env: Record<string, string> = {},
  stderr: "inherit" | "ignore" = "inherit",
): Promise<string> {
  const code = `import * as asyncio from ${library};\n${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", stderr],
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

/** Kills a process as soon as `isTime`. */
async function terminatedOnce(pid: string, isTime: () => boolean): Promise<void> {
  for (let asked = false; !asked;) {
    asked = readFileSync("/proc/net/unix", "utf8").includes(folder) || !isTime();
    // oxlint-disable-next-line no-await-in-loop -- until it has opened its door
    if (!asked) await new Promise((resolve) => setImmediate(resolve));
  }
  process.kill(Number(pid), "SIGKILL");
}

function hasTmux(): boolean {
  return spawnSync("tmux", ["-V"]).error === undefined;
}

/** A command in a terminal of its own. */
class Terminal {
  readonly #name: string = `asyncio-ts-${process.pid}`;

  constructor(command: string) {
    const shell = `${command}; echo "the end: $?"; read line`;
    this.#tmux("new-session", "-d", "-s", this.#name, "-x", "120", "-y", "15", shell);
    onTestFinished(() => void this.#tmux("kill-session", "-t", this.#name));
  }

  press(...keys: string[]): void {
    for (const key of keys) this.#tmux("send-keys", "-t", this.#name, key);
  }

  /** The screen, as soon as it shows that. */
  async shows(what: RegExp): Promise<string> {
    for (;;) {
      const screen = this.#tmux("capture-pane", "-p", "-t", this.#name);
      if (what.test(screen)) return screen;
      // oxlint-disable-next-line no-await-in-loop -- until it does
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.#name, ...args], { encoding: "utf8" });
  }
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

/** A task that goes on, one that holds a lock for ever, and one that waits for it. */
const LOCKED = `
  const lock = new asyncio.Lock();
  async function ticker() { for (;;) await asyncio.sleep(0.005); }
  async function holder() { await lock.hold(async () => { console.log("ready"); await asyncio.sleep(60); }); }
  async function waiter() { await lock.acquire(); }
  await asyncio.run(async function main() {
    await asyncio.taskGroup(async (group) => {
      for (const work of [ticker, holder, waiter]) group.createTask(work, { name: work.name });
    });
  });`;

describe.runIf(process.platform === "linux")("a process that is watched for a while", () => {
  test("top: what each task does, a single time", async () => {
    const pid = await start(LOCKED);
    const { code, stdout, stderr } = await ask("top", pid, "--once", "--seconds", "0.3", "--sort", "steps");
    expect([code, stderr]).toEqual([0, ""]);
    const [totals, , head, first, ...rest] = stdout.trimEnd().split("\n");
    expect(totals).toMatch(/^4 tasks, 0 made, 0 ended · turns \d+\/s · steps \d+\/s/);
    expect(head!.split(/ {2,}/)).toEqual(["task", "steps", "busy", "longest", "waiting", "age", "where"]);
    expect(first).toMatch(/^ticker +[1-9]\d* /);
    expect(rest.join("\n")).toMatch(/^waiter +0 .*waiter · Lock\.acquire\(\).*held by Task 'holder'/m);
  });

  test.runIf(hasTmux())("top in a terminal: sorts, filters, and leaves the screen as it was", async () => {
    const pid = await start(LOCKED);
    const terminal = new Terminal(`${process.execPath} ${join(root, "bin/asyncio-ts.mjs")} top ${pid} --seconds 0.1`);
    await terminal.shows(/sorted by busy · s sort · \/ filter · q quit/);
    terminal.press("s");
    await terminal.shows(/sorted by waiting/);
    terminal.press("/", "hol", "Enter");
    const filtered = await terminal.shows(/filter \(hol\)/);
    expect(filtered).toMatch(/^holder /m);
    expect(filtered).not.toMatch(/^(ticker|waiter) /m);
    terminal.press("q");
    await terminal.shows(/the end: 0/);
    // What it recorded has ended with it: whoever comes next begins anew.
    expect((await ask("ps", pid)).code).toBe(0);
  });

  test("trace: a file of Chrome trace events", async () => {
    const pid = await start(LOCKED);
    const file = join(folder, "trace.json");
    const { code, stdout, stderr } = await ask("trace", pid, "--seconds", "0.3", "-o", file);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\d+ events in .*trace\.json: open it in https:\/\/ui\.perfetto\.dev\n$/);
    const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as { traceEvents: { ph: string; name: string }[] };
    expect(traceEvents.filter(({ ph, name }) => ph === "X" && name === "ticker").length).toBeGreaterThan(5);
    rmSync(file);
  });

  test("stuck: who does not go on, and for what it waits", async () => {
    const pid = await start(LOCKED);
    const { code, stdout, stderr } = await ask("stuck", pid, "--seconds", "0.3");
    expect([code, stderr]).toEqual([0, ""]);
    const [summary, ...lines] = stdout.trimEnd().split("\n");
    expect(summary).toMatch(/^In 0\.\d s: \d+ turns of the loop, \d+ steps; 3 of 4 tasks did not go on\.$/);
    expect(lines).toEqual([
      "  waiter in waiter waits for Lock.acquire() of <Lock [locked, waiters:1]>, held by Task 'holder'",
      "  holder in holder",
      "  Task-1 in main waits for ticker, holder, waiter",
    ]);
  });

  test("one that ends meanwhile is told", async () => {
    const pid = await start(LOCKED);
    const answer = ask("top", pid, "--once", "--seconds", "0.5");
    // Only a process that was found can end while it is watched.
    await terminatedOnce(pid, () => readdirSync(`/proc/${pid}/fd`).length > 0);
    const { code, stderr } = await answer;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: process \d+ (has ended|not found)\n$/);
  });
});

describe.runIf(process.platform === "linux")("a process whose loop is blocked", () => {
  const SPINNING = `
    function spin() { for (;;); }
    await asyncio.run(async function main() { console.log("ready"); await asyncio.sleep(0.01); spin(); });`;

  test("stuck says so, and with consent asks Node's inspector for the line, which is closed again", async () => {
    const pid = await start(SPINNING, {}, "ignore");
    expect((await ask("stuck", pid)).stderr).toBe(
      `Error: process ${pid} does not answer: its loop is blocked, and computes\n`,
    );
    const { code, stdout } = await ask("stuck", pid, "--inspector");
    expect(code).toBe(0);
    const [said, line] = stdout.split("\n");
    expect(said).toBe(`process ${pid} does not answer: its loop is blocked in`);
    expect(line).toMatch(/^ {4}at spin \(.*:3:\d+\)$/);
    await expect(fetch("http://127.0.0.1:9229/json/list")).rejects.toThrow("fetch failed");
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

describe("run", () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  test("runs what a module exports, in either syntax, with its own arguments", async () => {
    const byDefault = file("default.mjs", `export default async function () { console.log(process.argv.slice(2)); }`);
    expect(await ask("run", byDefault, "one", "--debug", "--help")).toEqual({
      code: 0,
      stdout: "[ 'one', '--debug', '--help' ]\n",
      stderr: "",
    });
    const asMain = file(
      "main.mjs",
      `import * as asyncio from ${library};
      export function* main() { console.log(yield* asyncio.sleep(0.001, asyncio.getRunningLoop().getDebug())); }`,
    );
    expect((await ask("run", asMain)).stdout).toBe("false\n");
    expect((await ask("run", "--debug", asMain)).stdout).toBe("true\n");
  });

  test("a program that runs its loop itself, and its exit status", async () => {
    const program = file(
      "program.mjs",
      `import * as asyncio from ${library};
      await asyncio.run(async () => console.log("ran"));
      process.exitCode = 3;`,
    );
    expect(await ask("run", program)).toEqual({ code: 3, stdout: "ran\n", stderr: "" });
  });

  test("an error of the program is its own, a TypeError too", async () => {
    const { code, stderr } = await ask("run", file("throws.mjs", `export const main = async () => null.x;`));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^TypeError: Cannot read properties of null/m);
    expect(stderr).not.toContain("usage");
  });

  test("what cannot be run says why", async () => {
    const [major] = process.versions.node.split(".").map(Number);
    const typescript = file("typed.ts", `export const main = async (): Promise<void> => console.log("typed");`);
    if (major! >= 24) expect((await ask("run", typescript)).stdout).toBe("typed\n");
    else
      expect((await ask("run", typescript)).stderr).toContain(
        "typed.ts cannot be run: this runtime runs no TypeScript",
      );
    expect(await ask("run", "/nowhere.mjs")).toEqual({
      code: 2,
      stdout: "",
      stderr: "Error: no such file: /nowhere.mjs\n",
    });
    expect((await ask("run")).stderr).toBe("Error: the FILE to run is missing\n");
    expect((await ask("run", "--fast", "x")).stderr).toBe("Error: run has no option --fast\n");
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
    [["ps", "1", "--seconds", "2"], /^ps has no option --seconds/],
    [["top", "1", "--sort", "colour"], /^--sort must be one of busy, waiting, .*: received colour/],
    [["trace", "1", "--seconds", "never"], /^--seconds must be up to 3600: received never/],
    [["--frobnicate"], /Unknown option '--frobnicate'/],
  ] as const) {
    const { code, stderr } = await ask(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  }
});
