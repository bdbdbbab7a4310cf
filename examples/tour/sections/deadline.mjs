/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const deadline = {
  title: "A deadline for what would hang",
  about: "The answer never comes: a timer of the loop cancels the question.",
  seconds: 1.5,

  async main() {
    const task = asyncio.createTask(ask, { name: "question" });
    const timer = asyncio.getRunningLoop().callLater(1.5, () => task.cancel());
    await asyncio.gather(task, { returnExceptions: true });
    timer.cancel();
    say(`main: ${task.cancelled() ? "no answer, going on without" : task.result()}`);
  },
};

/** @returns {Promise<string>} */
async function ask() {
  say("question: is anybody there?");
  return await asyncio.getRunningLoop().createFuture();
}
