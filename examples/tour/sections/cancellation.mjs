/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const cancellation = {
  title: "Cancellation cleans up",
  about: "cancel() throws where the task waits; its finally block may wait as well.",
  seconds: 2,

  async main() {
    const task = asyncio.createTask(download, { name: "download" });
    await asyncio.sleep(1);
    say("main: cancel it");
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    say(`main: it is ${task.cancelled() ? "cancelled" : "done"}`);
  },
};

async function download() {
  say("download: this will take an hour");
  try {
    await asyncio.sleep(3600);
  } finally {
    say("download: cleaning up");
    await asyncio.sleep(1);
    say("download: cleaned up");
  }
}
