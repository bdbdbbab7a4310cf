/**
 * What a benchmark is, and the list of them.
 *
 * A benchmark is one program, written once for each subject as that subject's users would write it. No file of a
 * benchmark imports a library: it is handed in, so that the process of a native subject never loads it. (The library
 * switches the async context on, which makes every promise of a process slower on Node 20.)
 *
 * @module
 */

import { cancel100k } from "./javascript/cancel.mjs";
import { futureHandoff } from "./javascript/future-handoff.mjs";
import { gather100k } from "./javascript/gather.mjs";
import { lockHandoff, lockHold } from "./javascript/lock.mjs";
import { queue } from "./javascript/queue.mjs";
import { resumeDepth0, resumeDepth20, resumeDepth5 } from "./javascript/resume-depth.mjs";
import { semaphore } from "./javascript/semaphore.mjs";
import { sleepingTaskMemory } from "./javascript/sleeping-task-memory.mjs";
import { spawnAndJoin } from "./javascript/spawn-and-join.mjs";
import { switching } from "./javascript/switch.mjs";
import { taskGroup100k } from "./javascript/task-group.mjs";
import { timeouts1m } from "./javascript/timeouts.mjs";

/**
 * How much a program does; its names are the program's own.
 *
 * @typedef {Readonly<Record<string, number>>} Size
 */

/**
 * The program as one subject's users write it. It measures itself, so that starting and stopping are left out.
 *
 * @callback Program
 * @param {any} size
 * @param {any} library asyncio-ts, or the package that the subject is; absent for a native subject.
 * @returns {Promise<number>} the measured value, in the benchmark's unit.
 */

/**
 * @typedef {object} Benchmark
 * @property {string} name
 * @property {string} unit
 * @property {"lower" | "higher"} better
 * @property {{ readonly full: Size, readonly quick: Size, readonly warmUp: Size, readonly pair?: Size }} sizes
 *   `pair`: instead of `full`, where two builds are compared.
 * @property {Readonly<Record<string, Program>>} programs by subject; see `subjects.mjs`.
 * @property {string} python the CPython twin, a file of `python/`.
 */

/** @type {readonly Benchmark[]} */
export const benchmarks = [
  switching,
  spawnAndJoin,
  futureHandoff,
  resumeDepth0,
  resumeDepth5,
  resumeDepth20,
  sleepingTaskMemory,
  lockHandoff,
  lockHold,
  semaphore,
  queue,
  gather100k,
  taskGroup100k,
  cancel100k,
  timeouts1m,
];

/**
 * The benchmark of that name, or else those whose names begin with it: `resume-depth` is three.
 *
 * @param {string} name
 * @returns {readonly Benchmark[]}
 */
export function findBenchmarks(name) {
  const exact = benchmarks.filter((benchmark) => benchmark.name === name);
  return exact.length > 0 ? exact : benchmarks.filter((benchmark) => benchmark.name.startsWith(`${name}-`));
}
