/** A task on its way to the queue, and a job that is in it. @module */

import type { JobsOptions } from "bullmq";
import type { Duration } from "../core/base/duration.ts";
import { toSeconds } from "../core/base/duration.ts";
import { repr } from "../core/base/format.ts";
import type { Job } from "../core/loop/jobs.ts";
import { NamedTask } from "../core/loop/jobs.ts";
import type { JobData } from "./messages.ts";

const FIRST_BACKOFF_SECONDS = 1;
const LAST_PRIORITY = 2_097_151;

/** A task on its way to the queue. */
export class QueuedTask<R> extends NamedTask<never[], R> {
  readonly data: JobData;
  /** What BullMQ is told of how to do it. */
  readonly queueOptions: JobsOptions;

  constructor(task: NamedTask<never[], R>, key: string, data: JobData) {
    // The context is in the data.
    super(task.module, task.name, task._function, { ...task.options, key, context: [] });
    this.data = data;
    this.queueOptions = queueOptionsOf(task);
  }
}

function queueOptionsOf({ options }: NamedTask<never[], unknown>): JobsOptions {
  const { times, backoff = FIRST_BACKOFF_SECONDS, delay, priority } = options;
  if (times !== undefined && !(Number.isInteger(times) && times >= 1)) {
    throw new RangeError(`times must be at least 1: received ${repr(times)}`);
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= LAST_PRIORITY)) {
    throw new RangeError(`priority must be from 1 to ${LAST_PRIORITY}: received ${repr(priority)}`);
  }
  const milliseconds = toMilliseconds(backoff, "backoff");
  // What is said is kept with every job: as little as possible.
  return {
    ...(times === undefined ? {} : { attempts: times, backoff: { type: "exponential", delay: milliseconds } }),
    ...(delay === undefined ? {} : { delay: toMilliseconds(delay, "delay") }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function toMilliseconds(duration: Duration, what: string): number {
  const seconds = toSeconds(duration, what);
  if (seconds < 0 || seconds === Infinity) throw new RangeError(`${what} must be a time from now: received ${seconds}`);
  return Math.round(seconds * 1000);
}

/** A job in the queue, and who waits for it here. */
export class Entry {
  readonly key: string;
  readonly task: QueuedTask<unknown>;
  readonly jobs: Set<Job<unknown>>;
  readonly since: number = performance.now();
  /** Done when it is in the queue, or was not to be put there any more. */
  sent: Promise<void> = Promise.resolve();
  isSent: boolean = false;

  constructor(job: Job<unknown>) {
    this.key = job.key;
    this.task = job.task as QueuedTask<unknown>;
    this.jobs = new Set([job]);
  }
}
