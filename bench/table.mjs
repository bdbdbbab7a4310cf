/** The results as a table: a row for each benchmark, a column for each subject. @module */

import { javascriptSubjects, NATIVE } from "./subjects.mjs";

/**
 * A cell holds the median and its ratio to native promises, and below them the least and the most.
 *
 * @param {readonly import("./run.mjs").Measurement[]} measurements
 * @returns {string}
 */
export function drawTable(measurements) {
  const benchmarks = [...new Set(measurements.map(({ benchmark }) => benchmark))];
  const found = new Set(measurements.map(({ subject }) => subject));
  const subjects = [...new Set([...javascriptSubjects, ...found])].filter((subject) => found.has(subject));
  const heading = [["", ""], ...subjects.map(inTwoLines)];
  const rows = benchmarks.map((benchmark) => {
    const own = measurements.filter((measurement) => measurement.benchmark === benchmark);
    const native = own.find(({ subject }) => subject === NATIVE);
    const cells = subjects.map((subject) =>
      drawCell(
        own.find((measurement) => measurement.subject === subject),
        native,
      ),
    );
    return [[benchmark.name, `  ${benchmark.unit}`], ...cells];
  });
  const widths = heading.map((_, column) => widest([heading, ...rows].flatMap((row) => row[column])));
  return [heading, ...rows].map((row) => drawRow(row, widths)).join("\n\n");
}

function drawCell(measurement, native) {
  if (measurement === undefined) return ["", ""];
  const ratio = native === undefined || measurement === native ? "" : ` (${round(measurement.value / native.value)}×)`;
  return [`${round(measurement.value)}${ratio}`, `${round(measurement.least)}..${round(measurement.most)}`];
}

/** The two lines of a row: names at the left, numbers at the right. */
function drawRow(row, widths) {
  const lines = [0, 1].map((line) =>
    row.map((cell, column) => (column === 0 ? cell[line].padEnd(widths[0]) : cell[line].padStart(widths[column]))),
  );
  return lines.map((cells) => cells.join("  ").trimEnd()).join("\n");
}

/**
 * `rows` in columns: the first `names` of them at the left, and numbers at the right.
 *
 * @param {readonly (readonly string[])[]} rows
 * @param {number} names
 */
export function alignColumns(rows, names) {
  const widths = rows[0].map((_, column) => widest(rows.map((row) => row[column])));
  const align = (cell, column) => (column < names ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  return rows.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}

/** `name` broken where its halves are most alike. */
function inTwoLines(name) {
  const words = name.split(" ");
  const breaks = words.map((_, i) => [words.slice(0, i).join(" "), words.slice(i).join(" ")]);
  return breaks.reduce((best, next) => (widest(next) < widest(best) ? next : best));
}

function widest(texts) {
  return Math.max(...texts.map((text) => text.length));
}

/**
 * Three digits are what is worth reading.
 *
 * @param {number} value
 */
export function round(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value >= 10 ? 3 : 2);
}
