/**
 * Ends the process when a program holds its only thread for too long: a loop that spins inside of one turn cannot be
 * ended from within.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** A program takes some milliseconds. */
const LIMIT_SECONDS = 30;

/** Watches from a thread of its own, which does not keep the process alive. */
export function watchForStalls() {
  const worker = new Worker(new URL(import.meta.url));
  worker.unref();
  // oxlint-disable-next-line require-post-message-target-origin -- The rule takes a worker for a window.
  const tell = (name) => worker.postMessage(name);
  return {
    /** A program begins to run; it is called `name` in the message that ends the process. */
    begins: (name) => tell(name),
    /** Nothing runs that could stall. */
    pauses: () => tell(null),
  };
}

if (!isMainThread) {
  let timer;
  parentPort.on("message", (name) => {
    clearTimeout(timer);
    if (name !== null) timer = setTimeout(() => stalled(name), LIMIT_SECONDS * 1000);
  });
}

function stalled(name) {
  writeSync(
    1,
    `FAILED ${name}: has not returned for ${LIMIT_SECONDS} seconds: it spins inside of a turn\n0 passed, 1 failed\n`,
  );
  process.kill(process.pid, "SIGKILL");
}
