/** A worker as its user writes it: `node worker.mjs OPTIONS`, options of `serveTasks` as JSON. */

import * as asyncio from "asyncio-ts";
import { TaskServer } from "asyncio-ts/bullmq";
import * as work from "./work.mjs";

const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
const server = new TaskServer(tasks, JSON.parse(process.argv[2]));

await asyncio.run(
  async () => {
    const serving = asyncio.createTask(server.serveForever());
    while (!server.isReady()) await asyncio.sleep(0.005);
    console.log("ready");
    try {
      await serving;
    } finally {
      console.log(JSON.stringify(server.statistics()));
    }
  },
  { signals: ["SIGTERM"] },
);
