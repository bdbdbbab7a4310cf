/** ThreadPoolExecutor: work in threads of this process. @module */

import type { ResourceLimits } from "node:worker_threads";
import { Worker as NodeWorker } from "node:worker_threads";
import type { Transferable } from "node:worker_threads";
import { keepName } from "../../core/base/format.ts";
import type { Reply, Request } from "./messages.ts";
import type { Worker, WorkerOptions } from "./worker-pool.ts";
import { inheritedOptions, WorkerPool, workerFile } from "./worker-pool.ts";

/** Options of a {@link ThreadPoolExecutor}. */
export interface ThreadPoolOptions extends WorkerOptions {
  /** The name of the threads, for tools. */
  readonly threadName?: string;
  /** How much memory a thread may take; one that takes more ends, and its job with it. */
  readonly resourceLimits?: ResourceLimits;
}

/**
 * Runs functions of modules in worker threads: for work that takes the processor, which would keep the loop from everything
 * else. `toThread` uses one that belongs to the loop.
 *
 * ```ts no-run
 * const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work); // import * as work from "./work.mjs"
 * await using executor = new asyncio.ThreadPoolExecutor({ maxWorkers: 4 });
 * const job = executor.submit(tasks.hash, file);
 * for await (const percent of job.progress) console.log(percent);
 * console.log(await job);
 * ```
 *
 * Threads begin when there is work, and end when there has been none for `idleTimeout`. One that crashes is the failure of
 * its job alone, a `BrokenExecutorError`. A job that is cancelled has its `currentJob().signal` aborted; a thread that does
 * not stop within `stopWithin` is ended and replaced.
 *
 * CPython: `concurrent.futures.ThreadPoolExecutor`; there a thread cannot be stopped.
 */
export class ThreadPoolExecutor extends WorkerPool {
  readonly #options: ThreadPoolOptions;
  protected override readonly workerName: string = "a thread";

  constructor(options: ThreadPoolOptions = {}) {
    super(options);
    this.#options = options;
  }

  protected override startWorker(): Worker {
    const { threadName = "asyncio", resourceLimits } = this.#options;
    return new Thread(
      new NodeWorker(workerFile("thread-worker.js"), {
        name: threadName,
        // A thread inherits the options of the process by itself, but cannot begin with this one.
        ...(process.execArgv.some((option) => option.startsWith("--input-type"))
          ? { execArgv: inheritedOptions() }
          : {}),
        ...(resourceLimits === undefined ? {} : { resourceLimits }),
      }),
    );
  }
}
keepName("ThreadPoolExecutor", ThreadPoolExecutor);

class Thread implements Worker {
  readonly #worker: NodeWorker;

  constructor(worker: NodeWorker) {
    this.#worker = worker;
  }

  listen(onReply: (reply: Reply) => void, onEnd: (why: string) => void): void {
    this.#worker.on("message", onReply);
    this.#worker.on("messageerror", (error) => onEnd(`its answer could not be read: ${error.message}`));
    this.#worker.on("error", (error) => onEnd(String(error)));
    this.#worker.on("exit", (code) => onEnd(`it exited with code ${code}`));
  }

  send(request: Request, transfer: readonly object[]): void {
    // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
    if (transfer.length === 0) this.#worker.postMessage(request);
    else this.#worker.postMessage(request, transfer as Transferable[]);
  }

  kill(): void {
    void this.#worker.terminate();
  }

  hold(keeps: boolean): void {
    if (keeps) this.#worker.ref();
    else this.#worker.unref();
  }
}
