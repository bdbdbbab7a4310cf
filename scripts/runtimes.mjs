/**
 * `npm run runtimes -- [NAME...]`: does the built package do what it promises on every runtime it is for? Runs
 * `test/system/runtimes` on the current Node.js, on node@22, node@24, node@26, bun, deno, and the core in a browser (Debian's
 * Chromium), in a page and in a worker; by default on all of them. Prints a line per check, a table, and at the end
 * `N passed, N failed, N skipped`.
 *
 * Runtimes come from npm, once, to `node_modules/.cache/runtimes`; Chromium from apt if this is root. One that cannot be
 * had is skipped, and so is what a runtime itself cannot do; but with `CI=true`, one that is named must be there.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { processes } from "../test/system/runtimes/processes.mjs";
import { ensureBuilt, installInto, root } from "./setup.mjs";

const folder = join(root, "node_modules", ".cache", "runtimes");
const main = join(root, "test", "system", "runtimes", "main.mjs");

const APT = "apt-get";

/** Milliseconds that the suite, and a program, may take before it is ended. */
const SUITE_LIMIT = 120_000;
const PROGRAM_LIMIT = 15_000;

const node = { kind: "process", program: "node", flags: [], bareFlags: [] };
const deno = {
  kind: "process",
  program: "deno",
  flags: ["run", "--no-prompt", "-A"],
  bareFlags: ["run", "--no-prompt"],
};

const RUNTIMES = {
  node: { ...node, version: process.version },
  "node@22": { ...node, install: "node@22" },
  "node@24": { ...node, install: "node@24" },
  "node@26": { ...node, install: "node@26" },
  bun: { ...node, program: "bun", install: "bun" },
  deno: { ...deno, install: "deno" },
  browser: { kind: "browser", page: '<script type="module" src="/test/system/runtimes/browser.mjs"></script>' },
  "browser worker": {
    kind: "browser",
    page: '<script>new Worker("/test/system/runtimes/browser.mjs", { type: "module" })</script>',
  },
};

const named = readCommandLine();
const names = named.length > 0 ? named : Object.keys(RUNTIMES);

/** What came of it: check -> runtime -> outcome. */
const table = new Map();
const counts = { passed: 0, failed: 0, skipped: 0 };
const WORDS = { passed: "ok", failed: "FAILED", skipped: "skipped" };

ensureBuilt();
for (const name of names) await tryRuntime(name);
printTable();
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function readCommandLine() {
  const words = process.argv.slice(2);
  const unknown = words.filter((word) => !Object.hasOwn(RUNTIMES, word));
  if (unknown.length === 0) return words;
  console.error(`unknown runtime: ${unknown.join(", ")}`);
  console.error(`usage: npm run runtimes -- [NAME...], of: ${Object.keys(RUNTIMES).join(", ")}`);
  return process.exit(2);
}

async function tryRuntime(name) {
  const runtime = RUNTIMES[name];
  const executable = runtime.kind === "browser" ? findChromium() : findExecutable(name, runtime);
  if (executable === null) {
    const isWanted = process.env.CI === "true" && named.length > 0;
    report(name, "the runtime is there", isWanted ? "failed" : "skipped", "it is not, and could not be installed");
    return;
  }
  console.log(`\n${name}: ${versionOf(executable)}`);
  if (runtime.kind === "browser") {
    await runInBrowser(name, executable, runtime.page);
    return;
  }
  await runSuite(name, executable, runtime);
  for (const program of processes) await runProgram(name, executable, runtime, program);
}

function report(runtime, check, outcome, remark = "") {
  counts[outcome]++;
  if (!table.has(check)) table.set(check, new Map());
  table.get(check).set(runtime, WORDS[outcome]);
  const detail = remark === "" ? "" : `: ${remark.replaceAll("\n", "\n        ")}`;
  console.log(`${WORDS[outcome].padEnd(7)} ${runtime}: ${check}${detail}`);
}

function reportResult(runtime, { name, failure, remark = "" }) {
  report(runtime, name, failure === null ? "passed" : "failed", failure ?? remark);
}

function printTable() {
  const columns = names.map((name) => Math.max(name.length, 7));
  const line = (cells, check) => console.log(`${cells.map((cell, i) => cell.padEnd(columns[i])).join("  ")}  ${check}`);
  console.log();
  line(names, "");
  for (const [check, outcomes] of table) {
    line(
      names.map((name) => outcomes.get(name) ?? "–"),
      check,
    );
  }
}

// --- having the runtimes

/** The program of a runtime, installed if need be; `null` if it cannot be had. */
function findExecutable(name, { program, install }) {
  if (install === undefined) return process.execPath;
  const prefix = join(folder, name.replace("@", "-"));
  const path = join(prefix, "node_modules", ".bin", program);
  if (versionOf(path) === "") {
    console.error(`Installing ${install} (once) …`);
    installInto(prefix, ["--no-save", install]);
  }
  return versionOf(path) === "" ? null : path;
}

function findChromium() {
  const path = "/usr/bin/chromium";
  if (!existsSync(path) && process.getuid?.() === 0) {
    console.error("Installing chromium (once) …");
    const quiet = { stdio: ["ignore", "ignore", 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]])
      spawnSync(APT, args, quiet);
  }
  return existsSync(path) ? path : null;
}

/** The first line of what a program says its version is; empty if it cannot be run. */
function versionOf(executable) {
  const { status, stdout } = spawnSync(executable, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return status === 0 ? stdout.split("\n")[0] : "";
}

// --- processes

function start(executable, args, { env = {}, limit }) {
  const { ASYNCIO_DEBUG: _debug, FORCE_COLOR: _color, ...inherited } = process.env;
  const quiet = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(folder, "deno", "cache") };
  const child = spawn(executable, args, {
    cwd: root,
    env: { ...inherited, ...quiet, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limit,
    killSignal: "SIGKILL",
  });
  const stderr = [];
  child.stderr.setEncoding("utf8").on("data", (chunk) => void stderr.push(chunk));
  return { child, lines: createInterface({ input: child.stdout }), closed: once(child, "close"), stderr };
}

async function runSuite(name, executable, { flags }) {
  const { lines, closed, stderr } = start(executable, [...flags, main], { limit: SUITE_LIMIT });
  for await (const line of lines) {
    if (line.startsWith("{")) reportResult(name, JSON.parse(line));
    else console.log(line);
  }
  const [code, signal] = await closed;
  const isWell = code === 0 && stderr.length === 0;
  const failure = isWell ? null : `exit ${code ?? signal}\n${stderr.join("")}`;
  reportResult(name, { name: "the suite came to its end, without a warning", failure });
}

async function runProgram(name, executable, { program: kind, flags, bareFlags }, program) {
  const reason = program.cannot?.[kind];
  if (reason !== undefined) {
    report(name, program.name, "skipped", reason);
    return;
  }
  const args = [...(program.isBare ? bareFlags : flags), main, program.name];
  const { child, lines, closed, stderr } = start(executable, args, { env: program.env, limit: PROGRAM_LIMIT });
  let stdout = "";
  lines.on("line", (line) => {
    if (line === "READY") child.kill("SIGINT");
    else stdout += `${line}\n`;
  });
  const [code, signal] = await closed;
  const failure = judge(program, { code: code ?? signal, stdout, stderr: stderr.join("") });
  reportResult(name, { name: program.name, failure });
}

/** How a program that ended differs from what was wanted; `null` if it does not. */
function judge({ code = 0, stdout = "", stderr = [] }, ended) {
  const isWell =
    ended.code === code &&
    ended.stdout === stdout &&
    (stderr.length === 0 ? ended.stderr === "" : stderr.every((pattern) => pattern.test(ended.stderr)));
  if (isWell) return null;
  const wanted = `wanted: ${code}, ${JSON.stringify(stdout)}, ${stderr.join(" ")}`;
  return `exit ${ended.code}, ${JSON.stringify(ended.stdout)}\n${wanted}\n${ended.stderr}`.trimEnd();
}

// --- browser

async function runInBrowser(name, executable, page) {
  const { server, results } = await serve(page);
  const profile = mkdtempSync(join(tmpdir(), "asyncio-ts-chromium-"));
  const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  const flags = ["--headless", "--no-sandbox", ...quiet, "--disable-component-update", "--disable-sync"];
  const url = `http://127.0.0.1:${server.address().port}/`;
  const browser = spawn(executable, [...flags, `--user-data-dir=${profile}`, url], { stdio: "ignore", detached: true });
  const closed = once(browser, "close");
  const limit = setTimeout(() => results.destroy(new Error("the suite did not end in time")), SUITE_LIMIT);
  browser.on("close", () => results.destroy(new Error("the browser ended")));
  let failure = null;
  try {
    for await (const result of results) reportResult(name, result);
  } catch (error) {
    failure = error.message;
  }
  reportResult(name, { name: "the suite came to its end, without a warning", failure });
  clearTimeout(limit);
  if (browser.exitCode === null && browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
  await closed;
  server.close();
  server.closeAllConnections();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

/** Serves `page`, `dist` and the suite, and takes the results. */
async function serve(page) {
  const results = new PassThrough({ objectMode: true });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (request.method === "POST") {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
      response.end();
      const result = JSON.parse(body);
      if (result === null) results.end();
      else results.write(result);
    } else if (pathname === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    } else if (/^\/(dist|test\/system\/runtimes)\/.*\.m?js$/.test(normalize(pathname))) {
      const text = await readFile(join(root, normalize(pathname))).catch(() => null);
      response.setHeader("content-type", "text/javascript");
      response.writeHead(text === null ? 404 : 200).end(text);
    } else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, results };
}
