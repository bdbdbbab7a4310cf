/**
 * Measures how operations grow. Each sample is a process of its own, which counts the processor's time; the sizes and the
 * subjects of an operation are interleaved; and the least of a size's samples is what counts.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownBuild } from "../builds.mjs";
import { findPython } from "../subjects.mjs";
import { STEADY_OPTIONS, takeSample } from "../take-sample.mjs";
import { fitExponent } from "./exponent.mjs";
import { drawGrowth } from "./table.mjs";

const sampleProgram = fileURLToPath(new URL("sample.mjs", import.meta.url));
const pythonProgram = fileURLToPath(new URL("python/operations.py", import.meta.url));

const SIZES = { full: [1000, 3000, 10_000, 30_000, 100_000], quick: [1000, 3000, 10_000, 30_000] };

/** Of a size that takes longer, one sample is enough. */
const SLOW_MILLISECONDS = 2000;
/** After a size that takes longer, there are no larger ones. */
const STOP_MILLISECONDS = 10_000;
/** What takes longer with all that it has to build will not end today. */
const LIMIT_SECONDS = 60;

/**
 * How an operation grew for a subject.
 *
 * @typedef {object} Growth
 * @property {string} name
 * @property {string} subject
 * @property {readonly { readonly n: number, readonly milliseconds: number }[]} points
 * @property {number | null} exponent
 * @property {string | null} ended why there are no larger sizes.
 */

/**
 * Measures what `options` ask for, prints the table, and writes the file.
 *
 * @param {import("../options.mjs").Options} options
 */
export function measureGrowth(options) {
  const python = findPython();
  const sizes = SIZES[options.size];
  const environment = [`Node.js ${options.nodeVersion}`, python].filter((part) => part !== null);
  console.log(
    `${environment.join(", ")}; milliseconds of the processor, the least of ${options.growthSamples} samples each`,
  );
  const growths = options.operations.flatMap((operation) => measure(operation, { options, python, sizes }));
  console.log(`\n${drawGrowth(growths, sizes)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(growths, null, 2)}\n`);
}

/** @returns {Growth[]} */
function measure(operation, { options, python, sizes }) {
  const start = performance.now();
  const runs = subjectsOf(operation, options, python).map(startRun);
  for (let i = 0; i < options.growthSamples; i++) {
    for (const n of sizes) {
      for (const run of runs) takeOne(run, n);
    }
  }
  const growths = runs.map((run) => toGrowth(operation, run));
  const exponents = growths.map(({ subject, exponent }) => `${subject} ${exponent?.toFixed(2) ?? "-"}`).join(", ");
  console.error(`  ${operation.name}: ${exponents}; ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return growths;
}

/** Each subject with the command of its samples: the syntaxes, those of the build to compare with, and CPython. */
function subjectsOf({ name, programs, inPython }, { node, against }, python) {
  const javascript = (dist, label) => (subject) => ({
    subject: `${subject.replace("asyncio-ts ", "")}${label}`,
    command: (n) => [node, [...STEADY_OPTIONS, sampleProgram, name, subject, String(n), dist]],
  });
  const syntaxes = Object.keys(programs);
  const own = syntaxes.map(javascript(ownBuild, ""));
  const other = against === null ? [] : syntaxes.map(javascript(against, ", other build"));
  const command = (n) => ["python3", ["-B", pythonProgram, name, String(n)]];
  return [...own, ...other, ...(inPython && python !== null ? [{ subject: python, command }] : [])];
}

function startRun(subject) {
  return { ...subject, times: new Map(), ended: null };
}

/** Takes a sample, unless the subject has come to its end before this size, or is known to be slow in it. */
function takeOne(run, n) {
  const before = run.times.get(n);
  if (before === undefined ? run.ended !== null : before > SLOW_MILLISECONDS) return;
  const [command, args] = run.command(n);
  const { value, failure } = takeSample(command, args, { limitSeconds: LIMIT_SECONDS });
  if (failure !== undefined) {
    run.times.delete(n);
    run.ended = `${n.toLocaleString("en")}: ${essence(failure)}`;
    return;
  }
  run.times.set(n, Math.min(before ?? Infinity, value));
  if (value > STOP_MILLISECONDS) run.ended = `stopped after ${(value / 1000).toFixed(1)} s`;
}

/** The line of a report that names the error; the first if there is none. */
function essence(failure) {
  const lines = failure.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((text) => /^\w*(Error|Exception)\b/.test(text)) ?? lines[0];
  return line.length > 90 ? `${line.slice(0, 90)} …` : line;
}

/** @returns {Growth} */
function toGrowth({ name }, { subject, times, ended }) {
  const points = Array.from(times, ([n, milliseconds]) => ({ n, milliseconds }));
  return { name, subject, points, exponent: fitExponent(points), ended };
}
