/** Lanes as bars of characters, for the live view and for the timeline. @module */

/** @typedef {import("./recorder.mjs").Lane} Lane */
/** @typedef {import("./paint.mjs").Paint} Paint */

/**
 * What a cell of a bar stands for.
 *
 * @typedef {"none" | "ran" | "waited" | "cleaning" | "cancelled" | "failed"} Cell
 */

/**
 * How each is drawn.
 *
 * @type {Record<Cell, { mark: string, colour: "plain" | "green" | "dim" | "yellow" | "red" }>}
 */
const LOOKS = {
  none: { mark: " ", colour: "plain" },
  ran: { mark: "█", colour: "green" },
  waited: { mark: "─", colour: "dim" },
  cleaning: { mark: "~", colour: "yellow" },
  cancelled: { mark: "x", colour: "red" },
  failed: { mark: "!", colour: "red" },
};

/** The marks in words, for a caption. @param {Paint} paint */
export function legend(paint) {
  const entry = (/** @type {Cell} */ cell, /** @type {string} */ word) => `${draw([cell], paint)} ${word}`;
  return [
    entry("ran", "runs"),
    entry("waited", "waits"),
    entry("cleaning", "cleans up"),
    entry("cancelled", "is cancelled"),
  ].join("   ");
}

/**
 * The bar of `lane` on an axis that begins at zero.
 *
 * @param {Lane} lane
 * @param {{ now: number, seconds: number, width: number, offset?: number }} axis `now`: where an unfinished lane ends;
 * `seconds` and `width`: the length of the axis; `offset`: where on it the lane's program began
 * @param {Paint} paint
 */
export function drawBar(lane, axis, paint) {
  return draw(cellsOf(lane, axis), paint);
}

/**
 * @param {Lane} lane
 * @param {{ now: number, seconds: number, width: number, offset?: number }} axis
 * @returns {Cell[]}
 */
function cellsOf(lane, { now, seconds, width, offset = 0 }) {
  if (width <= 0) return [];
  const at = (/** @type {number} */ time) => Math.min(width - 1, Math.floor(((offset + time) / seconds) * width));
  const first = at(lane.runs[0]?.from ?? lane.bornAt);
  const last = at(lane.endedAt ?? now);
  /** @type {Cell[]} */
  const cells = Array.from({ length: width }, () => "none");
  cells.fill("waited", first, last + 1);
  if (lane.cancelledAt !== Infinity) cells.fill("cleaning", at(lane.cancelledAt), last + 1);
  for (const run of lane.runs) cells.fill("ran", at(run.from), at(run.to) + 1);
  if (lane.endedAt !== null) cells[last] = endOf(lane);
  return cells;
}

/** @param {Lane} lane @returns {Cell} */
function endOf({ task }) {
  if (task.cancelled()) return "cancelled";
  return task.exception() === null ? "ran" : "failed";
}

/** @param {Cell[]} cells @param {Paint} paint */
function draw(cells, paint) {
  let text = "";
  for (let from = 0, to = 0; from < cells.length; from = to) {
    while (to < cells.length && cells[to] === cells[from]) to++;
    const { mark, colour } = LOOKS[cells[from]];
    text += paint[colour](mark.repeat(to - from));
  }
  return text;
}
