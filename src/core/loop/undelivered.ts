/** Debug mode: a request to cancel that reaches nothing, since the code awaits a promise that cannot be interrupted. @module */

import { UNDELIVERED_REQUEST_SECONDS } from "../base/constants.ts";
import { keepsRequest } from "../kernel/cancellation.ts";
import type { Awaited, Timer, Waiter } from "../kernel/contract.ts";
import { nextTimerSerial } from "../kernel/handles.ts";

/** Looks, some time after a request, whether `waiter` still keeps it and awaits the same promise. */
export class UndeliveredRequest implements Timer {
  readonly _when: number;
  readonly _serial: number = nextTimerSerial();
  _scheduled: boolean = false;
  readonly #waiter: Waiter;
  readonly #call: Awaited | null;

  constructor(waiter: Waiter) {
    this.#waiter = waiter;
    this.#call = waiter._waitingFor;
    this._when = waiter.loop.time() + UNDELIVERED_REQUEST_SECONDS;
  }

  run(): void {
    const { loop, task, _waitingFor } = this.#waiter;
    if (_waitingFor !== this.#call || _waitingFor?._isShielded === true || !keepsRequest(this.#waiter)) return;
    loop.callExceptionHandler({
      message:
        "A request to cancel waits: the code awaits a promise, which cannot be interrupted; wrap it with " +
        "fromPromise(promise), or fromPromise((signal) => ...)",
      ...(task === null ? {} : { task }),
    });
  }

  cancelled(): boolean {
    return false;
  }
}
