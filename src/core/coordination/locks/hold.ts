/// <reference lib="esnext.disposable" preserve="true" />
/** Holding what was acquired, in the one way that every lock offers. @module */

import { callBody } from "../../kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";

/** Something that is acquired and released. */
interface Acquirable {
  acquire(): Coroutine<unknown>;
  release(): void;
}

/** What was acquired, until it is disposed of: `using held = await lock.hold()`. Disposing twice releases once. */
export interface Hold extends Disposable {
  /** Releases it before its scope ends. */
  release(): void;
}

/** The `hold` method of everything that can be acquired. */
export function hold<T>(lock: Acquirable, body: Body<T> | undefined): Coroutine<T | Hold> {
  const generator = body === undefined ? acquiring(lock) : holding(lock, body);
  return new GeneratorCoroutine<T | Hold>(generator, "hold");
}

function* holding<T>(lock: Acquirable, body: Body<T>): CoroutineGenerator<T> {
  yield* lock.acquire();
  try {
    return yield* callBody(body);
  } finally {
    lock.release();
  }
}

function* acquiring(lock: Acquirable): CoroutineGenerator<Hold> {
  yield* lock.acquire();
  return new Held(lock);
}

class Held implements Hold {
  #lock: Acquirable | null;

  constructor(lock: Acquirable) {
    this.#lock = lock;
  }

  release(): void {
    const lock = this.#lock;
    this.#lock = null;
    lock?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
