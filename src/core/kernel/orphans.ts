/** The waits that outlived their task: they go on, and end when the loop does. @module */

import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import { captureStack } from "../base/stack.ts";
import { WaitSet } from "./awaits.ts";
import type { KernelLoop, Wait, WaitScope } from "./contract.ts";

export class Orphans implements WaitScope {
  readonly loop: KernelLoop;
  readonly task: null = null;
  readonly driver: null = null;
  readonly #waits: WaitSet = new WaitSet();

  constructor(loop: KernelLoop) {
    this.loop = loop;
  }

  get size(): number {
    return this.#waits.size;
  }

  addWait(wait: Wait): this {
    if (this.loop.isClosed()) {
      wait.abandon();
      return this;
    }
    this.#waits.add(wait);
    if (this.loop.getDebug()) {
      this.loop.callExceptionHandler({
        message: "An async function outlived its task: await it, or make it a task of its own",
        sourceTraceback: captureStack(DEBUG_STACK_DEPTH),
      });
    }
    return this;
  }

  removeWait(wait: Wait): void {
    this.#waits.delete(wait);
  }

  /** Cancels each, so that its cleanup runs in the turns that follow. */
  cancel(): void {
    this.#waits.cancel();
  }

  /** The loop is closed: nothing will come of these waits any more. */
  abandon(): void {
    this.#waits.abandon();
  }
}
