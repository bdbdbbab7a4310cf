/** One sample: a process that prints a number. @module */

import { spawnSync } from "node:child_process";

/** Reports of a library that a sample brings to its limits may be long; they must not end the process. */
const OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * Options of Node.js for samples that count the processor's time. Threads that collect garbage and compile beside the
 * program make that time vary by a fifth on a busy machine; without them the program does all of its work itself.
 */
export const STEADY_OPTIONS = ["--expose-gc", "--single-threaded"];

/**
 * Runs `command` and reads the number that it prints. Debug mode, which the environment may switch on, is not what is
 * measured.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly clock?: "wall" | "cpu", readonly limitSeconds?: number }} options `clock`: see `now` of
 *   `javascript/measure.mjs`; the process is killed after `limitSeconds`, never by default.
 * @returns {{ readonly value: number } | { readonly failure: string }} `failure` is what the process said instead.
 */
export function takeSample(command, args, { clock = "wall", limitSeconds } = {}) {
  const env = { ...process.env, ASYNCIO_DEBUG: "", PYTHONASYNCIODEBUG: "", BENCH_CLOCK: clock };
  const limit = limitSeconds === undefined ? {} : { timeout: limitSeconds * 1000, killSignal: "SIGKILL" };
  const result = spawnSync(command, args, {
    encoding: "utf8",
    env,
    maxBuffer: OUTPUT_BYTES,
    stdio: ["ignore", "pipe", "pipe"],
    ...limit,
  });
  if (result.error?.code === "ETIMEDOUT") return { failure: `no end after ${limitSeconds} s` };
  const value = Number.parseFloat(result.stdout);
  if (result.status === 0 && Number.isFinite(value)) return { value };
  return { failure: result.error?.message ?? (result.stderr || result.stdout || `ended by ${result.signal}`) };
}

/**
 * Like {@link takeSample}, but a process that fails ends the benchmarks.
 *
 * @param {string} what the sample, for the message.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly clock?: "wall" | "cpu" }} [options]
 * @returns {number}
 */
export function mustTakeSample(what, command, args, options) {
  const sample = takeSample(command, args, options);
  if ("value" in sample) return sample.value;
  console.error(`The benchmark ${what} failed:\n${sample.failure}`);
  return process.exit(1);
}
