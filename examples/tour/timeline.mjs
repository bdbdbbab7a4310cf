/** The timeline at the end of the tour: every task on a line, every program after the one before. @module */

import { drawBar, legend } from "./bars.mjs";

/** @typedef {import("./recorder.mjs").Recorder} Recorder */
/** @typedef {import("./paint.mjs").Paint} Paint */

/**
 * What is shown of a program.
 *
 * @typedef {{ number: number, recorder: Recorder, seconds: number }} Act
 */

/** Less than this, and a bar says nothing. */
const SHORTEST_BAR = 10;

/**
 * The timeline in lines of at most `width` characters.
 *
 * @param {Act[]} acts
 * @param {number} width
 * @param {Paint} paint
 * @returns {string[]}
 */
export function drawTimeline(acts, width, paint) {
  const rows = acts.flatMap((act) => act.recorder.lanes.map((lane) => ({ act, lane, label: labelOf(act, lane) })));
  const labels = Math.max(...rows.map((row) => row.label.length));
  const seconds = acts.reduce((sum, act) => sum + act.seconds, 0);
  const axis = { now: 0, seconds, width: Math.max(SHORTEST_BAR, width - labels - 2) };
  const offsets = offsetsOf(acts);
  const bars = rows.map(({ act, lane, label }) => {
    const bar = drawBar(lane, { ...axis, offset: offsets.get(act) }, paint);
    return `${label.padEnd(labels)}  ${bar}`.trimEnd();
  });
  const scale = `${" ".repeat(labels)}  ${drawScale(seconds, axis.width)}`;
  return [legend(paint), "", ...bars, paint.dim(scale)];
}

/** @param {Act} act @param {import("./recorder.mjs").Lane} lane */
function labelOf(act, lane) {
  return `${act.number} ${lane.name}`;
}

/** Where on the axis each act begins. @param {Act[]} acts */
function offsetsOf(acts) {
  let offset = 0;
  return new Map(
    acts.map((act) => {
      const begin = offset;
      offset += act.seconds;
      return [act, begin];
    }),
  );
}

/** @param {number} seconds @param {number} width */
function drawScale(seconds, width) {
  const end = `${seconds.toFixed(1)} s`;
  return `0${end.padStart(width - 1)}`;
}
