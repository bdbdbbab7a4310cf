/**
 * The view for terminals. What the program prints scrolls by; below it stands one lane for each task, drawn again in
 * place as time passes:
 *
 * ```text
 * [ 1.00s] Task 3 finished
 *
 * main    █──────────────                                   waiting
 * Task 1  █──────────────                                   waiting
 * Task 3  █─────────█                                       done at 1.0 s
 * ```
 *
 * @module
 */

import { drawBar } from "./bars.mjs";
import { stamp } from "./paint.mjs";

/** @typedef {import("./recorder.mjs").Lane} Lane */
/** @typedef {import("./recorder.mjs").Recorder} Recorder */
/** @typedef {import("./paint.mjs").Paint} Paint */

const FRAME_MILLISECONDS = 50;
/** With room for less than this, a lane is its name and its state. */
const SHORTEST_BAR = 6;
const LONGEST_STATE = "cancelled at 0.0 s".length;

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const ERASE_BELOW = "\u001b[J";

export class LiveView {
  #out;
  #paint;
  /** @type {Recorder | null} */
  #recorder = null;
  #seconds = 0;
  /** How many lines the lanes took when they were drawn last. */
  #height = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker = undefined;
  #exiting = () => this.end();

  /** @param {NodeJS.WriteStream} out @param {Paint} paint */
  constructor(out, paint) {
    this.#out = out;
    this.#paint = paint;
  }

  /**
   * Shows the lanes of `recorder` until {@link end}.
   *
   * @param {Recorder} recorder
   * @param {number} seconds how long the program will take: the length of the bars
   */
  begin(recorder, seconds) {
    this.#recorder = recorder;
    this.#seconds = seconds;
    this.#height = 0;
    process.on("exit", this.#exiting); // whatever happens, the cursor comes back
    this.#out.write(HIDE_CURSOR);
    this.#ticker = setInterval(() => this.#draw(), FRAME_MILLISECONDS).unref();
  }

  /** @param {number} time @param {string} text */
  said(time, text) {
    this.#draw(`${this.#paint.dim(stamp(time))} ${text}\n`);
  }

  /** Leaves the last frame where it is. */
  end() {
    if (this.#recorder === null) return;
    clearInterval(this.#ticker);
    process.off("exit", this.#exiting);
    this.#draw();
    this.#recorder = null;
    this.#out.write(SHOW_CURSOR);
  }

  /** Takes the lanes away, writes `above` where they stood, and draws them anew below, all in one write. */
  #draw(above = "") {
    const lines = this.#lines();
    const back = this.#height === 0 ? "\r" : `\r\u001b[${this.#height}A`;
    this.#out.write(`${back}${ERASE_BELOW}${above}${lines.map((line) => `${line}\n`).join("")}`);
    this.#height = lines.length;
  }

  /** The lanes, no more of them than the terminal has lines for. */
  #lines() {
    const { columns, rows } = this.#out;
    const lanes = this.#recorder.lanes.slice(0, Math.max(0, rows - 3));
    if (lanes.length === 0) return [];
    const names = Math.max(...lanes.map((lane) => lane.name.length));
    return ["", ...lanes.map((lane) => this.#line(lane, names, columns - 1))];
  }

  /** @param {Lane} lane @param {number} names the width of the names @param {number} width of the line */
  #line(lane, names, width) {
    const name = lane.name.padEnd(names);
    const state = stateOf(lane, this.#recorder.running);
    const bar = width - names - 4 - LONGEST_STATE;
    if (bar < SHORTEST_BAR) return `${name}  ${state}`.slice(0, Math.max(0, width));
    const axis = { now: this.#recorder.now(), seconds: this.#seconds, width: bar };
    return `${name}  ${drawBar(lane, axis, this.#paint)}  ${this.#colour(lane)(state)}`;
  }

  /** @param {Lane} lane */
  #colour(lane) {
    if (lane.task.cancelled()) return this.#paint.red;
    if (lane.endedAt !== null || lane === this.#recorder.running) return this.#paint.green;
    return lane.task.cancelling() > 0 ? this.#paint.yellow : this.#paint.dim;
  }
}

/** @param {Lane} lane @param {Lane | null} running */
function stateOf(lane, running) {
  if (lane.endedAt !== null) return `${lane.task.cancelled() ? "cancelled" : "done"} at ${lane.endedAt.toFixed(1)} s`;
  if (lane === running) return "running";
  return lane.task.cancelling() > 0 ? "cleaning up" : "waiting";
}
