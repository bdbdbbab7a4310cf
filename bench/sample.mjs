/**
 * One sample: a process that runs one benchmark for one subject and prints the value. A folder as the last argument is
 * the build of asyncio-ts to measure; this project's by default.
 *
 * ```text
 * node --expose-gc bench/sample.mjs switch "asyncio-ts async" full
 * node --expose-gc bench/sample.mjs switch "asyncio-ts async" full ../other-checkout/dist
 * ```
 *
 * @module
 */

import { writeSync } from "node:fs";
import { benchmarks } from "./benchmark.mjs";
import { loadBuild } from "./builds.mjs";
import { isPeer, loadPeer } from "./peers.mjs";
import { usesLibrary } from "./subjects.mjs";

const [name, subject, size = "full", dist] = process.argv.slice(2);
const benchmark = benchmarks.find((candidate) => candidate.name === name);
const program = benchmark?.programs[subject];
const sizes = benchmark?.sizes;
if (program === undefined || sizes[size] === undefined) {
  console.error(`No program: ${name} of "${subject}" in size ${size}`);
  process.exit(2);
}

const library = await loadLibrary();
await program(sizes.warmUp, library);
globalThis.gc?.();
// The collection has taken compiled code with it.
await program(sizes.warmUp, library);
const value = await program(sizes[size], library);
writeSync(1, `${value}\n`);
// Timers that sleep for an hour may be left; a process that is profiled must exit, not be killed.
process.exit(0);

async function loadLibrary() {
  if (usesLibrary(subject)) return await loadBuild(dist);
  return isPeer(subject) ? await loadPeer(subject) : undefined;
}
