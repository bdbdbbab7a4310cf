/** Task: a coroutine that runs on its own, with an owner, a name and a way to be cancelled. @module */

import type { Aborter, AbortSignalLike, Signal } from "../base/abort.ts";
import { newAborter, onAbort } from "../base/abort.ts";
import { toCoroutine } from "./async-functions.ts";
import type { Context } from "./contextvars.ts";
import { copyContext } from "./contextvars.ts";
import type { CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
import { Coroutine } from "./coroutines.ts";
import { Driver } from "./driver.ts";
import type { AbstractEventLoop } from "./events.ts";
import { getRunningLoop } from "./events.ts";
import { CancelledError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { formatError } from "../base/format.ts";
import { Future } from "./futures.ts";
import type { Linked } from "../base/linked-list.ts";
import type { Cancellable, WaitScope } from "./running.ts";
import { currentExecution, getAsyncContext } from "./running.ts";
import { WaitSet } from "./awaits.ts";

/** Options of {@link createTask}. */
export interface CreateTaskOptions {
  /** The task's name in reports; `Task-1`, `Task-2` … by default. */
  readonly name?: string;
  /** The context the task runs in, itself and not a copy. Without it, a copy of the current one is taken. */
  readonly context?: Context;
  /** Take the first step at once, before `createTask` returns. */
  readonly eagerStart?: boolean;
  /** Cancels the task when it is aborted. */
  readonly signal?: AbortSignalLike;
}

/** What makes the tasks of a loop; see `setTaskFactory`. */
export type TaskFactory = <T>(
  loop: AbstractEventLoop,
  coroutine: Coroutine<T> | CoroutineGenerator<T>,
  options: CreateTaskOptions,
) => Task<T>;

/** One line of {@link Task.getStack}: a coroutine under way. */
export interface StackFrame {
  readonly name: string;
}

let tasksMade = 0;

/**
 * A coroutine that runs on its own, beside the code that started it. Made by {@link createTask}.
 *
 * - It starts in the next turn of the loop, and ends with the coroutine's result or error, or cancelled.
 * - {@link cancel} throws a `CancelledError` where the coroutine waits; it may clean up, with awaits, as long as it
 *   needs.
 * - The loop holds it for as long as it has not ended; nobody else needs to.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const task = asyncio.createTask(async () => {
 *     try {
 *       await asyncio.sleep(3600);
 *     } finally {
 *       await asyncio.sleep(0); // cleaning up
 *     }
 *   });
 *   await asyncio.sleep(0);
 *   task.cancel();
 *   await asyncio.gather(task, { returnExceptions: true });
 *   assert.ok(task.cancelled());
 * });
 * ```
 *
 * CPython: `asyncio.Task`.
 */
export class Task<T> extends Future<T> implements Linked<Task<unknown>> {
  /** @internal */
  readonly _driver: TaskDriver<T>;
  /** @internal */
  _previous: Task<unknown> | null = null;
  /** @internal */
  _next: Task<unknown> | null = null;
  #name: string | number;
  #coroutine: Coroutine<T> | CoroutineGenerator<T> | null;
  #abort: Aborter | null = null;
  #unlink: (() => void) | null = null;
  /** @internal `gather` and `run` answer for their tasks themselves. */
  _logDestroyPending: boolean = true;

  /** Prefer {@link createTask}, or `loop.createTask`. */
  constructor(
    coroutine: Coroutine<T> | CoroutineGenerator<T>,
    options: CreateTaskOptions & { readonly loop?: AbstractEventLoop } = {},
  ) {
    const loop = options.loop ?? getRunningLoop();
    super({ loop });
    this.#coroutine = coroutine;
    this.#name = options.name?.toString() ?? ++tasksMade;
    this._driver = new TaskDriver(this, options.context ?? copyContext(), iteratorOf(coroutine));
    if (options.signal !== undefined) this.#unlink = onAbort(options.signal, (message) => void this.cancel(message));
    loop._instrument?.taskCreated?.(this);
    loop._tasks.add(this);
    if (options.eagerStart === true && loop.isRunning()) {
      this.#startEagerly();
    } else {
      loop._enqueue(this._driver);
    }
  }

  #startEagerly(): void {
    const instrument = this._loop._instrument;
    instrument?.stepStarted?.(this);
    this._driver.run();
    instrument?.stepEnded?.(this);
    if (this.done()) this.#coroutine = null;
  }

  /** The task's name in reports. */
  get name(): string {
    return this.getName();
  }

  set name(name: string) {
    this.setName(name);
  }

  getName(): string {
    return typeof this.#name === "number" ? `Task-${this.#name}` : this.#name;
  }

  setName(name: unknown): void {
    this.#name = String(name);
  }

  getContext(): Context {
    return this._driver.context;
  }

  /** The coroutine the task runs; `null` if it ended in its eager first step. */
  getCoro(): Coroutine<T> | CoroutineGenerator<T> | null {
    return this.#coroutine;
  }

  /**
   * Asks the task to stop: a {@link CancelledError} with `message` is thrown where it waits, in the next turn. A task
   * that catches it and goes on is not stopped.
   *
   * @returns `false` if the task has ended already.
   */
  override cancel(message?: string): boolean {
    this.logTraceback = false;
    if (this.done()) return false;
    this.#abort?.abort(new CancelledError(message));
    return this._driver.requestCancel(message);
  }

  /** @internal */
  override get _isCancelling(): boolean {
    return this._driver.isCancelling;
  }

  /** How many requests to cancel there were, less those taken back with {@link uncancel}. */
  cancelling(): number {
    const driver = this.#innermostDriver();
    // Seen from outside, the requests of every deadline and group inside count.
    return driver === this._driver ? driver.cancelling() + this._driver.innerRequests : driver.cancelling();
  }

  /**
   * Takes one request to cancel back: for code that caught its `CancelledError` and goes on. Returns what is left of
   * {@link cancelling}; at zero, a request that has not been delivered is dropped.
   */
  uncancel(): number {
    return this.#innermostDriver().uncancelOutermost();
  }

  /** Seen from inside of an `await` with a deadline, the deadline's request counts too, as in CPython. */
  #innermostDriver(): Driver<unknown> {
    const execution = currentExecution();
    return execution?.task === (this as Task<unknown>) ? (execution.driver ?? this._driver) : this._driver;
  }

  /**
   * An `AbortSignal` that is aborted when the task is cancelled: give it to `fetch` and its like. After a cancellation
   * that was taken back with `uncancel`, it is a fresh one.
   */
  get signal(): Signal {
    if (this.#abort?.signal.aborted === true && this.cancelling() === 0) this.#abort = null;
    if (this.#abort === null) {
      this.#abort = newAborter();
      if (this.cancelling() > 0) this.#abort.abort(new CancelledError());
    }
    return this.#abort.signal;
  }

  /** A task's result comes from its coroutine. @throws {RuntimeError} always. */
  override setResult(_value: T): never {
    throw new RuntimeError("Task does not support setResult operation");
  }

  /** A task's exception comes from its coroutine. @throws {RuntimeError} always. */
  override setException(_error: unknown): never {
    throw new RuntimeError("Task does not support setException operation");
  }

  /**
   * The coroutines under way in the task, outermost first. JavaScript shows no lines of a suspended function; what is
   * known is which coroutines wait for which.
   */
  getStack(options: { readonly limit?: number } = {}): StackFrame[] {
    if (this.done()) return [];
    const frames = [this.#coroutine, ...this._driver.frames].map((frame) => ({ name: `${nameOf(frame)}()` }));
    return options.limit === undefined ? frames : frames.slice(-options.limit);
  }

  /** Writes {@link getStack}, or the error the task ended with, as text; to standard error by default. */
  printStack(options: { readonly limit?: number; readonly write?: (text: string) => void } = {}): void {
    const write = options.write ?? ((text: string) => console.error(text));
    const failure = this.done() && !this.cancelled() ? this.exception() : null;
    const frames = this.getStack(options);
    if (failure !== null) write(`Traceback for ${this.toString()} (most recent call last):\n${formatError(failure)}`);
    else if (frames.length === 0) write(`No stack for ${this.toString()}`);
    else {
      const lines = frames.map((frame) => `  in ${frame.name}`);
      write([`Stack for ${this.toString()} (most recent call last):`, ...lines].join("\n"));
    }
  }

  /** @internal The coroutine returned; `request` is a request to cancel that came too late for it to see. */
  _returned(value: T, request: { readonly message: string | undefined } | null): void {
    this.#end();
    if (request !== null) {
      this._finishCancelled(request.message);
    } else {
      if (this._loop.getDebug() && this.cancelling() > 0) this.#reportSwallowed();
      this._finish(value);
    }
    this._loop._instrument?.taskDone?.(this);
  }

  /** @internal The coroutine threw. */
  _raised(error: unknown): void {
    this.#end();
    if (error instanceof CancelledError) this._finishCancelled(undefined, error);
    else this._fail(error);
    this._loop._instrument?.taskDone?.(this);
    if (!leavesTheLoop(error)) return;
    this.logTraceback = false;
    throw error;
  }

  #end(): void {
    if (!this._loop.isClosed()) this._loop._tasks.delete(this);
    this.#unlink?.();
  }

  #reportSwallowed(): void {
    this._loop.callExceptionHandler({
      message: "Task swallowed CancelledError: it was cancelled and returned a result; rethrow it, or call uncancel()",
      task: this,
    });
  }

  /** @internal */
  override _reprParts(): string[] {
    const waited = this._driver.waitingFor;
    return [
      !this.done() && this.cancelling() > 0 ? "cancelling" : this._reprState(),
      `name='${this.getName()}'`,
      `coro=<${nameOf(this.#coroutine)}() ${this.done() ? "done" : "running"}>`,
      ...(waited === null || this.done() ? [] : [`wait_for=${reprOfWaited(waited)}`]),
      ...this._reprOutcome(),
      ...this._reprCallbacks(),
      ...this._reprMade(),
    ];
  }
}

declare const console: { error(message: string): void };

/** The driver of a task's coroutine, and the outermost scope of the async functions that are called in it. */
export class TaskDriver<T> extends Driver<T> implements WaitScope {
  declare readonly task: Task<T>;
  /** Waits of async functions that were called in the task and not awaited. */
  #strays: WaitSet | null = null;

  constructor(task: Task<T>, context: Context, root: Iterator<unknown, unknown, unknown>) {
    super(task._loop, task, context, null, root);
    this.ambient = getAsyncContext()?.capture(this) ?? null;
  }

  get scope(): this {
    return this;
  }

  /** How many requests count in what async functions of the task await now: those of deadlines and groups. */
  innerRequests: number = 0;

  override requestCancel(message: string | undefined): boolean {
    this.#strays?.cancel(message);
    return super.requestCancel(message);
  }

  addWait(wait: Cancellable): WaitScope {
    if (this.task.done()) return this.loop._orphans.addWait(wait);
    this.#strays ??= new WaitSet();
    this.#strays.add(wait);
    return this;
  }

  removeWait(wait: Cancellable): void {
    this.#strays?.delete(wait);
  }

  protected override returned(value: T): void {
    this.#strays?.moveTo(this.loop._orphans);
    this.task._returned(value, this.takeCancel());
  }

  protected override raised(error: unknown): void {
    this.#strays?.moveTo(this.loop._orphans);
    this.task._raised(error);
  }

  override toString(): string {
    return this.task.toString();
  }
}

function iteratorOf(coroutine: Coroutine<unknown> | CoroutineGenerator<unknown>): Iterator<unknown, unknown, unknown> {
  if (!(coroutine instanceof Coroutine)) return coroutine;
  coroutine._begin();
  return coroutine._iterator;
}

/** Futures may wait for each other in a circle. */
const beingShown = new Set<object>();

function reprOfWaited(future: object): string {
  if (beingShown.has(future)) return "...";
  beingShown.add(future);
  try {
    return String(future);
  } finally {
    beingShown.delete(future);
  }
}

function nameOf(frame: unknown): string {
  return frame instanceof Coroutine ? frame.name : "generator";
}

/**
 * Starts `work` as a task of the running loop: it begins in the next turn, beside the code that goes on here.
 *
 * Pass the function, `createTask(() => worker("a"))`, or a coroutine. A promise is refused: it has started already, and
 * nobody could cancel it.
 *
 * @throws {TypeError} if `work` is a promise, or nothing that can run.
 * @throws {RuntimeError} if no loop is running.
 *
 * CPython: `asyncio.create_task`.
 */
export function createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
  return getRunningLoop().createTask(work, options);
}

/** @internal `work` was refused and will not run: a coroutine among it is not reported as never awaited. */
export function closeWork(work: unknown): void {
  if (work instanceof Coroutine) work.close();
}

/** @internal The task of `work`, made by the loop's factory or, without one, as a {@link Task}. */
export function makeTask<T>(loop: AbstractEventLoop, work: CoroutineLike<T>, options: CreateTaskOptions = {}): Task<T> {
  const coroutine = toCoroutine(work, "createTask");
  const factory = loop.getTaskFactory();
  return factory === null ? new Task(coroutine, { ...options, loop }) : factory(loop, coroutine, options);
}

/**
 * The task that runs the present code, or `null` in a callback.
 *
 * @throws {RuntimeError} if no loop is given and none is running.
 *
 * CPython: `asyncio.current_task`.
 */
export function currentTask(loop: AbstractEventLoop = getRunningLoop()): Task<unknown> | null {
  const execution = currentExecution();
  if (execution === null || execution.loop !== loop) return null;
  return execution.task === null || execution.task.done() ? null : execution.task;
}

/** The tasks of the loop that have not ended, in the order of their making. CPython: `asyncio.all_tasks`. */
export function allTasks(loop: AbstractEventLoop = getRunningLoop()): Set<Task<unknown>> {
  return new Set(loop._tasks);
}

/**
 * A task factory that takes a task's first step at once: `loop.setTaskFactory(eagerTaskFactory)`. A task that never
 * waits then costs no turn.
 *
 * CPython: `asyncio.eager_task_factory`.
 */
export const eagerTaskFactory: TaskFactory = createEagerTaskFactory(
  (coroutine, options) => new Task(coroutine, options),
);

/** {@link eagerTaskFactory} for a kind of task of your own. CPython: `asyncio.create_eager_task_factory`. */
export function createEagerTaskFactory(
  makeCustomTask: <T>(
    coroutine: Coroutine<T> | CoroutineGenerator<T>,
    options: CreateTaskOptions & { readonly loop: AbstractEventLoop },
  ) => Task<T>,
): TaskFactory {
  return (loop, coroutine, options) => makeCustomTask(coroutine, { eagerStart: true, ...options, loop });
}
