/** n deadlines, each inside of the body of the one before; the innermost gives way once, and all of them end. @module */

import { cpuMilliseconds } from "../../javascript/measure.mjs";
import { ASYNC, COROUTINES, GENERATORS } from "../../subjects.mjs";

const HOUR_SECONDS = 3600;

/** @type {import("../operation.mjs").Operation} */
export const nestDeadlines = {
  name: "growth-nested-deadlines",
  programs: { [GENERATORS]: generators, [COROUTINES]: coroutines, [ASYNC]: asyncFunctions },
  inPython: true,
};

function generators(n, asyncio) {
  function* nest(depth) {
    if (depth === 0) return yield* asyncio.sleep(0, "the value");
    return yield* asyncio.timeout(HOUR_SECONDS, () => nest(depth - 1));
  }
  return timeNest(n, asyncio, nest);
}

function coroutines(n, asyncio) {
  const nest = asyncio.coroutine(function* (depth) {
    if (depth === 0) return yield* asyncio.sleep(0, "the value");
    return yield* asyncio.timeout(HOUR_SECONDS, () => nest(depth - 1));
  });
  return timeNest(n, asyncio, nest);
}

function asyncFunctions(n, asyncio) {
  async function nest(depth) {
    if (depth === 0) return await asyncio.sleep(0, "the value");
    return await asyncio.timeout(HOUR_SECONDS, async () => await nest(depth - 1));
  }
  return timeNest(n, asyncio, nest);
}

async function timeNest(n, asyncio, nest) {
  const start = cpuMilliseconds();
  const value = await asyncio.run(() => nest(n));
  const milliseconds = cpuMilliseconds() - start;
  if (value !== "the value") throw new Error(`The innermost gave '${value}'`);
  return milliseconds;
}
