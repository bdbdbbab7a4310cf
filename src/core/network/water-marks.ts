/**
 * The transport's side of flow control: when a protocol has to stop writing, and when it may go on. The other side, where
 * writers wait for that, is `streams/drain-gate`.
 *
 * @module
 */

import type { AbstractEventLoop } from "../kernel/events.ts";
import { leavesTheLoop } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import type { BaseProtocol, BaseTransport, WriteBufferLimits } from "./contracts.ts";

/** The default high-water mark: a protocol is paused when more bytes than this wait to be sent. */
const HIGH_WATER = 64 * 1024;

/** The marks of one transport. Whatever changes how much waits to be sent calls {@link check}, and nothing else pauses. */
export class WaterMarks {
  readonly #loop: AbstractEventLoop;
  readonly #transport: BaseTransport;
  readonly #defaultHigh: number;
  #high: number;
  #low: number;
  #isPaused: boolean = false;

  constructor(loop: AbstractEventLoop, transport: BaseTransport, defaultHigh: number = HIGH_WATER) {
    this.#loop = loop;
    this.#transport = transport;
    this.#defaultHigh = defaultHigh;
    this.#high = defaultHigh;
    this.#low = Math.floor(defaultHigh / 4);
  }

  /** Whether the protocol has been told to stop. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  get limits(): { readonly low: number; readonly high: number } {
    return { low: this.#low, high: this.#high };
  }

  setLimits(limits: WriteBufferLimits): void {
    const high = limits.high ?? (limits.low === undefined ? this.#defaultHigh : 4 * limits.low);
    const low = limits.low ?? Math.floor(high / 4);
    if (!(high >= low && low >= 0)) {
      throw new RangeError(`high (${repr(high)}) must be >= low (${repr(low)}) must be >= 0`);
    }
    this.#high = high;
    this.#low = low;
  }

  /** Pauses or resumes the protocol, now that `size` bytes wait to be sent. */
  check(size: number): void {
    if (!this.#isPaused) {
      if (size <= this.#high) return;
      this.#isPaused = true;
      this.#tell("pauseWriting");
    } else if (size <= this.#low) {
      this.#isPaused = false;
      this.#tell("resumeWriting");
    }
  }

  #tell(what: "pauseWriting" | "resumeWriting"): void {
    const protocol: BaseProtocol = this.#transport.getProtocol();
    try {
      protocol[what]?.();
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#loop.callExceptionHandler({
        message: `protocol.${what}() failed`,
        exception: error,
        transport: this.#transport,
        protocol,
      });
    }
  }
}
