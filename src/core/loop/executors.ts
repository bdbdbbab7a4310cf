/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Executors: what does work elsewhere, in a thread, a process, or on another machine. Here is what all of them share: the
 * line of jobs that wait, those that run, and the end. Where the work is done is a subclass's.
 *
 * ```text
 *   submit() ─► pending ─ begin() ─► running ─ ended() ─► over
 *                  │ cancel(): removed    │ cancel(): the caller is answered at once, and stop() ends the work
 * ```
 *
 * @module
 */

import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import { AsyncioError, brand, QueueFull, RuntimeError } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import { timeoutAt } from "../coordination/timeouts.ts";
import { wait } from "../coordination/wait.ts";
import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import { getRunningLoop } from "../kernel/events.ts";
import type { Future } from "../kernel/futures.ts";
import type { NamedTask } from "./jobs.ts";
import { checkTask, Job } from "./jobs.ts";

/** The worker that did the job has ended before it answered: nobody knows how far the work has come. */
export class BrokenExecutorError extends AsyncioError {
  readonly code: string = "ASYNCIO_BROKEN_EXECUTOR";
}
brand("BrokenExecutorError", BrokenExecutorError);

/** Options that all executors have. */
export interface ExecutorOptions {
  /** How many jobs run at a time. */
  readonly maxWorkers?: number;
  /** How many may wait to run; no limit by default. See {@link Executor.room}. */
  readonly maxPending?: number;
}

/** Options of {@link Executor.map}. */
export interface MapOptions {
  /** How many items go to a worker at a time; 1 by default. More cost less for each, where the work is small. */
  readonly chunk?: number;
  /** How long the whole may take, from the call on. */
  readonly timeout?: Duration;
}

/** Options of {@link Executor.shutdown}. */
export interface ExecutorShutdownOptions {
  /** Wait until all jobs are over and the workers have ended; `true` by default. */
  readonly wait?: boolean;
  /** Cancel what has not begun. */
  readonly cancelFutures?: boolean;
}

/** How many jobs an executor has. */
export interface ExecutorStatistics {
  readonly pending: number;
  readonly running: number;
}

/** What does work elsewhere. CPython: `concurrent.futures.Executor`. */
export interface Executor extends AsyncDisposable {
  /**
   * Has `task(...args)` done: its job, a future with the result.
   *
   * @throws {TypeError} for a function that was not named. @throws {RuntimeError} after {@link shutdown}.
   * @throws {QueueFull} if there is no room.
   */
  submit<A extends unknown[], R>(task: NamedTask<A, R>, ...args: A): Job<R>;
  /** Has `task` done for each item: the results in order, as they are asked for. */
  map<T, R>(task: NamedTask<[T], R>, items: Iterable<T>, options?: MapOptions): Results<R>;
  /** Waits until one more job may wait. */
  room(): Coroutine<void>;
  /** Takes no more jobs; waits for those it has. */
  shutdown(options?: ExecutorShutdownOptions): Coroutine<void>;
  statistics(): ExecutorStatistics;
}

/** An executor with so many places. */
export abstract class BaseExecutor implements Executor {
  readonly #maxWorkers: number;
  readonly #maxPending: number;
  readonly #pending: Set<Job<unknown>> = new Set();
  readonly #running: Set<Job<unknown>> = new Set();
  /** Who waits for something to end. */
  readonly #waiters: Set<Future<void>> = new Set();
  #isClosing: boolean = false;

  constructor(maxWorkers: number, { maxPending = Infinity }: ExecutorOptions = {}) {
    if (!(Number.isInteger(maxWorkers) && maxWorkers >= 1)) {
      throw new RangeError(`maxWorkers must be at least 1: received ${repr(maxWorkers)}`);
    }
    if (!(maxPending >= 1)) throw new RangeError(`maxPending must be at least 1: received ${repr(maxPending)}`);
    this.#maxWorkers = maxWorkers;
    this.#maxPending = maxPending;
  }

  /** A place is free for `job`: begins it. */
  protected abstract begin(job: Job<unknown>): void;
  /** `job`, which has begun, is not wanted any more: ends its work, and calls {@link ended}. */
  protected abstract stop(job: Job<unknown>): void;
  /** Nothing runs and nothing will: ends what it has. */
  protected abstract release(): CoroutineGenerator<void>;

  submit<A extends unknown[], R>(task: NamedTask<A, R>, ...args: A): Job<R> {
    checkTask(task, "submit");
    return this._submit(task, args, false);
  }

  /** @internal */
  _submit<R>(task: NamedTask<never[], R>, args: readonly unknown[], isChunk: boolean): Job<R> {
    if (this.#isClosing) throw new RuntimeError("cannot schedule new futures after shutdown");
    if (!this.#hasRoom) {
      throw new QueueFull(`${this.#pending.size} jobs wait already: await executor.room() before the next`);
    }
    const job = new Job(getRunningLoop(), this, task, args, isChunk);
    this.#pending.add(job);
    this.#pump();
    return job;
  }

  map<T, R>(task: NamedTask<[T], R>, items: Iterable<T>, options: MapOptions = {}): Results<R> {
    checkTask(task, "map");
    return new Results(this, task, items, options, 2 * this.#maxWorkers);
  }

  room(): Coroutine<void> {
    return new GeneratorCoroutine(
      this.#until(() => this.#hasRoom),
      "Executor.room",
    );
  }

  get #hasRoom(): boolean {
    return this.#pending.size < this.#maxPending || this.#running.size < this.#maxWorkers;
  }

  shutdown({ wait: waits = true, cancelFutures = false }: ExecutorShutdownOptions = {}): Coroutine<void> {
    return new GeneratorCoroutine(this.#shuttingDown(waits, cancelFutures), "Executor.shutdown");
  }

  *#shuttingDown(waits: boolean, cancelFutures: boolean): CoroutineGenerator<void> {
    this.#isClosing = true;
    if (cancelFutures) for (const job of this.#pending) job.cancel("the executor shuts down");
    if (waits) yield* this.#ending();
    else getRunningLoop().createTask(() => this.#ending(), { name: "Executor.shutdown" });
  }

  *#ending(): CoroutineGenerator<void> {
    yield* this.#until(() => this.#isIdle);
    yield* this.release();
  }

  get #isIdle(): boolean {
    return this.#pending.size + this.#running.size === 0;
  }

  /** Whether it takes no more jobs. */
  isClosing(): boolean {
    return this.#isClosing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  statistics(): ExecutorStatistics {
    return { pending: this.#pending.size, running: this.#running.size };
  }

  toString(): string {
    const { pending, running } = this.statistics();
    return `<${this.constructor.name} ${running} running, ${pending} pending>`;
  }

  /** @internal */
  _stopped(job: Job<unknown>): void {
    if (this.#running.has(job)) this.stop(job);
    else if (this.#pending.delete(job)) this.#changed();
  }

  /** The work of `job` has ended, however: its place is free. */
  protected ended(job: Job<unknown>): void {
    this.#running.delete(job);
    this.#pump();
    this.#changed();
  }

  #pump(): void {
    for (const job of this.#pending) {
      if (this.#running.size >= this.#maxWorkers) return;
      this.#pending.delete(job);
      this.#running.add(job);
      this.begin(job);
    }
  }

  *#until(isSo: () => boolean): CoroutineGenerator<void> {
    while (!isSo()) {
      const waiter = getRunningLoop().createFuture();
      this.#waiters.add(waiter);
      try {
        yield* waiter;
      } finally {
        this.#waiters.delete(waiter);
      }
    }
  }

  #changed(): void {
    for (const waiter of this.#waiters) if (!waiter.done()) waiter.setResult();
  }
}

/**
 * The results of {@link Executor.map}, in the order of the items: `for await`, or `yield* results.next()`. No more jobs are
 * under way than twice the workers. The first error ends it, and cancels what is under way; so does leaving the loop.
 */
export class Results<R> implements AsyncIterableIterator<R, undefined, undefined> {
  readonly #executor: BaseExecutor;
  readonly #task: NamedTask<never[], R>;
  readonly #items: Iterator<unknown>;
  readonly #chunk: number;
  readonly #limit: number;
  readonly #deadline: number | null;
  readonly #jobs: Job<R[]>[] = [];
  #ready: R[] = [];
  #isExhausted: boolean = false;

  /** @internal */
  constructor(
    executor: BaseExecutor,
    task: NamedTask<never[], R>,
    items: Iterable<unknown>,
    { chunk = 1, timeout }: MapOptions,
    limit: number,
  ) {
    if (!(Number.isInteger(chunk) && chunk >= 1)) {
      throw new RangeError(`chunk must be at least 1: received ${repr(chunk)}`);
    }
    this.#executor = executor;
    this.#task = task;
    this.#items = items[Symbol.iterator]();
    this.#chunk = chunk;
    this.#limit = limit;
    this.#deadline = timeout === undefined ? null : getRunningLoop().time() + toSeconds(timeout, "timeout");
    this.#fill();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Coroutine<IteratorResult<R, undefined>> {
    return new GeneratorCoroutine(this.#nextOne(), "Results.next");
  }

  /** Leaves the rest undone: cancels what is under way. */
  return(): Coroutine<IteratorResult<R, undefined>> {
    return new GeneratorCoroutine(this.#leaving(), "Results.return");
  }

  *#nextOne(): CoroutineGenerator<IteratorResult<R, undefined>> {
    if (this.#ready.length === 0) {
      const job = this.#jobs.shift();
      if (job === undefined) return { done: true, value: undefined };
      try {
        this.#ready = yield* timeoutAt(this.#deadline, () => resultsOf(job));
      } catch (error) {
        job.cancel();
        this.#end();
        throw error;
      }
      this.#fill();
    }
    return { done: false, value: this.#ready.pop()! };
  }

  // oxlint-disable-next-line require-yield -- a coroutine, as `next` is
  *#leaving(): CoroutineGenerator<IteratorResult<R, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    this.#isExhausted = true;
    this.#ready = [];
    this.#items.return?.();
    for (const job of this.#jobs.splice(0)) job.cancel();
  }

  #fill(): void {
    while (!this.#isExhausted && this.#jobs.length < this.#limit) {
      const items: unknown[] = [];
      while (items.length < this.#chunk) {
        const { done, value } = this.#items.next();
        if (done === true) {
          this.#isExhausted = true;
          break;
        }
        items.push(value);
      }
      if (items.length > 0) this.#jobs.push(this.#executor._submit<R[]>(this.#task as never, items, true));
    }
  }
}

/** What came of the job of a chunk, the first item last. Cancelled, the wait ends, and not yet the job. */
function* resultsOf<R>(job: Job<R[]>): CoroutineGenerator<R[]> {
  yield* wait([job]);
  return job.result().toReversed();
}
