/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Running a program: a loop, a main task, and an orderly end.
 *
 * **The end of a program, step by step.** The main task is done. Every task that still runs is cancelled, and so are
 * the waits of async functions that were not awaited; the loop goes on until the tasks have cleaned up; what failed
 * meanwhile goes to the exception handler; the loop is closed, which reports what was forgotten. Then `run` gives the
 * result, or throws the error.
 *
 * @module
 */

import type { AbortSignalLike } from "../base/abort.ts";
import type { BaseEventLoop } from "./base-events.ts";
import { newEventLoop } from "./base-events.ts";
import { toCoroutine } from "../kernel/async-functions.ts";
import type { Context } from "../kernel/contextvars.ts";
import { copyContext } from "../kernel/contextvars.ts";
import type { CoroutineGenerator, CoroutineLike } from "../kernel/coroutines.ts";
import { isInsideRunningLoop } from "../kernel/events.ts";
import { DeadlockError, RuntimeError } from "../base/exceptions.ts";
import type { Future } from "../kernel/futures.ts";
import { isFuture } from "../kernel/futures.ts";
import { gather } from "../coordination/gather.ts";
import { sleep } from "../coordination/sleep.ts";
import type { Task } from "../kernel/tasks.ts";
import { Interrupts } from "./interrupts.ts";

/** Options of {@link run} and {@link Runner}. */
export interface RunnerOptions {
  /** Debug mode on or off; the environment decides by default (`ASYNCIO_DEBUG`). */
  readonly debug?: boolean;
  /** Makes the loop; `newEventLoop` by default. */
  readonly loopFactory?: () => BaseEventLoop;
  /** Cancels the main task, of each run, when it is aborted. */
  readonly signal?: AbortSignalLike;
  /**
   * Which signals of the operating system cancel the main task: `["SIGINT", "SIGTERM"]` for a server, `false` for none. By
   * default Ctrl-C (`SIGINT`) does, for as long as the application has no handler of its own for it.
   */
  readonly signals?: readonly string[] | false;
}

/**
 * Runs a program: a new loop, `main` as its main task, and an orderly end. The promise gives `main`'s result.
 *
 * - What still runs when `main` ends is cancelled and waited for; what fails then is reported.
 * - Ctrl-C cancels `main`, and the promise is rejected with {@link KeyboardInterrupt}; a second one ends the process. Other
 *   signals do the same with `signals`. Where nobody handles the error, the process ends with the code that a shell expects
 *   (130 for Ctrl-C, 143 for `SIGTERM`), and without a stack.
 * - If nothing is left that could wake a waiting task, it is rejected with a {@link DeadlockError} that draws the tasks.
 *
 * ```ts
 * const answer = await asyncio.run(async () => {
 *   await asyncio.sleep(0.001);
 *   return 42;
 * });
 * assert.equal(answer, 42);
 * ```
 *
 * @param main the function to run, or a coroutine. Not a promise: it would run already, outside of the loop.
 * @throws {RuntimeError} (the promise is rejected) if called from inside a coroutine: await the work there.
 *
 * CPython: `asyncio.run`.
 */
export async function run<T>(main: CoroutineLike<T>, options: RunnerOptions = {}): Promise<T> {
  if (isInsideRunningLoop()) {
    throw new RuntimeError("asyncio.run() cannot be called from a running event loop: await the coroutine instead");
  }
  const runner = new Runner(options);
  try {
    return await runner.run(main);
  } finally {
    await runner.close();
  }
}

/** A runner's life: made, with a loop, closed. */
type State = "created" | "initialized" | "closed";

/**
 * Several runs on one loop and one context: `run` in parts. The loop is made at the first run, or by {@link getLoop}.
 *
 * ```ts
 * await using runner = new asyncio.Runner();
 * assert.equal(await runner.run(async () => 1), 1);
 * assert.equal(await runner.run(async () => 2), 2);
 * ```
 *
 * CPython: `asyncio.Runner`.
 */
export class Runner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  #state: State = "created";
  #loop: BaseEventLoop | null = null;
  #context: Context | null = null;
  #interrupts: Interrupts | null = null;
  /** The last main returned: what it has left behind it forgot. */
  #hasReturned: boolean = false;

  constructor(options: RunnerOptions = {}) {
    this.#options = options;
  }

  /** The runner's loop, made at the first call. */
  getLoop(): BaseEventLoop {
    this.#initialize();
    return this.#loop!;
  }

  /**
   * Runs `main` to its end on the runner's loop.
   *
   * @param options `context`: to run in; the runner's own by default, in which values stay from run to run.
   */
  async run<T>(main: CoroutineLike<T> | Future<T>, options: { readonly context?: Context } = {}): Promise<T> {
    if (isInsideRunningLoop()) {
      throw new RuntimeError("Runner.run() cannot be called from a running event loop: await the coroutine instead");
    }
    const work = isFuture(main) ? waitFor(main) : toCoroutine(main, "run");
    this.#initialize();
    const loop = this.#loop!;
    if (loop.isRunning()) throw new RuntimeError("Runner.run() cannot be called while another run is under way");
    const task = loop.createTask<T>(work, { context: this.#context!, ...this.#signal(), ...options });
    task._logDestroyPending = false;
    const interrupts = this.#interrupts!;
    interrupts.listen(task);
    this.#hasReturned = false;
    let result: T;
    try {
      result = await loop.runUntilComplete(task);
      this.#hasReturned = true;
    } catch (error) {
      throw interrupts.errorFor(error, task);
    } finally {
      interrupts.listen(null);
      await interrupts.stop();
    }
    interrupts.check();
    return result;
  }

  /** Cancels what still runs, waits for it, and closes the loop. Closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#state !== "initialized") return;
    const loop = this.#loop!;
    if (loop.isRunning()) throw new RuntimeError("Cannot close a Runner while a run is under way");
    this.#state = "closed";
    const interrupts = this.#interrupts!;
    interrupts.listen(null);
    try {
      await cancelAllTasks(loop, this.#hasReturned && loop.getDebug());
      const executorEnds = loop._endExecutor();
      if (executorEnds !== null) await loop.runUntilComplete(executorEnds);
    } catch (error) {
      // A task awaits a promise that is never settled: closing the loop says which.
      if (!(error instanceof DeadlockError)) throw error;
    } finally {
      await interrupts.stop();
      loop.close();
      this.#loop = null;
    }
    interrupts.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #signal(): { readonly signal?: AbortSignalLike } {
    return this.#options.signal === undefined ? {} : { signal: this.#options.signal };
  }

  #initialize(): void {
    if (this.#state === "closed") throw new RuntimeError("Runner is closed");
    if (this.#state === "initialized") return;
    this.#loop = (this.#options.loopFactory ?? newEventLoop)();
    this.#interrupts = new Interrupts(this.#loop, this.#options.signals);
    if (this.#options.debug !== undefined) this.#loop.setDebug(this.#options.debug);
    this.#context = copyContext();
    this.#state = "initialized";
  }
}

async function cancelAllTasks(loop: BaseEventLoop, tellsLeft: boolean): Promise<void> {
  const tasks = [...loop._tasks];
  if (tasks.length === 0 && loop._orphans.size === 0) return;
  for (const task of tasks) {
    if (tellsLeft && task.cancelling() === 0) {
      const message = "A task still ran when main ended, and is cancelled: await it, or start it in a taskGroup";
      loop.callExceptionHandler({ message, task });
    }
    task.cancel();
  }
  loop._orphans.cancel();
  await loop.runUntilComplete(untilDone(tasks));
  for (const task of tasks) {
    if (task.cancelled() || !task._failed) continue;
    loop.callExceptionHandler({
      message: "unhandled exception during asyncio.run() shutdown",
      exception: task.exception(),
      task,
    });
  }
}

function* untilDone(tasks: readonly Task<unknown>[]): CoroutineGenerator<void> {
  yield* gather(tasks, { returnExceptions: true });
  yield* sleep(0);
}

function* waitFor<T>(future: Future<T>): CoroutineGenerator<T> {
  return yield* future;
}
