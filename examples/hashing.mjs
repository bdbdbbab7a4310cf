/**
 * Hashes files in threads, with a bar that shows how far they are, and the loop free for everything else:
 *
 *     node examples/hashing.mjs src/core/kernel/*.ts
 *
 * Ctrl-C ends it at once: what has begun is stopped, and nothing is left.
 */

import * as asyncio from "asyncio-ts";
import * as work from "./hashing/work.mjs";

const tasks = asyncio.defineTasks(new URL("./hashing/work.mjs", import.meta.url), work);
const WIDTH = 40;

async function main(paths) {
  const executor = new asyncio.ThreadPoolExecutor({ maxWorkers: 2, stopWithin: 0.5 });
  const job = executor.submit(tasks.hashAll, paths);
  try {
    for await (const done of job.progress) draw(done, paths.length);
    for (const [path, digest] of await job) console.log(`${digest.slice(0, 16)}  ${path}`);
  } finally {
    job.cancel(); // on Ctrl-C: else it is over
    await executor.shutdown();
  }
}

function draw(done, total) {
  if (!process.stdout.isTTY) return;
  const full = Math.round((done / total) * WIDTH);
  process.stdout.write(`\r[${"#".repeat(full).padEnd(WIDTH)}] ${done} of ${total}${done === total ? "\n" : ""}`);
}

const paths = process.argv.slice(2);
if (paths.length === 0) console.error("usage: node examples/hashing.mjs FILE ...");
else await asyncio.run(() => main(paths));
