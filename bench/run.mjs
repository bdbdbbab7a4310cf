/**
 * Runs benchmarks. Each sample is a process of its own, so that no subject is measured in what another left behind;
 * the samples of a benchmark are interleaved, so that a slow minute of the machine falls on all subjects alike; and
 * the median is what counts.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describePeer, isPeer } from "./peers.mjs";
import { findPython, javascriptSubjects } from "./subjects.mjs";
import { drawTable } from "./table.mjs";
import { mustTakeSample } from "./take-sample.mjs";

const sampleProgram = fileURLToPath(new URL("sample.mjs", import.meta.url));
const pythonFolder = fileURLToPath(new URL("python", import.meta.url));

/** Of a sample that takes longer, two are enough. */
const SLOW_SECONDS = 8;
const SLOW_SAMPLES = 2;

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
  const peers = findPeers(options.benchmarks);
  const environment = [`Node.js ${options.nodeVersion}`, ...peers.values(), python].filter((part) => part !== null);
  console.log(`${environment.join(", ")}; ${options.samples} samples each, in processes of their own`);
  for (const [peer, description] of peers) {
    if (description === null) console.error(`${peer} could not be installed and is left out`);
  }
  if (python === null) console.error("No python3 found: CPython is left out");
  const isThere = (subject) => !isPeer(subject) || peers.get(subject) !== null;
  const subjects = javascriptSubjects.filter(isThere);
  const measurements = options.benchmarks.flatMap((benchmark) => measure(benchmark, options, { subjects, python }));
  console.log(`\n${drawTable(measurements)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(measurements.map(toResult), null, 2)}\n`);
}

/** The packages that the benchmarks compare with, and what each is; `null` for one that is not installed. */
function findPeers(benchmarks) {
  const peers = javascriptSubjects.filter(
    (subject) => isPeer(subject) && benchmarks.some(({ programs }) => subject in programs),
  );
  return new Map(peers.map((subject) => [subject, describePeer(subject)]));
}

/** @returns {Measurement[]} */
function measure(benchmark, options, { subjects, python }) {
  const start = performance.now();
  const samples = new Map(subjects.filter((subject) => subject in benchmark.programs).map((subject) => [subject, []]));
  if (python !== null) samples.set(python, []);
  const slow = new Set();
  let taken = 0;
  for (let i = 0; i < options.samples; i++) {
    for (const [subject, values] of samples) {
      if (i >= SLOW_SAMPLES && slow.has(subject)) continue;
      const sampleStart = performance.now();
      values.push(subject === python ? samplePython(benchmark, options) : sampleNode(benchmark, subject, options));
      if (performance.now() - sampleStart > SLOW_SECONDS * 1000) slow.add(subject);
      taken++;
    }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.error(`  ${benchmark.name}: ${taken} samples in ${seconds} s`);
  return Array.from(samples, ([subject, values]) => summarize(benchmark, subject, values));
}

function sampleNode(benchmark, subject, { node, size }) {
  const args = ["--expose-gc", sampleProgram, benchmark.name, subject, size];
  return mustTakeSample(`${benchmark.name} of ${subject}`, node, args);
}

function samplePython(benchmark, { size }) {
  const program = join(pythonFolder, benchmark.python);
  const sizes = JSON.stringify([benchmark.sizes.warmUp, benchmark.sizes[size]]);
  return mustTakeSample(`${benchmark.name} of CPython`, "python3", ["-B", program, sizes]);
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
