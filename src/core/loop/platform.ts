/** Which platform the library runs on: one line of an entry point says so, and everything else asks here. @module */

import type { AbstractEventLoop } from "../kernel/events.ts";
import type { Host } from "./host.ts";
import type { AsyncContext } from "../kernel/running.ts";
import { installAsyncContext } from "../kernel/running.ts";
import { WebHost } from "./web-host.ts";

/** What a platform offers. */
interface Platform {
  /** A host for one loop. */
  createHost(): Host;
  /** A loop with what the platform adds to one, such as its network. */
  createLoop?(host?: Host): AbstractEventLoop;
  /** Memory for `size` bytes, which need not be zeros; a plain `Uint8Array` where this is left out. */
  allocate?(size: number): Uint8Array;
  /** The platform's async context, `null` where there is none. */
  readonly asyncContext: AsyncContext | null;
  /** A loop begins to run, on whatever host: rejections that nobody handles may be cancellations. Returns what ends it. */
  listenForRejections?(): () => void;
  /** Runs what promises have ready, to the end, as {@link Host.drainMicrotasks}. */
  drainMicrotasks?(): boolean;
}

let current: Platform = { createHost: () => new WebHost(), asyncContext: null };

export function getPlatform(): Platform {
  return current;
}

/** Called once, by the entry point of a platform. */
export function installPlatform(platform: Platform): void {
  current = platform;
  installAsyncContext(platform.asyncContext);
}
