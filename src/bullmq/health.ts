/** Whether a queue can be worked with. @module */

import { CancelledError } from "../core/base/exceptions.ts";
import { timeout } from "../core/coordination/timeouts.ts";
import type { CoroutineGenerator } from "../core/kernel/coroutines.ts";
import { fromPromise } from "../core/kernel/promises.ts";
import type { Line } from "./line.ts";

/** What {@link BullExecutor.health} finds. */
export interface QueueHealth {
  /** Whether Redis answers, and somebody serves the queue. */
  readonly isReady: boolean;
  /** Why not. */
  readonly why: string | null;
  /** How long Redis took to answer, in seconds. */
  readonly latency: number;
  /** How many serve the queue. */
  readonly workers: number;
  /** How many jobs of everybody wait, are at work, and are delayed. */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

const UNKNOWN = { isReady: false, latency: NaN, workers: 0, waiting: 0, active: 0, delayed: 0 };

/** Asks Redis, and waits so many seconds for the answer. Without a line, the executor is shut down. */
export function* examine(line: Line | null, seconds: number): CoroutineGenerator<QueueHealth> {
  if (line === null) return { ...UNKNOWN, why: "the executor is shut down" };
  const begun = performance.now();
  try {
    return yield* timeout(seconds, function* () {
      const counts = yield* fromPromise(line.queue.getJobCounts("waiting", "prioritized", "active", "delayed"));
      const latency = (performance.now() - begun) / 1000;
      const workers = yield* fromPromise(line.queue.getWorkersCount());
      const { waiting = 0, prioritized = 0, active = 0, delayed = 0 } = counts;
      const why = workers === 0 ? `nobody serves the queue ${line.queue.name}` : null;
      return { isReady: workers > 0, why, latency, workers, waiting: waiting + prioritized, active, delayed };
    });
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    const lastError = line.isThere ? error : (line.lastError ?? error);
    return { ...UNKNOWN, why: `Redis does not answer: ${String(lastError)}` };
  }
}
