/** What the suite has done elsewhere. */

import { createHash } from "node:crypto";
import * as asyncio from "asyncio-ts";

export const add = (a, b) => a + b;
export const hash = (text) => createHash("sha256").update(text).digest("hex");
export const double = async (n) => 2 * n;
export const size = (buffer) => buffer.byteLength;
export const give = () => () => "no data";
export const spin = () => {
  for (;;);
};
export const crash = () => process.exit(3);
export const killed = () => {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
};
export const processId = () => process.pid;
export const grow = () => {
  const all = [];
  for (;;) all.push(new Array(100_000).fill(all.length));
};

export function fail() {
  throw Object.assign(new RangeError("out of range", { cause: new TypeError("inner") }), { code: "E_RANGE" });
}

export class QuotaError extends Error {
  name = "QuotaError";
}

export const failOddly = () => {
  throw new AggregateError([new QuotaError("first"), "no error"], "two");
};

export async function steps(count) {
  const { progress } = asyncio.currentJob();
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    progress(i);
  }
  return count;
}

/** Waits until it is asked to stop, and writes to `flag` that it was. */
export async function untilAborted(flag) {
  const { signal, progress } = asyncio.currentJob();
  progress("begun");
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  const { writeFileSync } = await import("node:fs");
  writeFileSync(flag, String(signal.reason));
}

export function* coroutine(seconds) {
  yield* asyncio.sleep(seconds);
  return "on a loop of its own";
}

export const nap = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
export const context = () => Object.fromEntries(asyncio.currentJob().context);
