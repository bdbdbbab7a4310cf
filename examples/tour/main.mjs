/**
 * `npm start`: a tour of asyncio-ts in about ten seconds. `npm start -- --fast` runs it in virtual time, at once.
 *
 * - `sections/` holds the programs, one a file; they are what to read first.
 * - `stage` runs a program; `recorder` writes down what the loop tells of it.
 * - `view-live` and `view-lines` show it as it happens, `timeline` afterwards.
 *
 * @module
 */

import { isatty } from "node:tty";
import * as asyncio from "asyncio-ts";
import { SPEED } from "./clock.mjs";
import { newPaint, wrap } from "./paint.mjs";
import { cancellation } from "./sections/cancellation.mjs";
import { crowd } from "./sections/crowd.mjs";
import { deadline } from "./sections/deadline.mjs";
import { errors } from "./sections/errors.mjs";
import { hello } from "./sections/hello.mjs";
import { sleep } from "./sections/sleep.mjs";
import { workers } from "./sections/workers.mjs";
import { pause, play } from "./stage.mjs";
import { drawTimeline } from "./timeline.mjs";
import { LinesView } from "./view-lines.mjs";
import { LiveView } from "./view-live.mjs";

const sections = [hello, sleep, workers, errors, cancellation, deadline, crowd];

/** To read a title before its program starts. */
const PAUSE_SECONDS = 0.5;
/** What the shell expects of a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

const out = process.stdout;
const fast = process.argv.includes("--fast");
const isLive = isatty(1) && process.env.TERM !== "dumb";
const paint = newPaint(isLive && !process.env.NO_COLOR);
const view = isLive ? new LiveView(out, paint) : new LinesView(out, paint);

out.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(); // the reader has seen enough: `npm start | head`
});

try {
  await tour();
} catch (error) {
  if (!(error instanceof asyncio.KeyboardInterrupt)) throw error;
  print("", "Interrupted. Every task was cancelled and has cleaned up.");
  process.exitCode = INTERRUPTED;
}

async function tour() {
  const start = performance.now();
  print(paint.bold("asyncio-ts: a tour"));
  explain("Tasks that wait, fail, and can be cancelled. Times are the programs' own.");
  explain(fast ? "Their clock is virtual: it jumps." : `Their clock runs ${SPEED} times as fast as yours.`);

  const acts = [];
  for (const [index, section] of sections.entries()) {
    const number = index + 1;
    announce(number, section);
    if (!fast) await pause(PAUSE_SECONDS);
    const recorder = await play(section, view, { fast });
    if (!section.isCrowd) acts.push({ number, recorder, seconds: section.seconds });
  }

  print("", paint.bold("What ran when"));
  print(...drawTimeline(acts, width(), paint));
  print("");
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const tasks = sum(acts.map(({ recorder }) => recorder.lanes.length));
  const turns = sum(acts.map(({ recorder }) => recorder.turns));
  explain(`These ${tasks} tasks took ${turns} turns of a loop, and the whole tour ${seconds} seconds.`);
  explain("The programs are in examples/ and examples/tour/sections/.");
}

/** @param {number} number @param {import("./stage.mjs").Section} section */
function announce(number, section) {
  print("", paint.bold(`${number}  ${section.title}`));
  explain(section.about);
  if (section.file !== undefined) print(paint.dim(section.file));
  print("");
}

/** @param {string} text */
function explain(text) {
  print(...wrap(text, width()));
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/** @param {string[]} lines */
function print(...lines) {
  out.write(lines.map((line) => `${line}\n`).join(""));
}

/** How wide lines may be: a terminal's last column stays free, so that none of them breaks by itself. */
function width() {
  return Math.max(20, Math.min(out.columns ?? 81, 101) - 1);
}
