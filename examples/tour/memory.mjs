/** How much memory is in use, without what the garbage collector would free. @module */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** @type {() => void} */
const collectGarbage = runInNewContext("gc");

/** The bytes of the heap that are really held. */
export function heapBytes() {
  collectGarbage();
  collectGarbage(); // what the first pass let go of
  return process.memoryUsage().heapUsed;
}
