/** The results as tables: one for each number of connections, plain and under TLS. @module */

import { BASELINE } from "./subjects.mjs";

/**
 * A row is a subject and a column a size. A cell holds the median of the requests in a second and its ratio to plain
 * `node:net`; behind it stand the least and the most. The last
 * column is the processor time of the server for each request of the last size.
 *
 * @param {readonly import("./run.mjs").Measurement[]} measurements
 * @returns {string}
 */
export function drawTables(measurements) {
  const cases = [...new Set(measurements.map(caseOf))];
  return cases
    .map((name) =>
      drawTable(
        name,
        measurements.filter((one) => caseOf(one) === name),
      ),
    )
    .join("\n\n");
}

function caseOf({ connections, tls }) {
  return `${connections} connections${tls ? ", TLS" : ""}`;
}

function drawTable(name, measurements) {
  const sizes = [...new Set(measurements.map(({ size }) => size))];
  const subjects = [...new Set(measurements.map(({ subject }) => subject))];
  const find = (subject, size) => measurements.find((one) => one.subject === subject && one.size === size);
  const heading = [
    `${name}, requests/s`,
    ...sizes.flatMap((size) => [`${size / 1024} KiB`, "least..most"]),
    "server µs",
  ];
  const rows = subjects.map((subject) => [
    subject,
    ...sizes.flatMap((size) => drawCell(find(subject, size), find(BASELINE, size))),
    find(subject, sizes.at(-1))?.serverMicroseconds.toFixed(1) ?? "",
  ]);
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((row) => row[column].length)));
  return [heading, ...rows].map((row) => drawRow(row, widths)).join("\n");
}

function drawCell(measurement, baseline) {
  if (measurement === undefined) return ["", ""];
  const { value, least, most } = measurement;
  const ratio = baseline === undefined ? "" : ` (${(value / baseline.value).toFixed(2)}×)`;
  return [`${round(value)}${ratio}`, `${round(least)}..${round(most)}`];
}

function drawRow(row, widths) {
  const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
  return cells.join("  ").trimEnd();
}

/** Three digits are what is worth reading. */
function round(value) {
  return Number(value.toPrecision(3)).toLocaleString("en");
}
