/** What executors run: functions of modules, by their names; and the jobs that are made of them. @module */

import type { Duration } from "../base/duration.ts";
import { timedOut, toSeconds } from "../base/duration.ts";
import { CancelledError, TimeoutError } from "../base/exceptions.ts";
import { functionName, keepName, repr } from "../base/format.ts";
import { placeOf } from "../base/stack.ts";
import { Queue } from "../coordination/queues.ts";
import type { ResultOf } from "../kernel/async-functions.ts";
import type { KernelLoop } from "../kernel/contract.ts";
import type { ContextVar } from "../kernel/contextvars.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { Future } from "../kernel/futures.ts";

/** How a job is done; see {@link NamedTask.with}. */
export interface JobOptions {
  /** How long the job may take in all, waiting included. Then it is a `TimeoutError`, and the work is stopped. */
  readonly timeout?: Duration;
  /** How long a worker may go on that was asked to stop, before it is ended; the executor's by default. */
  readonly stopWithin?: Duration;
  /** What is handed over and not copied: buffers, ports. Threads only. */
  readonly transfer?: readonly object[];
  /** The variables whose values the worker gets, by their names; see `currentJob().context`. */
  readonly context?: readonly ContextVar<unknown>[];
  /**
   * What the work is known by; see `currentJob().key`. A queue holds one job of a key: who submits it again gets the result
   * of that. A new one for each job by default.
   */
  readonly key?: string;
  /** How often it is tried, the first time included; 1 by default. Queues only, as what follows. */
  readonly times?: number;
  /** How long after it failed it is tried again; twice as long each time after that. 1 second by default. */
  readonly backoff?: Duration;
  /** How long from now on it is not begun. */
  readonly delay?: Duration;
  /** From 1, which goes first, to 2,097,151; those without one go before. */
  readonly priority?: number;
}

/** A function of a module, as an executor runs it: elsewhere, by its name. Made by {@link defineTasks}. */
export class NamedTask<A extends unknown[], R> {
  /** The address of its module. */
  readonly module: string;
  /** The name under which the module exports it. */
  readonly name: string;
  readonly options: JobOptions;
  /** @internal The function itself, for an executor that runs it here. */
  readonly _function: (...args: A) => unknown;
  /** What it gives; there for the types alone. */
  declare readonly _result: R;

  /** @internal */
  constructor(module: string, name: string, fn: (...args: A) => unknown, options: JobOptions = {}) {
    this.module = module;
    this.name = name;
    this._function = fn;
    this.options = options;
  }

  /** The same function, done with `options` besides those it has. */
  with(options: JobOptions): NamedTask<A, R> {
    return new NamedTask(this.module, this.name, this._function, { ...this.options, ...options });
  }

  toString(): string {
    return `<NamedTask ${this.name} of ${this.module}>`;
  }
}
keepName("NamedTask", NamedTask);

/** The functions of a module, as {@link defineTasks} gives them. */
export type TasksOf<M> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] extends (
    ...args: infer A
  ) => infer R
    ? NamedTask<A, ResultOf<R>>
    : never;
};

/**
 * The functions that `module` exports, as tasks for an executor. What runs elsewhere is named, and no code is ever sent:
 * the worker imports the module itself. `exports` is the module as it is imported here; it gives the names and the types.
 *
 * ```ts no-run
 * import * as work from "./work.mjs";
 *
 * const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
 * const digest = await asyncio.toThread(tasks.hash, "some text");
 * ```
 *
 * A name that the module does not export is no property of the result.
 */
export function defineTasks<M extends object>(module: string | { readonly href: string }, exports: M): TasksOf<M> {
  const address = typeof module === "string" ? module : module.href;
  const functions = Object.entries(exports).filter(([, value]) => typeof value === "function");
  if (functions.length === 0) throw new TypeError(`defineTasks: ${address} exports no function`);
  const tasks = functions.map(([name, fn]) => [name, new NamedTask(address, name, fn as () => unknown)] as const);
  return Object.fromEntries(tasks) as TasksOf<M>;
}

/** @throws {TypeError} for what is no task, with what to write. */
export function checkTask(task: unknown, caller: string): asserts task is NamedTask<never[], unknown> {
  // By what it has, and not by its class: it may be of another copy of the package.
  if (typeof task === "object" && task !== null && "_function" in task) return;
  const received = typeof task === "function" ? `the function ${functionName(task)}` : repr(task);
  throw new TypeError(
    `${caller}: received ${received}; what runs elsewhere is named, since code cannot be sent: ` +
      'import * as work from "./work.mjs"; const tasks = defineTasks(new URL("./work.mjs", import.meta.url), work)',
  );
}

/** Who is told what becomes of a job. */
interface JobOwner {
  /** The job was cancelled, or its time is over. */
  _stopped(job: Job<unknown>): void;
}

let jobsMade = 0;

/** How much of the stack of a submission is kept: the library's own frames, and a few of the caller's. */
const ORIGIN_DEPTH = 7;

/**
 * Work that an executor does elsewhere: a future with its result. Cancelled, it is over at once; if the work has begun, it
 * is stopped: the worker's `currentJob().signal` is aborted, and after a grace the worker is ended.
 */
export class Job<R> extends Future<R> {
  /** A number of its own, in this process. */
  readonly id: number = ++jobsMade;
  readonly task: NamedTask<never[], R>;
  readonly args: readonly unknown[];
  /** @internal Whether `args` are arguments of as many calls. */
  readonly _isChunk: boolean;
  /** @internal The values of the context variables that go with it. */
  readonly _context: readonly (readonly [name: string, value: unknown])[] | null;
  /** @internal Where it was submitted; its stack is written only when it is read. */
  readonly _origin: Error = placeOf(ORIGIN_DEPTH);
  readonly #owner: JobOwner;
  #progress: Queue<unknown> | null = null;
  #alarm: { cancel(): void } | null = null;

  /** @internal */
  constructor(
    loop: KernelLoop,
    owner: JobOwner,
    task: NamedTask<never[], R>,
    args: readonly unknown[],
    isChunk: boolean,
  ) {
    super({ loop });
    this.task = task;
    this.args = args;
    this._isChunk = isChunk;
    this.#owner = owner;
    const { timeout, context = null } = task.options;
    this._context = context?.map((variable) => [variable.name, variable.get(undefined)] as const) ?? null;
    if (timeout === undefined) return;
    const seconds = toSeconds(timeout, "timeout");
    this.#alarm = (loop as AbstractEventLoop).callLater(seconds, () => this.#expire(seconds));
  }

  /** What the work is known by, wherever it is done. */
  get key(): string {
    return this.task.options.key ?? String(this.id);
  }

  /**
   * What the work tells on its way, with `currentJob().progress(step)`: an async iterable that ends with the job. Steps that
   * come before it is first asked for are dropped.
   */
  get progress(): AsyncIterable<unknown> {
    if (this.#progress === null) {
      this.#progress = new Queue();
      if (this.done()) this.#progress.shutdown();
    }
    return this.#progress;
  }

  override cancel(message?: string): boolean {
    if (!super.cancel(message)) return false;
    this.#over();
    this.#owner._stopped(this);
    return true;
  }

  #expire(seconds: number): void {
    this._threw(new TimeoutError(timedOut(seconds), { cause: new CancelledError() }));
    this.#owner._stopped(this);
  }

  /** @internal */
  _returned(value: R): void {
    if (this.done()) return;
    this.setResult(value);
    this.#over();
  }

  /** @internal */
  _threw(error: unknown): void {
    if (this.done()) return;
    this.setException(error);
    this.#over();
  }

  /** @internal */
  _progressed(step: unknown): void {
    if (!this.done()) this.#progress?.putNowait(step);
  }

  #over(): void {
    this.#alarm?.cancel();
    this.#progress?.shutdown();
  }

  override get _purpose(): string {
    return this.task.name;
  }
}
keepName("Job", Job);
