/**
 * A pool of workers, threads or processes: started when there is work, ended when there is none, replaced when they end.
 *
 * | a worker   | it holds                                                     | next                 |
 * | ---------- | ------------------------------------------------------------ | -------------------- |
 * | busy       | with one job, until its answer                               | idle, leaving, gone  |
 * | stopping   | its job is not wanted any more: until its answer, or killed  | idle, leaving, gone  |
 * | idle       | until the next job, or for the idle timeout                  | busy, leaving        |
 * | leaving    | it was asked to end                                          | gone                 |
 *
 * What a worker says is heard outside of the loop's turns, so that the next job is on its way at once; the futures of the
 * jobs wake who waits for them. Only a busy worker keeps the process.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import { OWN_FOLDER } from "../../core/base/stack.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Future } from "../../core/kernel/futures.ts";
import type { ExecutorOptions } from "../../core/loop/executors.ts";
import { BaseExecutor, BrokenExecutorError } from "../../core/loop/executors.ts";
import type { Job, NamedTask } from "../../core/loop/jobs.ts";
import { unpackError } from "../../core/loop/remote-errors.ts";
import type { Reply, Request } from "./messages.ts";

/** Options of the executors that have workers. */
export interface WorkerOptions extends ExecutorOptions {
  /** How long a worker without work is kept; 10 seconds by default. */
  readonly idleTimeout?: Duration;
  /** How long a worker may go on with a job that was cancelled, before it is ended; 1 second by default. */
  readonly stopWithin?: Duration;
  /** After how many jobs a worker is replaced; never by default. */
  readonly maxTasksPerWorker?: number;
}

/** A thread or a process that was started. */
export interface Worker {
  send(request: Request, transfer: readonly object[]): void;
  /** Ends it at once. */
  kill(): void;
  /** Whether it keeps the process from ending. */
  hold(keeps: boolean): void;
  /** Called once, by the pool. */
  listen(onReply: (reply: Reply) => void, onEnd: (why: string) => void): void;
}

/** What only a queue can do with a job. */
const QUEUE_OPTIONS = ["times", "backoff", "delay", "priority"] as const;

const IDLE_SECONDS = 10;
const STOP_SECONDS = 1;

export abstract class WorkerPool extends BaseExecutor {
  readonly #idleTimeout: number;
  readonly #stopWithin: number;
  readonly #maxTasks: number;
  readonly #busy: Map<Job<unknown>, Member> = new Map();
  readonly #idle: Member[] = [];
  readonly #members: Set<Member> = new Set();
  #loop: AbstractEventLoop | null = null;
  /** Called when the last worker has ended. */
  #lastGone: Future<void> | null = null;

  constructor(options: WorkerOptions) {
    super(options.maxWorkers ?? Math.max(1, availableParallelism() - 1), options);
    this.#idleTimeout = toSeconds(options.idleTimeout ?? IDLE_SECONDS, "idleTimeout");
    this.#stopWithin = toSeconds(options.stopWithin ?? STOP_SECONDS, "stopWithin");
    this.#maxTasks = options.maxTasksPerWorker ?? Infinity;
    if (!(this.#maxTasks >= 1)) {
      throw new RangeError(`maxTasksPerWorker must be at least 1: received ${repr(this.#maxTasks)}`);
    }
  }

  /** What a worker is, for people. */
  protected abstract readonly workerName: string;
  /** Starts a worker. */
  protected abstract startWorker(): Worker;

  /** @internal */
  override _submit<R>(task: NamedTask<never[], R>, args: readonly unknown[], isChunk: boolean): Job<R> {
    const option = QUEUE_OPTIONS.find((name) => task.options[name] !== undefined);
    if (option !== undefined) {
      throw new TypeError(`${option}: ${this.constructor.name} has no queue; BullExecutor of asyncio-ts/bullmq has`);
    }
    return super._submit(task, args, isChunk);
  }

  protected override begin(job: Job<unknown>): void {
    try {
      const member = this.#idle.pop() ?? this.#hire();
      this.#busy.set(job, member);
      member.begin(job);
    } catch (error) {
      // A worker that cannot be started, or what cannot be sent, such as a function among the arguments.
      job._threw(error);
      job.getLoop().callSoon(() => this.#notBegun(job));
    }
  }

  #notBegun(job: Job<unknown>): void {
    const member = this.#busy.get(job);
    if (member === undefined) this.ended(job);
    else this.#free(member, job);
  }

  #hire(): Member {
    if (this.#loop === null) {
      this.#loop = getRunningLoop();
      this.#loop._adopt(this);
    }
    const worker = this.startWorker();
    const member = new Member(worker);
    this.#members.add(member);
    worker.listen(
      (reply) => this.#replied(member, reply),
      (why) => this.#gone(member, why),
    );
    return member;
  }

  #replied(member: Member, reply: Reply): void {
    const { job } = member;
    if (job?.id !== reply[1]) return;
    if (reply[0] === "progress") {
      job._progressed(reply[2]);
      return;
    }
    if (job.getLoop().isClosed()) job.cancel();
    else if (reply[0] === "returned") job._returned(reply[2]);
    else job._threw(unpackError(reply[2], `${job.task.name} in ${this.workerName}`, job._origin));
    this.#free(member, job);
  }

  /** The worker has done with `job`. */
  #free(member: Member, job: Job<unknown>): void {
    if (!this.#busy.delete(job)) return;
    member.job = null;
    if (member.jobs >= this.#maxTasks) this.#dismiss(member);
    else this.#idle.push(member);
    this.ended(job);
    if (member.job === null) member.rest(this.#idleTimeout, () => this.#dismiss(member));
  }

  #dismiss(member: Member): void {
    const at = this.#idle.indexOf(member);
    if (at !== -1) this.#idle.splice(at, 1);
    member.worker.kill();
  }

  #gone(member: Member, why: string): void {
    if (!this.#members.delete(member)) return;
    this.#dismiss(member);
    const { job } = member;
    member.forget();
    if (job !== null) {
      job._threw(new BrokenExecutorError(`the worker of ${job.task.name} ended before it answered: ${why}`));
      this.#busy.delete(job);
      this.ended(job);
    }
    if (this.#members.size === 0) this.#lastGone?.setResult();
  }

  protected override stop(job: Job<unknown>): void {
    const seconds = toSeconds(job.task.options.stopWithin ?? this.#stopWithin, "stopWithin");
    this.#busy.get(job)?.stop(seconds);
  }

  protected override *release(): CoroutineGenerator<void> {
    for (const member of this.#members) {
      member.worker.hold(true);
      this.#dismiss(member);
    }
    if (this.#members.size > 0) {
      this.#lastGone = getRunningLoop().createFuture();
      yield* this.#lastGone;
    }
    this.#loop?._release(this);
  }

  /** @internal The loop is closed, and nobody has shut it down. */
  _abandon(): void {
    for (const member of this.#members) member.worker.kill();
  }

  override toString(): string {
    const { pending, running } = this.statistics();
    return `<${this.constructor.name} ${this.#members.size} workers, ${running} running, ${pending} pending>`;
  }
}
inspectAsString("WorkerPool", WorkerPool);

/** A worker of the pool. */
class Member {
  readonly worker: Worker;
  job: Job<unknown> | null = null;
  /** How many jobs it has had. */
  jobs: number = 0;
  readonly #functions: Map<string, number> = new Map();
  #timer: NodeJS.Timeout | null = null;
  /** Whether it keeps the process. */
  #isHeld: boolean = true;

  constructor(worker: Worker) {
    this.worker = worker;
  }

  begin(job: Job<unknown>): void {
    this.forget();
    this.job = job;
    this.jobs++;
    this.#hold(true);
    const { id, key, task, args, _isChunk: isChunk, _context: context } = job;
    const fn = this.#define(task.module, task.name);
    this.worker.send(["run", id, fn, key, args, isChunk, context], task.options.transfer ?? []);
  }

  /** The number of a function, which the worker knows from then on. */
  #define(module: string, name: string): number {
    const key = `${name} ${module}`;
    const known = this.#functions.get(key);
    if (known !== undefined) return known;
    const fn = this.#functions.size;
    this.#functions.set(key, fn);
    this.worker.send(["define", fn, module, name], []);
    return fn;
  }

  /** Asks it to stop what it does, and ends it if it has not within `seconds`. */
  stop(seconds: number): void {
    this.worker.send(["abort", this.job!.id, "the job was cancelled"], []);
    this.forget();
    this.#timer = setTimeout(() => this.worker.kill(), seconds * 1000);
  }

  /** There is nothing to do: if that lasts for `seconds`, `dismiss` is called. */
  rest(seconds: number, dismiss: () => void): void {
    this.forget();
    this.#hold(false);
    if (seconds !== Infinity) this.#timer = setTimeout(dismiss, seconds * 1000).unref();
  }

  #hold(keeps: boolean): void {
    if (this.#isHeld !== keeps) this.worker.hold(keeps);
    this.#isHeld = keeps;
  }

  forget(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Node's options that workers get, too: a loader of TypeScript, say; but not the program of `node --eval`. */
export function inheritedOptions(): string[] {
  const options: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const option = process.execArgv[i]!;
    if (["-e", "--eval", "-p", "--print", "-pe"].includes(option)) i++;
    else if (!option.startsWith("--input-type") && !option.startsWith("--inspect")) options.push(option);
  }
  return options;
}

/**
 * Where the main module of a worker lies. Where stacks are shown by source maps (Bun, `--enable-source-maps`), the library's
 * folder is that of its sources, and what was built lies beside it.
 *
 * @throws {RuntimeError} if it is not there, as in a bundle.
 */
export function workerFile(name: string): string {
  const folder = OWN_FOLDER ?? ".";
  const places = [folder, join(folder, "..", "dist")].map((place) => join(place, "node", name));
  const path = places.find((place) => existsSync(place));
  if (path !== undefined) return path;
  throw new RuntimeError(
    `the file of the workers is not there, ${places[0]}: keep asyncio-ts out of the bundle ("external")`,
  );
}
