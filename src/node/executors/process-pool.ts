/** ProcessPoolExecutor: work in processes of its own. @module */

import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { keepName } from "../../core/base/format.ts";
import type { Reply, Request } from "./messages.ts";
import type { Worker, WorkerOptions } from "./worker-pool.ts";
import { inheritedOptions, WorkerPool, workerFile } from "./worker-pool.ts";

/** Options of a {@link ProcessPoolExecutor}. */
export interface ProcessPoolOptions extends WorkerOptions {
  /** How much memory a process may take for JavaScript's objects, in MB; one that takes more ends, and its job with it. */
  readonly maxMemory?: number;
  /** Options for Node, besides those of this process. */
  readonly execArgv?: readonly string[];
  /** The environment of the processes; the parent's by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder they run in. */
  readonly cwd?: string;
}

/**
 * Runs functions of modules in child processes: for what must not share this one, such as a native module that crashes, or
 * that leaks memory (`maxTasksPerWorker`). A message costs more than between threads, and nothing can be handed over.
 *
 * ```ts no-run
 * await using executor = new asyncio.ProcessPoolExecutor({ maxWorkers: 2, maxMemory: 512 });
 * const pages = await executor.submit(tasks.render, document);
 * ```
 *
 * A process that is killed is the failure of its job alone, a `BrokenExecutorError`. Processes end with the one that has
 * started them, however that ends.
 *
 * CPython: `concurrent.futures.ProcessPoolExecutor`.
 */
export class ProcessPoolExecutor extends WorkerPool {
  readonly #options: ProcessPoolOptions;
  protected override readonly workerName: string = "a process";

  constructor(options: ProcessPoolOptions = {}) {
    super(options);
    this.#options = options;
  }

  protected override startWorker(): Worker {
    const { maxMemory, execArgv = [], env, cwd } = this.#options;
    const limit = maxMemory === undefined ? [] : [`--max-old-space-size=${maxMemory}`];
    return new ChildWorker(
      fork(workerFile("process-worker.js"), [], {
        serialization: "advanced",
        execArgv: [...inheritedOptions(), ...limit, ...execArgv],
        ...(env === undefined ? {} : { env: { ...env } }),
        ...(cwd === undefined ? {} : { cwd }),
      }),
    );
  }
}
keepName("ProcessPoolExecutor", ProcessPoolExecutor);

class ChildWorker implements Worker {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  listen(onReply: (reply: Reply) => void, onEnd: (why: string) => void): void {
    this.#child.on("message", onReply);
    this.#child.on("error", (error) => onEnd(String(error)));
    this.#child.on("exit", (code, signal) => onEnd(signal === null ? `it exited with code ${code}` : signal));
  }

  send(request: Request, transfer: readonly object[]): void {
    if (transfer.length > 0) throw new TypeError("transfer: nothing can be handed over to another process");
    // One that has ended is told by its "exit".
    if (this.#child.connected) this.#child.send(request);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  hold(keeps: boolean): void {
    const word = keeps ? "ref" : "unref";
    this.#child[word]();
    // Bun's channel has neither.
    (this.#child.channel as Partial<NonNullable<ChildProcess["channel"]>> | null | undefined)?.[word]?.();
  }
}
