/**
 * `node scripts/fuzz.mjs [--language NAME] [--seed N] [--count N] [--size N]`: does the library do what CPython does, also in programs
 * that nobody has seen? Records random programs with `scripts/record.mjs`, runs them in both syntaxes, prints those
 * that fail, makes the first few of them as small as it can, and ends with `N passed, N failed`.
 *
 * Without `--seed`, each run takes another one, and prints it. Programs that CPython itself does not get through need
 * only end, and leave nothing behind.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LANGUAGES, loadKit } from "../test/conformance/programs/kit/load.mjs";
import { smallerPrograms } from "../test/conformance/programs/kit/reduce.mjs";
import { root } from "./setup.mjs";

const USAGE = "usage: node scripts/fuzz.mjs [--language NAME] [--seed N] [--count N] [--size N]";
/** How many failing programs are made small: each takes a minute or two. */
const REDUCED = 2;
const folder = join(root, "node_modules", ".cache", "asyncio-ts-fuzz");

const { language, seed, count, size } = readCommandLine();
mkdirSync(folder, { recursive: true });
const { interpreters, parseCorpus, check, reasonFor, Report } = await loadKit();

console.log(`${language}: seed ${seed}, ${count} programs of size ${size}`);
const report = new Report(console.log);
await report.check(record([seed, count, size]), interpreters.get(language));
const names = new Set();
for (const { program, interpreter } of report.failing) {
  if (names.size === REDUCED || names.has(program.id)) continue;
  names.add(program.id);
  const { trace, ...reduced } = await reduce(program, interpreter);
  console.log(`${program.id} (${interpreter.syntax}), made small:\n${JSON.stringify(reduced)}`);
  console.log(`CPython's trace:\n  ${trace?.join("\n  ") ?? "none"}`);
}
report.end();
process.exitCode = report.failing.length === 0 ? 0 : 1;

/** Takes away whatever can go while the program still fails. */
async function reduce(program, interpreter) {
  for (;;) {
    const candidates = [...smallerPrograms(program)].toSorted((a, b) => lengthOf(a) - lengthOf(b));
    const file = join(folder, "candidates.jsonl");
    writeFileSync(file, candidates.map((candidate) => JSON.stringify(candidate)).join("\n"));
    const failing = await firstFailing(record(["--programs", file]), interpreter);
    if (failing === null) return program;
    program = failing;
  }
}

async function firstFailing(programs, interpreter) {
  for (const program of programs) {
    const result = await check(program, interpreter);
    if (result.difference !== null && reasonFor(result, interpreter) === null) return program;
  }
  return null;
}

function lengthOf({ main, coros }) {
  return JSON.stringify([main, coros]).length;
}

function record(args) {
  const recorder = [join(root, "scripts", "record.mjs"), "--language", language, ...args.map(String)];
  const options = { encoding: "utf8", maxBuffer: Infinity, stdio: ["ignore", "pipe", "inherit"] };
  const { status, stdout } = spawnSync(process.execPath, recorder, options);
  if (status !== 0) process.exit(status ?? 1);
  return parseCorpus(stdout);
}

function readCommandLine() {
  try {
    const { values } = parseArgs({
      options: {
        language: { type: "string", default: "primitives" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        count: { type: "string", default: "300" },
        size: { type: "string", default: "6" },
      },
    });
    if (!LANGUAGES.includes(values.language)) throw new Error(`no such language: ${values.language}`);
    for (const [name, value] of Object.entries(values)) {
      if (name === "language") continue;
      if (!/^\d+$/.test(value)) throw new Error(`--${name} takes a number: received ${value}`);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return process.exit(2);
  }
}
