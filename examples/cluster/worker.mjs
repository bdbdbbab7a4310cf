/** A worker: `node worker.mjs CONNECTION`. On SIGTERM it ends what it does, and gives back what it has not begun. */

import * as asyncio from "asyncio-ts";
import { serveTasks } from "asyncio-ts/bullmq";
import * as work from "./work.mjs";

const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
const options = { queue: "pages", connection: JSON.parse(process.argv[2]), concurrency: 4, recoverAfter: 2 };
await asyncio.run(() => serveTasks(tasks, options), { signals: ["SIGTERM"] });
