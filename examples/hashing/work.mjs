/** What the threads do: a module without state, which is imported here and there. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";

/** The digests of files, one after the other; it tells how many it has done. */
export async function hashAll(paths) {
  const { signal, progress } = asyncio.currentJob();
  const digests = [];
  for (const path of paths) {
    if (signal.aborted) break;
    digests.push([path, createHash("sha256").update(readFileSync(path)).digest("hex")]);
    progress(digests.length);
    // Gives way: the request to stop is a message, which is read in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return digests;
}
