/** What the workers do. Each page has a key, and is written once however often it is done. */

import * as asyncio from "asyncio-ts";

export async function render(page) {
  await asyncio.sleep(0.05); // asks a database, say
  return { page, worker: process.pid };
}
