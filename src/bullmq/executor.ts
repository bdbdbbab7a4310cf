/** BullExecutor: work on other machines, through a queue in Redis. @module */

import { randomUUID } from "node:crypto";
import type { Job as BullJob, JobsOptions } from "bullmq";
import type { Duration } from "../core/base/duration.ts";
import { toSeconds } from "../core/base/duration.ts";
import { inspectAsString, keepName } from "../core/base/format.ts";
import type { Coroutine, CoroutineGenerator } from "../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../core/kernel/events.ts";
import { getRunningLoop } from "../core/kernel/events.ts";
import { fromPromise } from "../core/kernel/promises.ts";
import type { ExecutorOptions, ExecutorStatistics } from "../core/loop/executors.ts";
import { BaseExecutor, BrokenExecutorError } from "../core/loop/executors.ts";
import type { Job, NamedTask } from "../core/loop/jobs.ts";
import { unpackError } from "../core/loop/remote-errors.ts";
import type { QueueOptions } from "./connections.ts";
import { writingOf } from "./connections.ts";
import type { QueueHealth } from "./health.ts";
import { examine } from "./health.ts";
import { Line } from "./line.ts";
import type { JobData, Writing } from "./messages.ts";
import { checkKey, checkQueue, dataOf } from "./messages.ts";
import { Entry, QueuedTask } from "./queued-task.ts";

/** Options of a {@link BullExecutor}. */
export interface BullExecutorOptions extends QueueOptions, Pick<ExecutorOptions, "maxPending"> {
  /** How many jobs of this executor are in the queue at a time; 256 by default. The others wait here. */
  readonly maxInFlight?: number;
  /** How long Redis may be away before the jobs are given up; 30 seconds by default. */
  readonly reconnectWithin?: Duration;
  /** How many finished jobs Redis keeps, and for how long; 10,000 and an hour by default. A key is known for as long. */
  readonly keep?: { readonly count?: number; readonly age?: Duration };
}

/** How many jobs a {@link BullExecutor} has, and has had. */
export interface BullExecutorStatistics extends ExecutorStatistics {
  /** How many ended with a result. */
  readonly completed: number;
  /** How many ended with an error. */
  readonly failed: number;
  /** How often one that Redis had lost was put into the queue again. */
  readonly resubmitted: number;
}

const MAX_IN_FLIGHT = 256;
const RECONNECT_SECONDS = 30;
const KEEP_COUNT = 10_000;
const KEEP_SECONDS = 3600;
const HEALTH_SECONDS = 5;
/** How long a job is in the queue before Redis is asked what became of it, in case that its end was missed. */
const ASK_SECONDS = 10;
/** What BullMQ says of a job whose workers went away one after the other. */
const STALLED = "job stalled more than allowable limit";

/**
 * Has functions done by workers on other machines, or other processes of this one, through a queue in Redis that
 * {@link serveTasks} serves. BullMQ is the queue.
 *
 * ```ts no-run
 * await using executor = new BullExecutor({ queue: "render", connection: { host: "redis" } });
 * const page = await executor.submit(tasks.render.with({ times: 3, timeout: 60 }), document);
 * ```
 *
 * A job is done **at least once**: a worker that was killed in the middle of it has done some part, and another does all of
 * it again. `currentJob().key` is the same each time.
 *
 * Cancelling a job takes it out of the queue; if it is at work, its worker is told. What nobody waits for is done all the
 * same: a caller that dies leaves its jobs in the queue, and so does the end of `run` after `shutdown({ wait: false })`.
 *
 * While Redis is away, jobs wait; what Redis has lost is put into the queue again. After `reconnectWithin` they fail, with a
 * `BrokenExecutorError`.
 */
export class BullExecutor extends BaseExecutor {
  readonly #options: BullExecutorOptions;
  readonly #writing: Writing;
  readonly #reconnectWithin: number;
  readonly #kept: JobsOptions;
  /** What is in the queue, by key: more than one job where a key was submitted again. */
  readonly #inFlight: Map<string, Entry> = new Map();
  /** Cancelled, and not yet out of the queue. */
  readonly #withdrawing: Set<Job<unknown>> = new Set();
  #line: Line | null = null;
  #completed: number = 0;
  #failed: number = 0;
  #resubmitted: number = 0;

  constructor(options: BullExecutorOptions) {
    super(options.maxInFlight ?? MAX_IN_FLIGHT, options);
    checkQueue(options.queue);
    this.#options = options;
    this.#writing = writingOf(options);
    this.#reconnectWithin = toSeconds(options.reconnectWithin ?? RECONNECT_SECONDS, "reconnectWithin");
    const { count = KEEP_COUNT, age = KEEP_SECONDS } = options.keep ?? {};
    const keep = { count, age: Math.ceil(toSeconds(age, "keep.age")) };
    this.#kept = { removeOnComplete: keep, removeOnFail: keep };
  }

  /** @internal */
  override _submit<R>(task: NamedTask<never[], R>, args: readonly unknown[], isChunk: boolean): Job<R> {
    const { key = randomUUID(), transfer } = task.options;
    if (transfer !== undefined) throw new TypeError("transfer: nothing can be handed over to another machine");
    checkKey(key);
    const data = dataOf(task, args, isChunk, this.#writing);
    return super._submit(new QueuedTask(task, key, data), args, isChunk);
  }

  protected override begin(job: Job<unknown>): void {
    const known = this.#inFlight.get(job.key);
    if (known !== undefined) {
      known.jobs.add(job);
      return;
    }
    const line = this.#connected();
    const entry = new Entry(job);
    this.#inFlight.set(entry.key, entry);
    if (line.isGivenUp) {
      job.getLoop().callSoon(() => this.#settle(entry, (one) => one._threw(this.#broken(one))));
      return;
    }
    entry.sent = this.#add(line, entry);
  }

  /** Puts it into the queue. What is there already, by its key, stays as it is. */
  async #add(line: Line, entry: Entry): Promise<void> {
    try {
      await line.isListening;
      if (this.#isIn(entry)) {
        const { name, data, queueOptions } = entry.task;
        await line.queue.add(name, data, { ...this.#kept, ...queueOptions, jobId: entry.key });
        entry.isSent = true;
      }
    } catch (error) {
      // Redis has refused: out of memory, say. (That it is away is no error: BullMQ waits for it.)
      this.#settle(entry, (job) => job._threw(error));
    }
  }

  /** Whether it is not over yet. */
  #isIn(entry: Entry): boolean {
    return this.#inFlight.get(entry.key) === entry;
  }

  #connected(): Line {
    if (this.#line !== null) return this.#line;
    const loop = getRunningLoop();
    this.#line = new Line(loop, this.#options, this.#reconnectWithin, {
      completed: (key, result) => this.#finished(key, result),
      failed: (key, reason) => void this.#wasFailed(key, reason),
      removed: (key) => void this.#wasRemoved(key),
      duplicated: (key) => void this.#wasDuplicated(key),
      progress: (key, step) => this.#progressed(key, step),
      back: () => void this.#askAboutAll(0),
      givenUp: () => this.#giveUp(),
    });
    loop._adopt(this);
    this.#askFromTimeToTime(loop);
    return this.#line;
  }

  #finished(key: string, result: unknown): void {
    const entry = this.#inFlight.get(key);
    if (entry === undefined) return;
    this.#completed++;
    try {
      const value = this.#writing.codec.decode(result);
      this.#settle(entry, (job) => job._returned(value));
    } catch (error) {
      this.#settle(entry, (job) => job._threw(error));
    }
  }

  #progressed(key: string, step: unknown): void {
    const entry = this.#inFlight.get(key);
    if (entry === undefined) return;
    const value = this.#writing.codec.decode(step);
    for (const job of entry.jobs) job._progressed(value);
  }

  async #wasFailed(key: string, reason: string): Promise<void> {
    const entry = this.#inFlight.get(key);
    if (entry !== undefined) this.#fail(entry, await this.#ask(entry, (queue) => queue.getJob(key)), reason);
  }

  #fail(entry: Entry, bullJob: BullJob<JobData> | undefined, reason: string): void {
    if (!this.#isIn(entry)) return;
    this.#failed++;
    const packed = bullJob?.data.error;
    if (reason.startsWith(STALLED)) {
      const message = `each worker that had taken ${entry.task.name} ended before it answered`;
      this.#settle(entry, (job) => job._threw(new BrokenExecutorError(message)));
    } else if (packed?.name === "CancelledError") {
      this.#settle(entry, (job) => job.cancel(packed.message));
    } else {
      // Of a worker that is not of this library, or that could not say more.
      const stack = bullJob?.stacktrace?.at(-1) ?? "";
      const error = packed?.message === reason ? packed : { name: "Error", message: reason, stack, properties: {} };
      this.#settle(entry, (job) => job._threw(unpackError(error, `${entry.task.name} in a worker`, job._origin)));
    }
  }

  /** Somebody has taken it out of the queue: another caller of the same key that was cancelled, or a person. */
  async #wasRemoved(key: string): Promise<void> {
    const entry = this.#inFlight.get(key);
    if (entry === undefined) return;
    const state = await this.#ask(entry, (queue) => queue.getJobState(key));
    if (state === "unknown") this.#settle(entry, (job) => job.cancel("the job was taken out of the queue"));
  }

  /** The queue knows the key of what we have added: what has failed or was cancelled is done again. */
  async #wasDuplicated(key: string): Promise<void> {
    const entry = this.#inFlight.get(key);
    if (entry === undefined) return;
    const state = await this.#ask(entry, (queue) => queue.getJobState(key));
    if (state === "failed") entry.sent = this.#addAnew(this.#line!, entry);
    else await this.#askAbout(entry);
  }

  async #addAnew(line: Line, entry: Entry): Promise<void> {
    await this.#ask(entry, (queue) => queue.remove(entry.key));
    await this.#add(line, entry);
  }

  /** It is over, for all who wait for it. */
  #settle(entry: Entry, settle: (job: Job<unknown>) => void): void {
    if (!this.#isIn(entry)) return;
    this.#inFlight.delete(entry.key);
    for (const job of entry.jobs) {
      if (job.getLoop().isClosed()) continue;
      settle(job);
      this.ended(job);
    }
  }

  #askFromTimeToTime(loop: AbstractEventLoop): void {
    loop.callLater(ASK_SECONDS, () => {
      if (this.#line === null) return;
      void this.#askAboutAll(ASK_SECONDS);
      this.#askFromTimeToTime(loop);
    });
  }

  /** Asks what became of those that are in the queue for so many seconds. */
  async #askAboutAll(seconds: number): Promise<void> {
    const latest = performance.now() - seconds * 1000;
    for (const entry of this.#inFlight.values()) if (entry.since <= latest) await this.#askAbout(entry);
  }

  async #askAbout(entry: Entry): Promise<void> {
    const { key } = entry;
    const state = await this.#ask(entry, (queue) => queue.getJobState(key));
    if (state === "unknown") {
      this.#resubmitted++;
      entry.sent = this.#add(this.#line!, entry);
    } else if (state === "completed" || state === "failed") {
      const bullJob = await this.#ask(entry, (queue) => queue.getJob(key));
      if (bullJob === undefined) return;
      if (state === "failed") this.#fail(entry, bullJob, bullJob.failedReason);
      else this.#finished(key, bullJob.returnvalue);
    }
  }

  /** What Redis says of an entry; nothing if it went away again, or if the entry is over meanwhile. */
  async #ask<T>(entry: Entry, ask: (queue: Line["queue"]) => Promise<T>): Promise<T | undefined> {
    await entry.sent;
    const line = this.#line;
    if (line === null) return undefined;
    try {
      const answer = await ask(line.queue);
      return this.#isIn(entry) && this.#line === line ? answer : undefined;
    } catch {
      return undefined;
    }
  }

  #giveUp(): void {
    for (const job of this.#withdrawing) this.ended(job);
    for (const entry of this.#inFlight.values()) this.#settle(entry, (job) => job._threw(this.#broken(job)));
  }

  #broken(job: Job<unknown>): BrokenExecutorError {
    return new BrokenExecutorError(
      `Redis is away for ${this.#reconnectWithin} seconds: nobody knows what became of ${job.task.name}`,
      { cause: this.#line?.lastError },
    );
  }

  protected override stop(job: Job<unknown>): void {
    const entry = this.#inFlight.get(job.key);
    if (entry === undefined || !entry.jobs.delete(job)) return;
    if (entry.jobs.size > 0) {
      // Another submission of its key wants it.
      this.ended(job);
      return;
    }
    this.#inFlight.delete(entry.key);
    void this.#withdraw(entry, job);
  }

  /** Takes a job out of the queue; if it is at work, tells its worker. */
  async #withdraw(entry: Entry, job: Job<unknown>): Promise<void> {
    const line = this.#line!;
    const now = Date.now();
    this.#withdrawing.add(job);
    // Nobody waits until Redis is back.
    if (!line.isThere) this.ended(job);
    try {
      await entry.sent;
      if (entry.isSent && (await line.queue.remove(entry.key)) === 0) {
        await line.cancel(entry.key, now, "the job was cancelled");
      }
    } catch (exception) {
      const message = `a job of ${entry.task.name} that was cancelled could not be withdrawn: it may be done all the same`;
      if (!line.loop.isClosed()) line.loop.callExceptionHandler({ message, exception });
    } finally {
      this.#withdrawing.delete(job);
      this.ended(job);
    }
  }

  /**
   * Waits until what was submitted is in the queue, where it is done even if this program ends. What waits here for a place
   * (`maxInFlight`) is not.
   */
  flush(): Coroutine<void> {
    return new GeneratorCoroutine(this.#flushing(), "BullExecutor.flush");
  }

  *#flushing(): CoroutineGenerator<void> {
    yield* fromPromise(Promise.all([...this.#inFlight.values()].map((entry) => entry.sent)));
  }

  override statistics(): BullExecutorStatistics {
    const [completed, failed, resubmitted] = [this.#completed, this.#failed, this.#resubmitted];
    return { ...super.statistics(), completed, failed, resubmitted };
  }

  /** Whether the connection to Redis stands. */
  isReachable(): boolean {
    return this.#line?.isThere ?? false;
  }

  /** Whether the queue can be worked with: asks Redis, and does not wait longer than `timeout` for the answer (5 seconds). */
  health({ timeout = HEALTH_SECONDS }: { readonly timeout?: Duration } = {}): Coroutine<QueueHealth> {
    const line = this.isClosing() ? null : this.#connected();
    return new GeneratorCoroutine(examine(line, toSeconds(timeout, "timeout")), "BullExecutor.health");
  }

  protected override *release(): CoroutineGenerator<void> {
    const line = this.#line;
    if (line === null) return;
    this.#line = null;
    yield* fromPromise(line.close());
    line.loop._release(this);
  }

  /** @internal The loop is closed, and nobody has shut it down. */
  _abandon(): void {
    const line = this.#line;
    this.#line = null;
    line?.close().catch(() => {});
  }
}
keepName("BullExecutor", BullExecutor);
inspectAsString("BullExecutor", BullExecutor);
