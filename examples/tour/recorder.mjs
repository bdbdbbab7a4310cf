/**
 * Writes down what a loop does: one lane for each task, with the moments at which it ran.
 *
 * It is an `Instrument`: the loop calls `taskCreated`, `stepStarted` and the others at the moment itself, and pays
 * nothing for them when nobody listens.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";

/**
 * The life of a task, in seconds since the program began.
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {asyncio.Task<unknown>} task
 * @property {number} bornAt
 * @property {{ from: number, to: number }[]} runs when it ran; between two of them it waited
 * @property {number} cancelledAt when it was first seen to be cancelled; `Infinity` as long as it is not
 * @property {number | null} endedAt
 */

export class Recorder {
  /** @type {Lane[]} */
  lanes = [];
  turns = 0;
  /** The lane that runs now. @type {Lane | null} */
  running = null;
  /** @type {Map<asyncio.Task<unknown>, Lane>} */
  #laneOf = new Map();
  #loop;
  #start;

  /** @param {asyncio.BaseEventLoop} loop */
  constructor(loop) {
    this.#loop = loop;
    this.#start = loop.time();
  }

  /** Seconds since the program began. */
  now() {
    return this.#loop.time() - this.#start;
  }

  turnStarted() {
    this.turns++;
  }

  /** @param {asyncio.Task<unknown>} task */
  taskCreated(task) {
    const [main] = this.lanes;
    if (main?.task.done()) return; // the runner's own, which ends what the program left behind
    const name = main === undefined ? "main" : task.getName();
    /** @type {Lane} */
    const lane = { name, task, bornAt: this.now(), runs: [], cancelledAt: Infinity, endedAt: null };
    this.lanes.push(lane);
    this.#laneOf.set(task, lane);
  }

  /** @param {asyncio.Task<unknown>} task */
  stepStarted(task) {
    this.running = this.#laneOf.get(task) ?? null;
    if (this.running !== null) this.#ran(this.running);
  }

  /** @param {asyncio.Task<unknown>} task */
  stepEnded(task) {
    const lane = this.#laneOf.get(task);
    if (lane !== undefined) lane.runs.at(-1).to = this.now();
    this.running = null;
  }

  /** @param {asyncio.Task<unknown>} task */
  taskDone(task) {
    const lane = this.#laneOf.get(task);
    if (lane === undefined) return;
    this.#ran(lane);
    lane.endedAt = this.now();
  }

  /** The present task printed something: whatever else is known, it runs. */
  said() {
    const task = asyncio.currentTask();
    const lane = task === null ? undefined : this.#laneOf.get(task);
    if (lane === undefined) return;
    this.running = lane;
    this.#ran(lane);
  }

  /** @param {Lane} lane */
  #ran(lane) {
    const now = this.now();
    lane.runs.push({ from: now, to: now });
    if (lane.task.cancelling() > 0) lane.cancelledAt = Math.min(lane.cancelledAt, now);
  }
}
