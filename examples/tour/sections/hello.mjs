/** @module */

import * as asyncio from "asyncio-ts";
import { say } from "../say.mjs";

/** @type {import("../stage.mjs").Section} */
export const hello = {
  title: "Hello, World",
  about: "The main task prints, waits for a second, and prints again.",
  file: "examples/hello.async.mjs",
  seconds: 1,

  async main() {
    say("Hello");
    await asyncio.sleep(1);
    say("World");
  },
};
