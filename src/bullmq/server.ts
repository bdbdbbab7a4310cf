/** TaskServer: a worker, which does what callers have put into a queue. @module */

import type { Job as BullJob, JobProgress, QueueEventsListener } from "bullmq";
import { QueueEvents, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Duration } from "../core/base/duration.ts";
import { toSeconds } from "../core/base/duration.ts";
import { CancelledError, RuntimeError, TimeoutError } from "../core/base/exceptions.ts";
import { inspectAsString, keepName, repr } from "../core/base/format.ts";
import { waitFor } from "../core/coordination/wait-for.ts";
import { ContextVar } from "../core/kernel/contextvars.ts";
import type { Coroutine, CoroutineGenerator } from "../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../core/kernel/events.ts";
import { getRunningLoop } from "../core/kernel/events.ts";
import { pastLevels } from "../core/kernel/levels.ts";
import { fromPromise } from "../core/kernel/promises.ts";
import type { Task } from "../core/kernel/tasks.ts";
import { workHere } from "../core/loop/current-job.ts";
import type { BaseExecutor } from "../core/loop/executors.ts";
import type { NamedTask } from "../core/loop/jobs.ts";
import { checkTask } from "../core/loop/jobs.ts";
import type { PackedError } from "../core/loop/remote-errors.ts";
import { packError } from "../core/loop/remote-errors.ts";
import type { QueueOptions } from "./connections.ts";
import { bullOptions, closeAll, RedisWatch, writingOf } from "./connections.ts";
import type { Cancellation, JobData, Writing } from "./messages.ts";
import { cancellationsOf, checkQueue, checkSize } from "./messages.ts";

/** Options of {@link serveTasks}. */
export interface ServeOptions extends QueueOptions {
  /** How many jobs at a time; 1 by default. */
  readonly concurrency?: number;
  /** Does the work in threads or processes, which work that takes the processor needs; on this loop by default. */
  readonly executor?: BaseExecutor;
  /** How long what is at work may go on when the server is to end; 10 seconds by default. Then it is given back to the queue. */
  readonly grace?: Duration;
  /** After how long without a sign of life from a worker its jobs go to another; 30 seconds by default. */
  readonly recoverAfter?: Duration;
  /** How often a job is taken from a worker that is gone, before it fails; 3 by default. */
  readonly maxRecoveries?: number;
}

/** How many jobs a {@link TaskServer} has, and has had. */
export interface ServerStatistics {
  readonly active: number;
  readonly completed: number;
  /** How many attempts failed. */
  readonly failed: number;
  /** How many were cancelled by their callers. */
  readonly cancelled: number;
  /** How many were given back to the queue, or are done by others since this one was thought gone. */
  readonly givenBack: number;
}

const GRACE_SECONDS = 10;
const RECOVER_SECONDS = 30;
const MAX_RECOVERIES = 3;
/** How long is waited for work that was given back, to stop. */
const FAREWELL_SECONDS = 5;
/** How many cancellations are kept, in case that the job comes after them. */
const CANCELLATIONS = 1000;

/**
 * A worker: does what {@link BullExecutor}s put into a queue, until it is cancelled. {@link serveTasks} is the short form.
 *
 * ```ts no-run
 * const server = new TaskServer(tasks, { queue: "render", connection: { host: "redis" }, concurrency: 8 });
 * await asyncio.run(() => server.serveForever(), { signals: ["SIGTERM"] });
 * ```
 */
export class TaskServer {
  readonly #tasks: ReadonlyMap<string, NamedTask<never[], unknown>>;
  readonly #options: ServeOptions;
  readonly #writing: Writing;
  readonly #grace: number;
  /** In milliseconds. */
  readonly #lockDuration: number;
  readonly #active: Map<string, Active> = new Map();
  /** When a job was last cancelled, by its key. */
  readonly #cancelled: Map<string, number> = new Map();
  #watch: RedisWatch | null = null;
  #completed: number = 0;
  #failed: number = 0;
  #cancelledCount: number = 0;
  #givenBack: number = 0;

  constructor(tasks: Readonly<Record<string, NamedTask<never[], unknown>>>, options: ServeOptions) {
    this.#tasks = byName(Object.values(tasks));
    this.#options = options;
    this.#writing = writingOf(options);
    this.#grace = toSeconds(options.grace ?? GRACE_SECONDS, "grace");
    checkQueue(options.queue);
    const { concurrency = 1, maxRecoveries = MAX_RECOVERIES, recoverAfter = RECOVER_SECONDS } = options;
    const seconds = toSeconds(recoverAfter, "recoverAfter");
    if (!(seconds > 0 && seconds < Infinity)) {
      throw new RangeError(`recoverAfter must be a time that passes: received ${repr(recoverAfter)}`);
    }
    this.#lockDuration = Math.ceil(seconds * 1000);
    if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
      throw new RangeError(`concurrency must be at least 1: received ${repr(concurrency)}`);
    }
    if (!(Number.isInteger(maxRecoveries) && maxRecoveries >= 0)) {
      throw new RangeError(`maxRecoveries must be at least 0: received ${repr(maxRecoveries)}`);
    }
  }

  /** Serves the queue until it is cancelled. Then it takes no more, waits for what is at work, and gives back what is left. */
  serveForever(): Coroutine<never> {
    return new GeneratorCoroutine(this.#serving(), "TaskServer.serveForever");
  }

  *#serving(): CoroutineGenerator<never> {
    if (this.#watch !== null)
      throw new RuntimeError(`the queue ${this.#options.queue} is served by this server already`);
    const loop = getRunningLoop();
    const ended = loop.createFuture<never>();
    const { queue, concurrency = 1, maxRecoveries = MAX_RECOVERIES } = this.#options;
    const worker = new Worker<JobData>(queue, (job, token) => this.#begin(loop, job, token!), {
      ...bullOptions(this.#options),
      concurrency,
      lockDuration: this.#lockDuration,
      stalledInterval: this.#lockDuration / 2,
      maxStalledCount: maxRecoveries,
      autorun: false,
    });
    worker.on("lockRenewalFailed", (keys) => {
      for (const key of keys) this.#active.get(key)?.end("lost", "another worker does the job");
    });
    const cancellations = new QueueEvents(cancellationsOf(queue), {
      ...bullOptions(this.#options),
      lastEventId: "0-0",
    });
    cancellations.on<CancellationEvents>("cancel", (cancellation: Cancellation) => this.#cancel(cancellation));
    this.#watch = new RedisWatch(loop, worker, {
      there(isAgain) {
        // One that was closed before Redis was there would never end.
        if (!isAgain) worker.run().catch((error: unknown) => void (ended.done() || ended.setException(error)));
      },
      away() {},
    });
    this.#watch.listen(cancellations);
    try {
      return yield* ended;
    } finally {
      yield* pastLevels(this.#draining(loop, this.#watch, worker, cancellations));
      this.#watch = null;
    }
  }

  *#draining(
    loop: AbstractEventLoop,
    watch: RedisWatch,
    worker: Worker<JobData>,
    cancellations: QueueEvents,
  ): CoroutineGenerator<void> {
    const bases = [worker, cancellations];
    const giveBack = (): void => {
      for (const active of this.#active.values()) active.end("given back", "the server ends");
    };
    const wasThere = watch.isThere;
    if (wasThere) {
      const closing = closeAll(true, bases);
      if (yield* this.#within(this.#grace, closing)) return;
      giveBack();
      if (yield* this.#within(FAREWELL_SECONDS, closing)) return;
    } else {
      giveBack();
    }
    yield* this.#within(FAREWELL_SECONDS, closeAll(false, bases));
    if (this.#active.size === 0 || !wasThere) return;
    // The others take it from here as from a worker that is gone.
    const names = [...this.#active.values()].map(({ job }) => job.name);
    loop.callExceptionHandler({
      message: `the server of ${this.#options.queue} ends, and ${names.join(", ")} did not stop`,
    });
  }

  /** Whether `closing` was done in time. A second cancellation ends the wait. */
  *#within(seconds: number, closing: Promise<unknown>): CoroutineGenerator<boolean> {
    try {
      yield* waitFor(fromPromise(closing), seconds);
      return true;
    } catch (error) {
      if (error instanceof TimeoutError || error instanceof CancelledError) return false;
      throw error;
    }
  }

  #cancel({ jobId: key, at, reason }: Cancellation): void {
    this.#cancelled.delete(key);
    this.#cancelled.set(key, Number(at));
    if (this.#cancelled.size > CANCELLATIONS) this.#cancelled.delete(this.#cancelled.keys().next().value!);
    const active = this.#active.get(key);
    if (active !== undefined && this.#isCancelled(active.job)) active.end("cancelled", reason);
  }

  #isCancelled({ id, timestamp }: BullJob): boolean {
    return (this.#cancelled.get(id!) ?? -Infinity) >= timestamp;
  }

  /** BullMQ has a job for us: a promise of its result. */
  async #begin(loop: AbstractEventLoop, job: BullJob<JobData>, token: string): Promise<unknown> {
    if (this.#isCancelled(job)) {
      const { message } = await noteError(job, new CancelledError("the job was cancelled"));
      throw new UnrecoverableError(message);
    }
    const key = job.id!;
    const active = new Active(job, loop, () => this.#work(active, token));
    this.#active.set(key, active);
    try {
      return await active.result;
    } finally {
      this.#active.delete(key);
    }
  }

  *#work(active: Active, token: string): CoroutineGenerator<unknown> {
    const { job } = active;
    const { codec, maxPayload } = this.#writing;
    try {
      const result = codec.encode(yield* this.#do(active));
      checkSize(result, `the result of ${job.name}`, maxPayload);
      if (active.told !== null) yield* fromPromise(active.told);
      this.#completed++;
      return result;
    } catch (error) {
      if (active.fate === "given back" || active.fate === "lost") {
        this.#givenBack++;
        if (active.fate === "given back") yield* fromPromise(job.moveToWait(token));
        throw new WaitingError();
      }
      if (active.fate === "cancelled") this.#cancelledCount++;
      else this.#failed++;
      const { message } = yield* fromPromise(noteError(job, error));
      if (active.fate === "cancelled" || error instanceof NotServedError) throw new UnrecoverableError(message);
      throw error instanceof Error ? error : new Error(message);
    }
  }

  *#do(active: Active): CoroutineGenerator<unknown> {
    const { job } = active;
    const { codec } = this.#writing;
    const { name, data } = job;
    const task = this.#tasks.get(name);
    if (task === undefined) {
      throw new NotServedError(`there is no task ${name} here: the server has ${[...this.#tasks.keys()].join(", ")}`);
    }
    if (data.codec !== codec.name) {
      throw new NotServedError(
        `the job is written as ${data.codec}, and the server reads ${codec.name}: give both one codec`,
      );
    }
    const args = data.args.map((arg) => codec.decode(arg));
    const values = Object.entries(data.context ?? {}).map(([key, value]) => [key, codec.decode(value)] as const);
    const progress = (step: unknown): void => active.tell(codec.encode(step));
    const isChunk = data.isChunk === true;
    const { executor } = this.#options;
    if (executor === undefined) {
      const fn = task._function as (...given: readonly unknown[]) => unknown;
      return yield* workHere({ key: job.id!, context: new Map(values), progress }, fn, args, isChunk);
    }
    yield* executor.room();
    const context = values.map(([key, value]) => {
      const variable = new ContextVar<unknown>(key);
      variable.set(value);
      return variable;
    });
    const { stopWithin } = data;
    const options = { key: job.id!, context, ...(stopWithin === undefined ? {} : { stopWithin }) };
    const work = executor._submit(task.with(options), args, isChunk);
    const forwarding = getRunningLoop().createTask(() => forward(work.progress, progress));
    try {
      return yield* work;
    } finally {
      yield* forwarding;
    }
  }

  /** Whether Redis is there, and the queue is served. */
  isReady(): boolean {
    return this.#watch?.isThere ?? false;
  }

  statistics(): ServerStatistics {
    return {
      active: this.#active.size,
      completed: this.#completed,
      failed: this.#failed,
      cancelled: this.#cancelledCount,
      givenBack: this.#givenBack,
    };
  }

  toString(): string {
    return `<TaskServer of ${this.#options.queue}, ${this.#active.size} active, ${this.#completed} completed>`;
  }
}
keepName("TaskServer", TaskServer);
inspectAsString("TaskServer", TaskServer);

/**
 * Does what {@link BullExecutor}s put into a queue: the functions of `tasks`, and no others. It serves until it is cancelled.
 * Then it takes no more jobs, waits for those at work for as long as `grace`, and gives back to the queue what is left.
 *
 * ```ts no-run
 * import * as work from "./work.mjs";
 *
 * const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
 * const options = { queue: "render", connection: { host: "redis" }, concurrency: 8 };
 * await asyncio.run(() => serveTasks(tasks, options), { signals: ["SIGTERM"] });
 * ```
 *
 * A worker that blocks its loop looks as if it were gone, and another does its jobs again: give work that takes the
 * processor to an `executor`.
 */
export function serveTasks(
  tasks: Readonly<Record<string, NamedTask<never[], unknown>>>,
  options: ServeOptions,
): Coroutine<never> {
  return new TaskServer(tasks, options).serveForever();
}

/** @throws {TypeError} for what is no task, and for two of one name. */
function byName(tasks: readonly NamedTask<never[], unknown>[]): Map<string, NamedTask<never[], unknown>> {
  const all = new Map<string, NamedTask<never[], unknown>>();
  for (const task of tasks) {
    checkTask(task, "serveTasks");
    if (all.has(task.name))
      throw new TypeError(`serveTasks: two tasks are called ${task.name}, and a job says no more`);
    all.set(task.name, task);
  }
  return all;
}

type CancellationEvents = { cancel: (cancellation: Cancellation) => void } & QueueEventsListener;

/** Keeps with the job, for its callers, what BullMQ would keep the message and the stack of alone. */
async function noteError(job: BullJob<JobData>, error: unknown): Promise<PackedError> {
  const packed = packError(error);
  await job.updateData({ ...job.data, error: packed });
  return packed;
}

/** Tells each step; ends with the job that they are of. */
async function forward(steps: AsyncIterable<unknown>, tell: (step: unknown) => void): Promise<void> {
  for await (const step of steps) tell(step);
}

/** The job is none that this server can do, now or later. */
class NotServedError extends TypeError {
  override readonly name: string = "TypeError";
}

/** Why a job is ended before it has done. */
type Fate = "cancelled" | "given back" | "lost";

/** A job that is at work. */
class Active {
  readonly job: BullJob<JobData>;
  readonly #task: Task<unknown>;
  #fate: Fate | null = null;
  /** Done when all steps were told, if there were any. */
  told: Promise<void> | null = null;

  constructor(job: BullJob<JobData>, loop: AbstractEventLoop, work: () => CoroutineGenerator<unknown>) {
    this.job = job;
    this.#task = loop.createTask(work, { name: job.name });
  }

  /** Why it was ended, if it was. */
  get fate(): Fate | null {
    return this.#fate;
  }

  /** What comes of it, for BullMQ. */
  get result(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#task.addDoneCallback(() => {
        const error = this.#task.cancelled() ? new CancelledError() : this.#task.exception();
        if (error === null) resolve(this.#task.result());
        else reject(error);
      });
    });
  }

  end(fate: Fate, reason: string): void {
    if (this.#fate !== null) return;
    this.#fate = fate;
    // After its first step: one that had none would not give the job back.
    this.#task.getLoop().callSoon(() => this.#task.cancel(reason));
  }

  tell(step: unknown): void {
    this.told = (this.told ?? Promise.resolve())
      .then(() => this.job.updateProgress(step as JobProgress))
      .catch((exception: unknown) => {
        const message = `a step of ${this.job.name} could not be told`;
        this.#task.getLoop().callExceptionHandler({ message, exception });
      });
  }
}
