/** How operations grow, as a table: a row for each subject of an operation, a column for each size. @module */

import { alignColumns, round } from "../table.mjs";

/** What grows faster is not linear: caches and garbage collection make up for some hundredths. */
const GREATEST_EXPONENT = 1.15;

/**
 * The table, and below it what is above {@link GREATEST_EXPONENT} and what did not reach the largest size.
 *
 * @param {readonly import("./run.mjs").Growth[]} growths
 * @param {readonly number[]} sizes
 * @returns {string}
 */
export function drawGrowth(growths, sizes) {
  const heading = ["", "", ...sizes.map((n) => n.toLocaleString("en")), "exponent"];
  const rows = growths.map(({ name, subject, points, exponent }, i) => [
    growths[i - 1]?.name === name ? "" : name,
    subject,
    ...sizes.map((n) => drawTime(points.find((point) => point.n === n))),
    drawExponent(exponent),
  ]);
  return [alignColumns([heading, ...rows], 2), drawVerdict(growths), drawEnds(growths)].filter(Boolean).join("\n\n");
}

/** Who grows too fast, without CPython: that is for comparison. */
function drawVerdict(growths) {
  const above = growths.filter((growth) => !isPython(growth) && growth.exponent > GREATEST_EXPONENT);
  if (above.length === 0) return `No exponent is above ${GREATEST_EXPONENT}`;
  return [
    `Above ${GREATEST_EXPONENT}, of asyncio-ts:`,
    ...above.map(({ name, subject, exponent }) => `  ${name}, ${subject}: ${drawExponent(exponent)}`),
  ].join("\n");
}

function drawEnds(growths) {
  const ends = growths.filter(({ ended }) => ended !== null);
  if (ends.length === 0) return "";
  return [
    "Without the larger sizes:",
    ...ends.map(({ name, subject, ended }) => `  ${name}, ${subject}: ${ended}`),
  ].join("\n");
}

function drawTime(point) {
  return point === undefined ? "-" : round(point.milliseconds);
}

function drawExponent(exponent) {
  if (exponent === null) return "-";
  return `${exponent.toFixed(2)}${exponent > GREATEST_EXPONENT ? " !" : "  "}`;
}

function isPython({ subject }) {
  return subject.startsWith("CPython");
}
