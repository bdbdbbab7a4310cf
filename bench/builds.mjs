/** Builds of asyncio-ts: this project's, and that of another checkout to compare with. @module */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The folder of this project's build. */
export const ownBuild = fileURLToPath(new URL("../dist", import.meta.url));

/**
 * The library of the build in the folder `dist`; by default this project's, through its name, as its users load it.
 *
 * @param {string} [dist]
 */
export async function loadBuild(dist) {
  return dist === undefined ? await import("asyncio-ts") : await import(pathToFileURL(entryPoint(dist)).href);
}

/**
 * Whether the folder `dist` holds a build.
 *
 * @param {string} dist
 */
export function isBuild(dist) {
  return existsSync(entryPoint(dist));
}

/** Only the entry points have the same place in every build. */
function entryPoint(dist) {
  return join(dist, "node", "index.js");
}
