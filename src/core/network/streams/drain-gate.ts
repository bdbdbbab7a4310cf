/**
 * The writers' side of flow control: `drain` waits while the transport has paused its protocol, `waitClosed` until the
 * connection is gone. The transport's side is `water-marks`.
 *
 * @module
 */

import type { CoroutineGenerator } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { ConnectionResetError } from "../../base/exceptions.ts";
import type { Future } from "../../kernel/futures.ts";

/** Closed from `pauseWriting` to `resumeWriting`. CPython: `asyncio.streams.FlowControlMixin`. */
export class DrainGate {
  readonly #loop: AbstractEventLoop;
  /** Done when the connection is lost. */
  readonly closed: Future<void>;
  /** Pending calls of {@link drain}. */
  readonly #drainers: Set<Future<void>> = new Set();
  #isPaused: boolean = false;
  #isLost: boolean = false;

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
    this.closed = loop.createFuture();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether {@link drain} would wait. */
  get mustDrain(): boolean {
    return this.#isPaused && !this.#isLost;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const drainer of this.#drainers) if (!drainer.done()) drainer.setResult();
  }

  /** The connection is gone, with an error or with `null`. */
  lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const waiter of [this.closed, ...this.#drainers]) {
      if (waiter.done()) continue;
      if (error === null) waiter.setResult();
      else waiter.setException(error);
    }
    // `waitClosed` raises the error; a program that never calls it is not reported for that.
    this.closed.logTraceback = false;
  }

  /** @throws {ConnectionResetError} if the connection is gone. */
  check(): void {
    if (this.#isLost) throw new ConnectionResetError("Connection lost");
  }

  /** Waits until more may be written. @throws what the connection was lost with meanwhile. */
  *drain(): CoroutineGenerator<void> {
    this.check();
    if (!this.#isPaused) return;
    const drainer = this.#loop.createFuture();
    this.#drainers.add(drainer);
    try {
      yield* drainer;
    } finally {
      this.#drainers.delete(drainer);
    }
  }
}
