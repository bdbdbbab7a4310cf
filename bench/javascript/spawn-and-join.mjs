/** Starting tasks that end at once, and waiting for all of them. @module */

import { ASYNC, GENERATORS, NATIVE } from "../subjects.mjs";
import { now } from "./measure.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const spawnAndJoin = {
  name: "spawn-and-join",
  unit: "ns per task",
  better: "lower",
  sizes: { full: { tasks: 100_000 }, quick: { tasks: 50_000 }, warmUp: { tasks: 20_000 } },
  programs: { [GENERATORS]: generators, [ASYNC]: asyncFunctions, [NATIVE]: native },
  python: "spawn-and-join.py",
};

// oxlint-disable-next-line require-yield -- a coroutine that never waits
function* trivialGenerator() {
  return 1;
}

async function trivial() {
  return 1;
}

function generators({ tasks }, asyncio) {
  return asyncio.run(function* () {
    const start = now();
    const results = yield* asyncio.gather(Array.from({ length: tasks }, () => asyncio.createTask(trivialGenerator)));
    return perTask(start, results);
  });
}

function asyncFunctions({ tasks }, asyncio) {
  return asyncio.run(async () => {
    const start = now();
    const results = await asyncio.gather(Array.from({ length: tasks }, () => asyncio.createTask(trivial)));
    return perTask(start, results);
  });
}

async function native({ tasks }) {
  const start = now();
  const results = await Promise.all(Array.from({ length: tasks }, () => trivial()));
  return perTask(start, results);
}

function perTask(start, results) {
  return ((now() - start) * 1e6) / results.length;
}
