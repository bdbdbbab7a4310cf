/** What both suites of executors wait with. @module */

import { sleep } from "asyncio-ts";

/** The error of `work`, or of what it gives; one that is not raised is an error too. */
export async function errorOf(work) {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return error;
  }
  throw new Error("nothing was raised");
}

/** Waits until `isSo()`. */
export async function until(isSo) {
  while (!isSo()) await sleep(0.005);
}
