/**
 * `npm run packages -- [--quick] [NAME...]`: the library as its users get it. Packs the tarball, installs it beside the
 * bundlers, compilers and test runners of `test/system/packages/projects.mjs`, builds each project there and runs what comes
 * out. Prints a line for each, and at the end `N passed, N failed`.
 *
 * The tools come from npm, once, to `node_modules/.cache/packages`. `--quick` leaves out what another project stands for.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECTS, TOOLS } from "../test/system/packages/projects.mjs";
import { installPacked } from "./setup.mjs";

/** How many projects are built at a time, and how long one may take, in milliseconds. */
const AT_A_TIME = 2;
const LIMIT = 120_000;

const { values, positionals } = parseArgs({ options: { quick: { type: "boolean" } }, allowPositionals: true });
const names = Object.keys(PROJECTS).filter(isChosen);
if (names.length === 0) {
  console.error(`no such project: ${positionals.join(", ")}\nprojects: ${Object.keys(PROJECTS).join("; ")}`);
  process.exit(2);
}

const folder = installPacked("packages", TOOLS);
// Test runners look for no tests below a folder called `node_modules`.
const projects = mkdtempSync(join(tmpdir(), "asyncio-ts-packages-"));
symlinkSync(join(folder, "node_modules"), join(projects, "node_modules"), "junction");
process.on("exit", () => rmSync(projects, { recursive: true, force: true }));
const waiting = [...names];
let failed = 0;
await Promise.all(Array.from({ length: AT_A_TIME }, tryProjects));
console.log(`${names.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function isChosen(name) {
  if (positionals.length > 0) return positionals.some((start) => name.startsWith(start));
  return values.quick !== true || PROJECTS[name].isQuick === true;
}

async function tryProjects() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const start = performance.now();
    const fault = await tryProject(PROJECTS[name], join(projects, name.replaceAll(/\W+/g, "-")));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${fault === null ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    if (fault === null) continue;
    failed++;
    console.log(fault.replaceAll(/^/gm, "    "));
  }
}

/** Makes the project, builds and runs it; what is wrong with it, or `null`. */
async function tryProject({ files, run, prints }, place) {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(place, path), text);
  let output = "";
  for (const command of run) {
    const result = await execute(command, place);
    if (result.status !== 0) return `${command.join(" ")} ended with ${result.status}\n${result.output}`;
    output = result.output.trim();
  }
  return prints === undefined || output === prints ? null : `printed: ${output}\ninstead: ${prints}`;
}

async function execute([program, ...args], cwd) {
  const isNode = program === "node";
  const executable = isNode ? process.execPath : join(folder, "node_modules", ".bin", program);
  const child = spawn(executable, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT,
    shell: process.platform === "win32" && !isNode,
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [status, signal] = await once(child, "close");
  return { status: status ?? signal, output };
}
