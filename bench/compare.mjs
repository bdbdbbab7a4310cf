/**
 * Measures this build of asyncio-ts against another one. The samples of the two are interleaved, and which of them is
 * the first of a pair changes from pair to pair, so that a slow minute of the machine falls on both. The samples count the
 * processor's time, and the least of them is what counts: noise only adds. A least value is believed when a second sample
 * confirms it; until then there are more pairs.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownBuild } from "./builds.mjs";
import { javascriptSubjects, usesLibrary } from "./subjects.mjs";
import { alignColumns, round } from "./table.mjs";
import { mustTakeSample, STEADY_OPTIONS } from "./take-sample.mjs";

const sampleProgram = fileURLToPath(new URL("sample.mjs", import.meta.url));
const librarySubjects = javascriptSubjects.filter(usesLibrary);

const LEAST_PAIRS = 3;
const MOST_PAIRS = { full: 10, quick: 6 };
/** The two least samples of a build confirm each other if they are no further apart. */
const CONFIRMED_WITHIN = 0.02;

/**
 * What the samples say about a benchmark in one syntax.
 *
 * @typedef {object} Comparison
 * @property {string} name
 * @property {string} subject
 * @property {string} unit
 * @property {number} value the least of this build.
 * @property {number} against the least of the other one.
 * @property {number} ratio `value / against`.
 * @property {number} pairs how many pairs of samples it took.
 * @property {readonly [number, number]} range the ratio of the pairs of samples: the least and the most.
 */

/**
 * Measures what `options` ask for, prints the table, and writes the file.
 *
 * @param {import("./options.mjs").Options} options
 */
export function compareBuilds(options) {
  console.log(
    `Node.js ${options.nodeVersion}; the processor's time, the least of ${LEAST_PAIRS} to ${MOST_PAIRS[options.size]} samples each`,
  );
  console.log(`  this:  ${ownBuild}\n  other: ${options.against}`);
  const comparisons = options.benchmarks.flatMap((benchmark) => compareBenchmark(benchmark, options));
  console.log(`\n${drawComparisons(comparisons)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(comparisons, null, 2)}\n`);
}

/** @returns {Comparison[]} */
function compareBenchmark(benchmark, options) {
  const start = performance.now();
  const subjects = librarySubjects.filter((subject) => subject in benchmark.programs);
  const pairs = new Map(subjects.map((subject) => [subject, []]));
  for (let i = 0; i < MOST_PAIRS[options.size]; i++) {
    for (const [subject, taken] of pairs) {
      if (!isConfirmed(taken)) taken.push(takePair(benchmark, subject, options, i % 2 === 0));
    }
  }
  console.error(`  ${benchmark.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return Array.from(pairs, ([subject, taken]) => toComparison(benchmark, subject, taken));
}

function isConfirmed(pairs) {
  if (pairs.length < LEAST_PAIRS) return false;
  return [pairs.map(({ own }) => own), pairs.map(({ other }) => other)].every((values) => {
    const [least, second] = values.toSorted((a, b) => a - b);
    return second - least <= least * CONFIRMED_WITHIN;
  });
}

function takePair(benchmark, subject, { node, size, against }, ownFirst) {
  const take = (dist) => {
    const args = [...STEADY_OPTIONS, sampleProgram, benchmark.name, subject, sizeOf(benchmark, size), dist];
    return mustTakeSample(`${benchmark.name} of ${subject} in ${dist}`, node, args, { clock: "cpu" });
  };
  if (ownFirst) return { own: take(ownBuild), other: take(against) };
  const other = take(against);
  return { own: take(ownBuild), other };
}

/** A benchmark whose full size takes too long for many pairs has one of its own for them. */
function sizeOf({ sizes }, size) {
  return size === "full" && "pair" in sizes ? "pair" : size;
}

/** @returns {Comparison} */
function toComparison({ name, unit }, subject, pairs) {
  const value = Math.min(...pairs.map(({ own }) => own));
  const against = Math.min(...pairs.map(({ other }) => other));
  const ratios = pairs.map(({ own, other }) => own / other);
  const range = [Math.min(...ratios), Math.max(...ratios)];
  return { name, subject, unit, value, against, ratio: value / against, pairs: pairs.length, range };
}

/** A line for each comparison, and one for the mean time of each syntax. */
function drawComparisons(comparisons) {
  const heading = ["", "", "unit", "this", "other", "ratio", "pairs", "ratios of pairs"];
  const rows = comparisons.map(({ name, subject, unit, value, against, ratio, pairs, range }) => [
    name,
    syntaxOf(subject),
    unit,
    round(value),
    round(against),
    ratio.toFixed(2),
    String(pairs),
    range.map((end) => end.toFixed(2)).join(".."),
  ]);
  const means = librarySubjects
    .map((subject) => comparisons.filter((comparison) => comparison.subject === subject && isTime(comparison)))
    .filter((group) => group.length > 1)
    .map((group) => [
      "mean (geometric)",
      syntaxOf(group[0].subject),
      "of times",
      "",
      "",
      geometricMean(group).toFixed(2),
      "",
      "",
    ]);
  return alignColumns([heading, ...rows, ...means], 3);
}

function isTime({ unit }) {
  return unit.startsWith("ns ");
}

function geometricMean(comparisons) {
  const logarithms = comparisons.map(({ ratio }) => Math.log(ratio));
  return Math.exp(logarithms.reduce((sum, logarithm) => sum + logarithm, 0) / logarithms.length);
}

/** The subject without the library's name: what is compared is the library with itself. */
function syntaxOf(subject) {
  return subject.replace("asyncio-ts ", "");
}
