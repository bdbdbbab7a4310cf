/**
 * Runs benchmarks. Each sample is a process of its own, so that no subject is measured in what another left behind;
 * the samples of a benchmark are interleaved, so that a slow minute of the machine falls on all subjects alike; and
 * the median is what counts.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython, javascriptSubjects } from "./subjects.mjs";
import { drawTable } from "./table.mjs";

const sampleProgram = fileURLToPath(new URL("sample.mjs", import.meta.url));
const pythonFolder = fileURLToPath(new URL("python", import.meta.url));

/**
 * What the samples of a benchmark say about a subject.
 *
 * @typedef {object} Measurement
 * @property {import("./benchmark.mjs").Benchmark} benchmark
 * @property {string} subject
 * @property {number} value the median.
 * @property {number} least
 * @property {number} most
 */

/**
 * Runs what `options` ask for, prints the table, and writes the file.
 *
 * @param {import("./options.mjs").Options} options
 */
export function runBenchmarks(options) {
  const python = findPython();
  const environment = `Node.js ${options.nodeVersion}, ${python ?? "no python3 found: CPython is left out"}`;
  console.log(`${environment}; ${options.samples} samples each, in processes of their own`);
  const measurements = options.benchmarks.flatMap((benchmark) => measure(benchmark, options, python));
  console.log(`\n${drawTable(measurements)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(measurements.map(toResult), null, 2)}\n`);
}

/** @returns {Measurement[]} */
function measure(benchmark, options, python) {
  const start = performance.now();
  const subjects = javascriptSubjects.filter((subject) => subject in benchmark.programs);
  if (python !== null) subjects.push(python);
  const samples = new Map(subjects.map((subject) => [subject, []]));
  for (let i = 0; i < options.samples; i++) {
    for (const [subject, values] of samples) {
      values.push(subject === python ? samplePython(benchmark, options) : sampleNode(benchmark, subject, options));
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.error(`  ${benchmark.name}: ${options.samples * subjects.length} samples in ${seconds} s`);
  return Array.from(samples, ([subject, values]) => summarize(benchmark, subject, values));
}

function sampleNode(benchmark, subject, { node, size }) {
  return sample(`${benchmark.name} of ${subject}`, node, ["--expose-gc", sampleProgram, benchmark.name, subject, size]);
}

function samplePython(benchmark, { size }) {
  const program = join(pythonFolder, benchmark.python);
  const sizes = JSON.stringify([benchmark.sizes.warmUp, benchmark.sizes[size]]);
  return sample(`${benchmark.name} of CPython`, "python3", ["-B", program, sizes]);
}

/** The number a process prints. Debug mode, which the environment may switch on, is not what is measured. */
function sample(what, command, args) {
  const env = { ...process.env, ASYNCIO_DEBUG: "", PYTHONASYNCIODEBUG: "" };
  const result = spawnSync(command, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
  const value = Number.parseFloat(result.stdout);
  if (result.status === 0 && Number.isFinite(value)) return value;
  console.error(`The benchmark ${what} failed:\n${result.error?.message ?? (result.stderr || result.stdout)}`);
  return process.exit(1);
}

/** @returns {Measurement} */
function summarize(benchmark, subject, values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const value = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { benchmark, subject, value, least: sorted[0], most: sorted[sorted.length - 1] };
}

/** What the file says about a measurement. */
function toResult({ benchmark, subject, value }) {
  const { name, unit, better } = benchmark;
  return { name, subject, value: Number(value.toPrecision(4)), unit, better };
}
