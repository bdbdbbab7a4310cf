/** Programs that nothing can wake: from there until `run` has thrown a DeadlockError, which draws n tasks. @module */

import { cpuMilliseconds, times } from "../../javascript/measure.mjs";
import { inBothSyntaxes, letThemStart } from "../syntax.mjs";
import { makeChain } from "./chains.mjs";

export const deadlocks = [
  { name: "growth-deadlock-shared", programs: inBothSyntaxes(shared), inPython: false },
  { name: "growth-deadlock-chain", programs: inBothSyntaxes(chain), inPython: false },
];

/** All tasks wait for one future. */
function shared(n, asyncio, awaiting) {
  return timeDeadlock(asyncio, () => {
    const future = asyncio.getRunningLoop().createFuture();
    times(n, () => asyncio.createTask(awaiting(() => future)));
    return future;
  });
}

/** Each task waits for the next. */
function chain(n, asyncio, awaiting) {
  return timeDeadlock(asyncio, () => makeChain(n, { asyncio, awaiting }).head);
}

/** `prepare` makes the tasks, and gives what the main task waits for. */
async function timeDeadlock(asyncio, prepare) {
  let start;
  const running = asyncio.run(function* () {
    const never = prepare();
    yield* letThemStart(asyncio);
    start = cpuMilliseconds();
    yield* never;
  });
  try {
    await running;
  } catch (error) {
    if (error instanceof asyncio.DeadlockError) return cpuMilliseconds() - start;
    throw error;
  }
  throw new Error("The program ended without a DeadlockError");
}
