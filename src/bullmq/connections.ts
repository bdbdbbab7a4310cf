/** The way to Redis: where it is, and whether it is there. @module */

import type { ConnectionOptions, QueueBase } from "bullmq";
import type { AbstractEventLoop } from "../core/kernel/events.ts";
import type { Codec } from "./codecs.ts";
import { jsonCodec } from "./codecs.ts";
import type { Writing } from "./messages.ts";

/** Which queue, and where: what both ends of it say alike. */
export interface QueueOptions {
  /** The queue's name: letters, digits, `_`, `-` and `.`. */
  readonly queue: string;
  /**
   * Where Redis is, as BullMQ takes it: `{ host, port }`, `{ path }` of a Unix socket, `{ url }`, with `username`, `password`
   * and `tls`; or a client, of ioredis for one.
   */
  readonly connection: ConnectionOptions;
  /** What all keys in Redis begin with; `"bull"` by default. */
  readonly prefix?: string;
  /** How arguments and results are written down; {@link jsonCodec} by default. */
  readonly codec?: Codec;
  /** How many bytes the arguments of a job may take, and its result; 1 MiB by default. */
  readonly maxPayload?: number;
}

const MAX_PAYLOAD = 1 << 20;

export function writingOf({ codec = jsonCodec, maxPayload = MAX_PAYLOAD }: QueueOptions): Writing {
  return { codec, maxPayload };
}

/** What BullMQ's classes are made with. */
export function bullOptions({ connection, prefix = "bull" }: QueueOptions): {
  connection: ConnectionOptions;
  prefix: string;
} {
  return { connection, prefix };
}

/** What one is told about Redis. */
interface WatchListener {
  /** It is there: for the first time, or again. */
  there(isAgain: boolean): void;
  /** It went away. */
  away(): void;
}

/**
 * Whether Redis is there, by what a queue's connection tells. It is reported once for each time that it is not; BullMQ tries
 * again by itself, for ever. What else goes wrong is reported as it comes.
 */
export class RedisWatch {
  readonly #loop: AbstractEventLoop;
  readonly #queue: string;
  readonly #listener: WatchListener;
  #isThere: boolean = false;
  #wasThere: boolean = false;
  #isReported: boolean = false;
  /** What it said when it was last tried. */
  lastError: Error | null = null;

  constructor(loop: AbstractEventLoop, base: QueueBase, listener: WatchListener) {
    this.#loop = loop;
    this.#queue = base.name;
    this.#listener = listener;
    const backend = base.getBackend();
    backend.on("ready", () => this.#ready());
    backend.on("close", () => this.#closed());
    // A client that was given may be ready already, and says no more.
    backend.waitUntilReady().then(
      () => this.#ready(),
      () => {},
    );
    this.listen(base);
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** Hears of the errors of another part of BullMQ's. */
  listen(base: QueueBase): void {
    base.on("error", (error: Error) => this.#failed(error));
  }

  #ready(): void {
    if (this.#isThere) return;
    this.#isThere = true;
    this.#isReported = false;
    this.#listener.there(this.#wasThere);
    this.#wasThere = true;
  }

  #closed(): void {
    if (!this.#isThere) return;
    this.#isThere = false;
    this.#listener.away();
  }

  #failed(exception: Error): void {
    if (this.#loop.isClosed()) return;
    if (this.#isThere && !isOfConnection(exception)) {
      this.#loop.callExceptionHandler({ message: `BullMQ reports a failure (queue ${this.#queue})`, exception });
      return;
    }
    this.lastError = exception;
    if (this.#isReported) return;
    this.#isReported = true;
    const message = `Redis is not reachable (queue ${this.#queue}): trying again`;
    this.#loop.callExceptionHandler({ message, exception });
  }
}

/** Whether it is about the way to Redis, and nothing that Redis has answered. */
function isOfConnection(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code !== undefined || error.message === "Connection is closed.";
}

/** Closes what is BullMQ's. Without Redis, it would wait for it before it says good-bye, and so the line is cut. */
export async function closeAll(isThere: boolean, bases: readonly QueueBase[]): Promise<void> {
  if (isThere) {
    await Promise.all(bases.map((base) => base.close()));
    return;
  }
  const cut = bases.map((base) => base.getBackend().close(true));
  for (const base of bases) base.close().catch(() => {});
  await Promise.all(cut);
}
