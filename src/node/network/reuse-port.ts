/** Sharing a port between processes, where it can be had. @module */

import { RuntimeError } from "../../core/base/exceptions.ts";

/** The first version of Node.js that knows the option; older ones ignore it silently. */
const [FIRST_MAJOR, FIRST_MINOR] = [22, 12];

/** @throws {RuntimeError} where the option would be ignored. */
export function checkReusePort(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > FIRST_MAJOR || (major === FIRST_MAJOR && minor >= FIRST_MINOR)) return;
  throw new RuntimeError(`reusePort is not supported by Node.js ${process.versions.node}: it needs 22.12 or newer`);
}
