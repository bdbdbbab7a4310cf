/**
 * `node scripts/fuzz.mjs [--language NAME] [--seed N] [--count N] [--size N]`: does the library do what CPython does, also in programs
 * that nobody has seen? Records random programs with `scripts/record.mjs`, runs them in every syntax, prints those
 * that fail, makes the first few of them as small as it can, and ends with `N passed, N failed`.
 *
 * Without `--seed`, each run takes another one, and prints it. Programs that CPython itself does not get through need
 * only end, and leave nothing behind.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { LANGUAGES, loadKit } from "../test/conformance/programs/kit/load.mjs";
import { smallerPrograms } from "../test/conformance/programs/kit/reduce.mjs";
import { watchForStalls } from "../test/conformance/programs/kit/stall-watch.mjs";
import { root } from "./setup.mjs";

const USAGE = "usage: node scripts/fuzz.mjs [--language NAME] [--seed N] [--count N] [--size N]";
/** How many failing programs are made small: each takes some seconds. */
const REDUCED = 3;

const { language, seed, count, size } = readCommandLine();
const { interpreters, parseCorpus, check, reasonFor, Report } = await loadKit();

console.log(`${language}: seed ${seed}, ${count} programs of size ${size}`);
const watch = watchForStalls();
const report = new Report(console.log, watch.begins);
await report.check(record([seed, count, size]), interpreters.get(language));
watch.pauses();
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

/** Takes away whatever can go while the program still fails in the same way. */
async function reduce(program, interpreter) {
  const recorder = startRecorder();
  const kind = await kindOf(program, interpreter);
  for (let found = program; found !== null;) {
    program = found;
    found = null;
    const candidates = [...smallerPrograms(program)].toSorted((a, b) => lengthOf(a) - lengthOf(b));
    for (const candidate of candidates) {
      const recorded = await recorder.record(candidate);
      if ((await kindOf(recorded, interpreter)) !== kind) continue;
      found = recorded;
      break;
    }
  }
  recorder.end();
  return program;
}

/** How a program fails; `null` if it does not, or is known to. */
async function kindOf(program, interpreter) {
  watch.begins(`${JSON.stringify(program)} (${interpreter.syntax})`);
  const result = await check(program, interpreter);
  watch.pauses();
  if (result.difference === null || reasonFor(result, interpreter) !== null) return null;
  return result.difference.kind === "trace" ? "trace" : String(result.difference.error).slice(0, 30);
}

/** A recorder that stays: its start takes longer than a hundred programs. */
function startRecorder() {
  const args = [join(root, "scripts", "record.mjs"), "--language", language, "--programs", "-"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async record(program) {
      child.stdin.write(`${JSON.stringify(program)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("the recorder has ended");
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
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
