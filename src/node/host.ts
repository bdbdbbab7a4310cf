/** The loop's host on Node.js, and on Bun and Deno, which have its API. @module */

import type { Host, HostClient } from "../core/host.ts";
import { drainMicrotasks } from "./microtasks.ts";

/** `setTimeout` takes a signed 32-bit number of milliseconds, and fires at once beyond it. */
const LONGEST_TIMEOUT = 0x7fff_ffff;

/** What a program that Ctrl-C ended exits with: 128 + SIGINT. */
const INTERRUPTED = 130;

/**
 * A turn comes from `setImmediate`: after poll phase of libuv, so that I/O callbacks stand in the queue before timers
 * that are due, as in CPython. One `setTimeout` serves the nearest deadline of all.
 */
export class NodeHost implements Host {
  readonly clockResolution: number = 1e-6;
  #client: HostClient | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #exhausted = (): void => this.#client?.exhausted();

  now(): number {
    return performance.now() / 1000;
  }

  get debug(): boolean {
    return (process.env["ASYNCIO_DEBUG"] ?? "") !== "";
  }

  connect(client: HostClient): void {
    this.#client = client;
    process.on("beforeExit", this.#exhausted);
  }

  disconnect(): void {
    this.#forget();
    this.#client = null;
    process.off("beforeExit", this.#exhausted);
  }

  requestTurn(delay: number): void {
    this.#forget();
    if (delay === 0) this.#immediate = setImmediate(() => this.#turn());
    else if (delay !== Infinity) {
      const milliseconds = Math.min(Math.ceil(delay * 1000), LONGEST_TIMEOUT);
      this.#timer = setTimeout(() => this.requestTurn(0), milliseconds);
    }
  }

  drainMicrotasks(): boolean {
    return drainMicrotasks();
  }

  onInterrupt(interrupted: () => void): () => void {
    process.on("SIGINT", interrupted);
    return () => void process.off("SIGINT", interrupted);
  }

  exitInterrupted(): void {
    process.exit(INTERRUPTED);
  }

  #turn(): void {
    this.#immediate = null;
    this.#client?.turn();
  }

  #forget(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#immediate = null;
    this.#timer = null;
  }
}
