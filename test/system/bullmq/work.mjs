/** What the suite has done by workers. */

import { appendFileSync, readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";

/** Writes a line to the file, with the job's key: the effect that is counted. */
function note(file, word) {
  appendFileSync(file, `${word} ${asyncio.currentJob().key} ${process.pid}\n`);
}

export const add = (a, b) => a + b;
export const echo = (value) => value;
export const nothing = () => {};
export const seen = () => ({ key: asyncio.currentJob().key, context: [...asyncio.currentJob().context] });

export async function effect(file, n) {
  note(file, "done");
  return n;
}

export async function slowly(file, seconds) {
  note(file, "begun");
  try {
    await asyncio.sleep(seconds);
  } catch (error) {
    note(file, "stopped");
    throw error;
  }
  note(file, "done");
  return "done";
}

/** Takes the processor, so that the worker gives no sign of life. */
export function blocking(file, seconds) {
  note(file, "begun");
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
  return process.pid;
}

/** Ends the worker the first `times` that it is done. */
export async function killer(file, times) {
  note(file, "begun");
  const begun = readFileSync(file, "utf8").split("\n").length - 1;
  if (begun <= times) process.kill(process.pid, "SIGKILL");
  return begun;
}

/** Fails the first `times` that it is done. */
export function unstable(file, times) {
  note(file, "begun");
  const begun = readFileSync(file, "utf8").split("\n").length - 1;
  if (begun <= times) throw new RangeError(`attempt ${begun}`);
  return begun;
}

export function fail() {
  throw Object.assign(new RangeError("out of range", { cause: new TypeError("inner") }), { code: "E_RANGE" });
}

export async function steps(count) {
  for (let i = 0; i < count; i++) {
    asyncio.currentJob().progress({ i });
    await asyncio.sleep(0);
  }
}
