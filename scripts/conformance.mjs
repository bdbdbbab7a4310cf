/**
 * `npm run conformance -- FILE...`: does the library do what CPython does? Runs every program of the corpora given, or
 * of the project's own, prints each that fails with its first differing line, and ends with `N passed, N failed`. The
 * programs that the `known-differences.ts` of their language names are listed with the reason, and are in neither number.
 *
 * `--syntax generators|async|mixed|all` says how the coroutines of the programs are written; all is the default.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LANGUAGES, loadKit } from "../test/conformance/programs/kit/load.mjs";
import { watchForStalls } from "../test/conformance/programs/kit/stall-watch.mjs";
import { root } from "./setup.mjs";

const USAGE = "usage: npm run conformance -- [--syntax generators|async|mixed|all] [FILE...]";

const { syntax, files } = readCommandLine();
const texts = files.map(readCorpus);
const { interpreters, parseCorpus, Report } = await loadKit();

const watch = watchForStalls();
const report = new Report(console.log, watch.begins);
const programs = texts.flatMap(parseCorpus);
for (const language of LANGUAGES) {
  const spoken = programs.filter((program) => (program.language ?? "primitives") === language);
  const chosen = interpreters.get(language).filter((one) => syntax === "all" || one.syntax === syntax);
  await report.check(spoken, chosen);
}
watch.pauses();
report.end();
process.exitCode = report.failing.length === 0 ? 0 : 1;

function readCommandLine() {
  try {
    const options = { syntax: { type: "string", default: "all" } };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (!["generators", "async", "mixed", "all"].includes(values.syntax))
      throw new Error(`no such syntax: ${String(values.syntax)}`);
    return { syntax: values.syntax, files: positionals.length > 0 ? positionals : ownCorpora() };
  } catch (error) {
    return fail(error.message);
  }
}

function ownCorpora() {
  const corpora = LANGUAGES.map((language) => join(root, "test", "conformance", "programs", language, "corpus"));
  return corpora.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .toSorted()
      .map((name) => join(folder, name)),
  );
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
