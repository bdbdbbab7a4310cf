/**
 * Resuming a task whose code waits `depth` calls deep: the calls are made once, then the innermost gives way again and
 * again. One task, so that each resume is a turn of the loop.
 *
 * @module
 */

// oxlint-disable no-await-in-loop, typescript/await-thenable -- to wait in a loop is what is measured

import { ASYNC, COROUTINES, GENERATORS, NATIVE } from "../subjects.mjs";
import { now } from "./measure.mjs";

export const resumeDepth0 = atDepth(0);
export const resumeDepth5 = atDepth(5);
export const resumeDepth20 = atDepth(20);

/** @returns {import("../benchmark.mjs").Benchmark} */
function atDepth(depth) {
  return {
    name: `resume-depth-${depth}`,
    unit: "ns per resume",
    better: "lower",
    sizes: {
      full: { depth, resumes: 500_000 },
      quick: { depth, resumes: 100_000 },
      warmUp: { depth, resumes: 50_000 },
    },
    programs: { [GENERATORS]: generators, [COROUTINES]: coroutines, [ASYNC]: asyncFunctions, [NATIVE]: native },
    python: "resume-depth.py",
  };
}

function generators({ depth, resumes }, asyncio) {
  function* nested(level) {
    if (level > 0) return yield* nested(level - 1);
    const start = now();
    for (let i = 0; i < resumes; i++) yield* asyncio.sleep(0);
    return perResume(start, resumes);
  }
  return asyncio.run(() => nested(depth));
}

function coroutines({ depth, resumes }, asyncio) {
  const nested = asyncio.coroutine(function* (level) {
    if (level > 0) return yield* nested(level - 1);
    const start = now();
    for (let i = 0; i < resumes; i++) yield* asyncio.sleep(0);
    return perResume(start, resumes);
  });
  return asyncio.run(nested(depth));
}

function asyncFunctions({ depth, resumes }, asyncio) {
  async function nested(level) {
    if (level > 0) return await nested(level - 1);
    const start = now();
    for (let i = 0; i < resumes; i++) await asyncio.sleep(0);
    return perResume(start, resumes);
  }
  return asyncio.run(() => nested(depth));
}

async function native({ depth, resumes }) {
  async function nested(level) {
    if (level > 0) return await nested(level - 1);
    const start = now();
    for (let i = 0; i < resumes; i++) await undefined;
    return perResume(start, resumes);
  }
  return await nested(depth);
}

function perResume(start, resumes) {
  return ((now() - start) * 1e6) / resumes;
}
