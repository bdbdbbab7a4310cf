/** Where the programs of the tour run: each on a loop of its own, watched by a recorder, shown by a view. @module */

import * as asyncio from "asyncio-ts";
import { newLoop } from "./clock.mjs";
import { Recorder } from "./recorder.mjs";
import { withVoice } from "./say.mjs";

/** @typedef {import("./recorder.mjs").Lane} Lane */

/**
 * A part of the tour.
 *
 * @typedef {object} Section
 * @property {string} title
 * @property {string} about one sentence
 * @property {string} [file] where the same program stands by itself
 * @property {number} seconds how long the program takes on its own clock
 * @property {boolean} [isCrowd] it makes too many tasks to show them, and runs on the real clock
 * @property {() => Promise<void>} main the program
 */

/**
 * What shows a program.
 *
 * @typedef {object} View
 * @property {(recorder: Recorder, seconds: number) => void} begin
 * @property {(time: number, text: string) => void} said
 * @property {() => void} end
 */

/**
 * Runs the program of `section` before `view`.
 *
 * @param {Section} section
 * @param {View} view
 * @param {{ fast: boolean }} options
 * @returns {Promise<Recorder>} what happened
 */
export async function play(section, view, { fast }) {
  const loop = newLoop(fast ? "virtual" : section.isCrowd ? "real" : "hurried");
  const recorder = new Recorder(loop);
  if (!section.isCrowd) loop.addInstrument(recorder);
  const listener = (/** @type {string} */ text) => {
    recorder.said();
    view.said(recorder.now(), text);
  };
  view.begin(recorder, section.seconds);
  try {
    await asyncio.run(() => withVoice(listener, section.main), { loopFactory: () => loop });
  } finally {
    view.end();
  }
  return recorder;
}

/** A moment to read. Ctrl-C ends it as it ends a program. @param {number} seconds */
export async function pause(seconds) {
  await asyncio.run(() => asyncio.sleep(seconds));
}
