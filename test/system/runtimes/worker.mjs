/** Runs in a worker thread, for two programs of `processes.mjs`. @module */

import { workerData } from "node:worker_threads";
import * as asyncio from "asyncio-ts";

if (workerData === "result") console.log(await asyncio.run(() => asyncio.sleep(0.001, "slept")));
else void asyncio.run(() => asyncio.getRunningLoop().createFuture());
