/** What a caller has of a queue: the queue itself, what happens in it, and a word to its workers. @module */

import { Queue, QueueEvents, QueueEventsProducer } from "bullmq";
import type { AbstractEventLoop } from "../core/kernel/events.ts";
import type { QueueOptions } from "./connections.ts";
import { bullOptions, closeAll, RedisWatch } from "./connections.ts";
import type { Cancellation, JobData } from "./messages.ts";
import { cancellationsOf } from "./messages.ts";

/** What is heard of a queue. */
interface LineListener {
  completed(key: string, result: unknown): void;
  failed(key: string, reason: string): void;
  removed(key: string): void;
  /** A job was to be added whose key the queue has already. */
  duplicated(key: string): void;
  progress(key: string, step: unknown): void;
  /** Redis was away, and is there again. */
  back(): void;
  /** Redis was away for too long. */
  givenUp(): void;
}

export class Line {
  readonly loop: AbstractEventLoop;
  readonly queue: Queue<JobData>;
  /** Done when nothing that happens from then on is missed. */
  readonly isListening: Promise<void>;
  readonly #listener: LineListener;
  readonly #options: QueueOptions;
  readonly #watch: RedisWatch;
  readonly #reconnectWithin: number;
  #events: QueueEvents | null = null;
  #cancellations: QueueEventsProducer | null = null;
  #alarm: { cancel(): void } | null = null;
  #isGivenUp: boolean = false;
  #isClosed: boolean = false;

  constructor(loop: AbstractEventLoop, options: QueueOptions, reconnectWithin: number, listener: LineListener) {
    this.loop = loop;
    this.#options = options;
    this.#listener = listener;
    this.#reconnectWithin = reconnectWithin;
    this.queue = new Queue(options.queue, bullOptions(options));
    this.#watch = new RedisWatch(loop, this.queue, {
      there: (isAgain) => this.#there(isAgain),
      away: () => this.#away(),
    });
    this.#away();
    this.isListening = this.#listen();
    // Who waits for it is told, and there may be nobody.
    this.isListening.catch(() => {});
  }

  get isThere(): boolean {
    return this.#watch.isThere;
  }

  /** Whether Redis is away for longer than it may be. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** What Redis said when it was last tried in vain. */
  get lastError(): Error | null {
    return this.#watch.lastError;
  }

  #away(): void {
    if (this.#isClosed || this.#reconnectWithin === Infinity) return;
    this.#alarm = this.loop.callLater(this.#reconnectWithin, () => {
      this.#isGivenUp = true;
      this.#listener.givenUp();
    });
  }

  #there(isAgain: boolean): void {
    this.#alarm?.cancel();
    this.#isGivenUp = false;
    if (isAgain) this.#listener.back();
  }

  async #listen(): Promise<void> {
    const client = await this.queue.getBackend().client;
    // An event of its own, whose place in the stream is known: what comes after it is not missed.
    const trim = { MAXLEN: 10_000, approximate: true };
    const lastEventId: string = await client.xadd(this.queue.toKey("events"), "*", { event: "listening" }, trim);
    if (this.#isClosed) return;
    const events = new QueueEvents(this.#options.queue, { ...bullOptions(this.#options), lastEventId });
    this.#events = events;
    this.#watch.listen(events);
    events.on("completed", ({ jobId, returnvalue }) => this.#listener.completed(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.#listener.failed(jobId, failedReason));
    events.on("removed", ({ jobId }) => this.#listener.removed(jobId));
    events.on("duplicated", ({ jobId }) => this.#listener.duplicated(jobId));
    events.on("progress", ({ jobId, data }) => this.#listener.progress(jobId, data));
  }

  /** Tells the worker of a job, whichever it is, that it is not wanted any more. */
  async cancel(key: string, at: number, reason: string): Promise<void> {
    if (this.#cancellations === null) {
      const connection = await this.queue.getBackend().client;
      const { prefix } = bullOptions(this.#options);
      this.#cancellations = new QueueEventsProducer(cancellationsOf(this.#options.queue), { connection, prefix });
      this.#watch.listen(this.#cancellations);
    }
    await this.#cancellations.publishEvent<Cancellation>({ eventName: "cancel", jobId: key, at: String(at), reason });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#alarm?.cancel();
    await this.#cancellations?.close();
    await closeAll(this.isThere, this.#events === null ? [this.queue] : [this.#events, this.queue]);
  }
}
