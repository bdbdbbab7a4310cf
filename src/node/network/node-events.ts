/** Waiting for the events of Node's objects. @module */

import type { EventEmitter } from "node:events";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";

/** Calls `start` and waits for `event` of `emitter`. An `error` event that comes first is raised. */
export function* untilEvent(
  loop: AbstractEventLoop,
  emitter: EventEmitter,
  event: string,
  start: () => void,
): CoroutineGenerator<void> {
  const happened = loop.createFuture();
  const fail = (error: unknown): void => {
    if (!happened.done()) happened.setException(error);
  };
  const succeed = (): void => {
    if (!happened.done()) happened.setResult();
  };
  emitter.once("error", fail).once(event, succeed);
  try {
    start();
    yield* happened;
  } finally {
    happened.logTraceback = false;
    emitter.off("error", fail).off(event, succeed);
  }
}
