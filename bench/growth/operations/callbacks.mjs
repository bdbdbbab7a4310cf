/** n callbacks are added to one future, and each is removed. @module */

import { cpuMilliseconds, times } from "../../javascript/measure.mjs";
import { GENERATORS } from "../../subjects.mjs";
import { shuffled } from "./shuffled.mjs";

/** @type {import("../operation.mjs").Operation} */
export const removeCallbacks = {
  name: "growth-remove-callback",
  programs: { [GENERATORS]: program },
  inPython: true,
};

function program(n, asyncio) {
  // oxlint-disable-next-line require-yield -- nothing here waits
  return asyncio.run(function* () {
    const future = asyncio.getRunningLoop().createFuture();
    const callbacks = times(n, () => () => {});
    for (const callback of callbacks) future.addDoneCallback(callback);
    const removeOrder = shuffled(callbacks);
    const start = cpuMilliseconds();
    let removed = 0;
    for (const callback of removeOrder) removed += future.removeDoneCallback(callback);
    const milliseconds = cpuMilliseconds() - start;
    if (removed !== n) throw new Error(`${removed} of ${n} callbacks have been removed`);
    return milliseconds;
  });
}
