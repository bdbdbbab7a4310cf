/**
 * What a program holds, for those that look for leaks: the number of its objects, which does not depend on how busy the
 * machine is, as the sizes of heaps do. A buffer counts as an object, too.
 *
 * @module
 */

import v8 from "node:v8";
import * as asyncio from "asyncio-ts";

/** How often to look before what is held is held for good. Only a program that leaks looks so often. */
const LOOKS = 500;

/** How many objects there are, after the garbage collector has run. */
export function objectsHeld() {
  globalThis.gc();
  return v8.queryObjects(Object, { format: "count" });
}

/** The bytes in use, after the garbage collector has run. */
export function bytesHeld() {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed, external };
}

/**
 * Measures until `isLow` of the result: sockets are freed some turns after they are closed, and memory outside of the
 * heap by a thread of its own. The last result.
 */
export async function measureUntil(isLow, measure) {
  let held = measure();
  for (let look = 1; look < LOOKS && !isLow(held); look++) {
    await asyncio.sleep(0.01);
    held = measure();
  }
  return held;
}

/** How many objects there are once their number no longer changes: what to compare with later. */
export async function settledObjects() {
  let previous = NaN;
  const hasSettled = (held) => {
    const isSame = held === previous;
    previous = held;
    return isSame;
  };
  return await measureUntil(hasSettled, objectsHeld);
}
