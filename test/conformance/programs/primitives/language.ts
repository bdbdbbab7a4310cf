/** The language of coroutines and of what they wait for. `oracle.py` beside this file says what each op does. @module */

import type * as kit from "../kit/program.ts";
import type { Block, ReturnWhen, Seconds, Value } from "../kit/program.ts";

/** Every op of the language, and what it takes. A slot (`t0`) holds the task last spawned into it. */
export interface Arguments extends kit.CommonArguments {
  spawn: [slot: string, name: string];
  join: [slot: string];
  cancel: [slot: string, message?: string];
  cancel_self: [message?: string];
  uncancel: [];
  cancelling: [];
  state: [slot: string];
  callback: [slot: string, word: string];
  gather: [slots: readonly string[], names: readonly string[], returnExceptions: boolean];
  shield: [slot: string];
  wait: [slots: readonly string[], when: ReturnWhen, timeout: Seconds];
  wait_for: [name: string, timeout: Seconds];
  wait_for_task: [slot: string, timeout: Seconds];
  timeout: [delay: Seconds, ops: Block];
  reschedule: [delay: Seconds, then: Seconds, ops: Block];
  group: [names: readonly string[], ops: Block];
  as_completed: [slots: readonly string[], timeout: Seconds];

  call_soon: [word: string];
  call_later: [delay: number, word: string];

  fut_await: [future: number];
  fut_set: [future: number, value: Value];
  fut_raise: [future: number, message: string];
  fut_cancel: [future: number];

  lock: [lock: number, ops: Block];
  semaphore: [semaphore: number, ops: Block];
  event_wait: [event: number];
  event_set: [event: number];
  event_clear: [event: number];
  cond_wait: [condition: number];
  cond_notify: [condition: number, count: number];
  barrier: [barrier: number];
  barrier_reset: [barrier: number];
  barrier_abort: [barrier: number];

  put: [queue: number, value: Value];
  get: [queue: number];
  put_nowait: [queue: number, value: Value];
  get_nowait: [queue: number];
  task_done: [queue: number];
  queue_join: [queue: number];
  shutdown: [queue: number, immediate: boolean];
}

/** The objects a program shares among its tasks. */
interface ObjectsSpec {
  readonly locks?: number;
  /** The value of each. */
  readonly semaphores?: readonly number[];
  readonly events?: number;
  readonly conditions?: number;
  /** The parties of each. */
  readonly barriers?: readonly number[];
  readonly futures?: number;
  /** The kind and the maxsize of each. */
  readonly queues?: readonly (readonly ["fifo" | "lifo" | "priority", number])[];
}

/** A program of the language. */
export interface Program extends kit.Program {
  readonly objects?: ObjectsSpec;
}
