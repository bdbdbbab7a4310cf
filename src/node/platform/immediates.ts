/**
 * `setImmediate`, which Jest takes from the globals of jsdom. Looked up at each call: test runners fake it.
 *
 * @module
 */

import * as timers from "node:timers";

/** Calls `callback` in the next check phase of libuv, when I/O has had its chance. */
export function afterIo(callback: () => void): NodeJS.Immediate {
  return (globalThis.setImmediate ?? timers.setImmediate)(callback);
}

/** Takes back what {@link afterIo} returned. */
export function cancelAfterIo(immediate: NodeJS.Immediate): void {
  (globalThis.clearImmediate ?? timers.clearImmediate)(immediate);
}
