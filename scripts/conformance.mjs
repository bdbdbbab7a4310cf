/**
 * `npm run conformance -- FILE...`: does the library do what CPython does? Runs every program of the corpora given, or
 * of the project's own, prints each that fails with its first differing line, and ends with `N passed, N failed`.
 *
 * `--built` leaves out the programs with an op that is not built yet, and says how many; without it they fail.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ensureBuilt, may, root, tool } from "./setup.mjs";

const USAGE = "usage: npm run conformance -- [--built] [FILE...]";
const folder = join(root, "test", "conformance");

const { onlyBuilt, files } = readCommandLine();
const texts = files.map(readCorpus);
ensureBuilt();
const { generators, checkAll, describe, missingOps, parseCorpus } = await loadInterpreter();

const programs = texts.flatMap(parseCorpus);
const chosen = programs.filter((program) => !onlyBuilt || missingOps(program, generators).length === 0);
let [passed, failed] = [0, 0];
for await (const { program, difference } of checkAll(chosen, generators)) {
  if (difference === null) {
    passed++;
  } else {
    failed++;
    console.log(`FAILED ${program.id}: ${describe(difference).replaceAll("\n", "\n  ")}`);
  }
}
if (onlyBuilt) console.log(`${programs.length - chosen.length} left out: they contain ops that are not built yet`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function readCommandLine() {
  try {
    const options = { built: { type: "boolean", default: false } };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    return { onlyBuilt: values.built, files: positionals.length > 0 ? positionals : ownCorpora() };
  } catch (error) {
    return fail(error.message);
  }
}

function ownCorpora() {
  const corpus = join(folder, "corpus");
  return readdirSync(corpus)
    .filter((name) => name.endsWith(".jsonl"))
    .toSorted()
    .map((name) => join(corpus, name));
}

function readCorpus(file) {
  try {
    return readFileSync(resolve(file), "utf8");
  } catch (error) {
    return fail(error.message);
  }
}

function fail(message) {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

/**
 * The interpreter is TypeScript, which Node 20 cannot load. It is compiled to `test/conformance/dist`, from where
 * `asyncio-ts` means this package (inside of `node_modules` it would not).
 */
async function loadInterpreter() {
  const status = may(tool("tsc"), ["-p", join(folder, "tsconfig.build.json")]);
  if (status !== 0) process.exit(status);
  const load = (name) => import(pathToFileURL(join(folder, "dist", name)).href);
  return { ...(await load("run.js")), ...(await load("language.js")), ...(await load("interpreter.js")) };
}
