/** A worker of `bench/cluster.mjs`: `node worker.mjs ours|bare OPTIONS`. Ends when its parent does. */

import * as asyncio from "asyncio-ts";
import { serveTasks } from "asyncio-ts/bullmq";
import { Worker } from "bullmq";
import * as work from "../executors/work.mjs";

const [, , kind, json] = process.argv;
const options = JSON.parse(json);
process.once("disconnect", () => process.exit());

if (kind === "bare") {
  const worker = new Worker(options.queue, ({ data }) => Promise.resolve(work.increment(data)), options);
  await worker.waitUntilReady();
} else {
  const tasks = asyncio.defineTasks(new URL("../executors/work.mjs", import.meta.url), work);
  await asyncio.run(() => serveTasks(tasks, options), { signals: false });
}
