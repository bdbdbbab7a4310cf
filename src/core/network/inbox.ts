/**
 * How what happens outside of the loop reaches a protocol: one event at a time, in turns of the loop.
 *
 * @module
 */

import { Deque } from "../base/deque.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { Handle } from "../kernel/handles.ts";
import { leavesTheLoop } from "../base/exceptions.ts";
import type { BaseProtocol } from "./contracts.ts";

/** Events that wait for their turn. Each is handled in an entry of the loop, in the context the inbox was made in. */
export class Inbox<E> {
  readonly #loop: AbstractEventLoop;
  readonly #events: Deque<E> = new Deque();
  readonly #entry: Handle;

  constructor(loop: AbstractEventLoop, handle: (event: E) => void) {
    this.#loop = loop;
    this.#entry = new Handle(loop, () => handle(this.#events.shift() as E), [], null);
  }

  push(event: E): void {
    this.#events.push(event);
    this.#loop._enqueue(this.#entry);
  }

  [Symbol.iterator](): Iterator<E> {
    return this.#events[Symbol.iterator]();
  }
}

/** Calls the method `name` of a protocol. What it throws is reported and returned. */
export function callProtocol(
  loop: AbstractEventLoop,
  transport: { getProtocol(): BaseProtocol },
  name: string,
  method: () => void,
): { readonly error: unknown } | null {
  try {
    method();
    return null;
  } catch (error) {
    if (leavesTheLoop(error)) throw error;
    const protocol = transport.getProtocol();
    loop.callExceptionHandler({
      message: `Fatal error: protocol.${name}() call failed.`,
      exception: error,
      transport,
      protocol,
    });
    return { error };
  }
}
