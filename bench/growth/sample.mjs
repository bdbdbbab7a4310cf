/**
 * One sample: a process that runs one operation at one size and prints the milliseconds of
 * the processor. A folder as the last argument
 * is the build of asyncio-ts to measure; this project's by default.
 *
 * ```text
 * node --expose-gc bench/growth/sample.mjs growth-lock "asyncio-ts async" 10000
 * ```
 *
 * @module
 */

import { writeSync } from "node:fs";
import { loadBuild } from "../builds.mjs";
import { cpuMilliseconds } from "../javascript/measure.mjs";
import { operations } from "./operation.mjs";

/** The program runs at this size for as long, so that the code is compiled before the part that counts. */
const WARM_UP_SIZE = 1000;
const WARM_UP_MILLISECONDS = 150;

const [name, subject, size, dist] = process.argv.slice(2);
const program = operations.find((operation) => operation.name === name)?.programs[subject];
const n = Number(size);
if (program === undefined || !Number.isInteger(n)) {
  console.error(`No program: ${name} of "${subject}" in size ${size}`);
  process.exit(2);
}

const asyncio = await loadBuild(dist);
await warmUp();
globalThis.gc?.();
// The collection has taken compiled code with it.
await warmUp();
const milliseconds = await program(n, asyncio);
writeSync(1, `${milliseconds}\n`);
process.exit(0);

async function warmUp() {
  const start = cpuMilliseconds();
  while (cpuMilliseconds() - start < WARM_UP_MILLISECONDS) await program(Math.min(n, WARM_UP_SIZE), asyncio);
}
