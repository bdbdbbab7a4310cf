/**
 * The language of tasks that act on each other. Everything has a name that any task and any callback can use.
 * `oracle.py` beside this file says what each op does.
 *
 * @module
 */

import type { Block, CommonArguments, ReturnWhen, Seconds, Value } from "../kit/program.ts";

/** How a task is spawned: into a group, into a context, with its first step at once. */
export interface SpawnOptions {
  readonly group?: string;
  readonly context?: string;
  readonly eager?: boolean;
}

/** Every op of the language, and what it takes. A slot holds a future or a task; "self" is the running task. */
export interface Arguments extends CommonArguments {
  future: [slot: string];
  set: [slot: string, value: Value];
  fail: [slot: string, message: string];
  spawn: [slot: string, name: string, options: SpawnOptions];
  gather: [slot: string, slots: readonly string[], returnExceptions: boolean];
  shield: [slot: string, of: string];
  wait_for: [slot: string, of: string, timeout: Seconds];
  wait: [slot: string, slots: readonly string[], when: ReturnWhen, timeout: Seconds];
  cancel: [slot: string, message?: string];
  uncancel: [slot: string];
  cancelling: [slot: string];
  state: [slot: string];

  soon: [handle: string, ops: Block, context?: string];
  at: [handle: string, delay: number, ops: Block, context?: string];
  unschedule: [handle: string];
  on_done: [slot: string, callback: string, ops: Block, context?: string];
  off_done: [slot: string, callback: string];

  reschedule: [deadline: string, delay: Seconds];
  deadline_state: [deadline: string];
  cancel_owner: [deadlineOrGroup: string, message?: string];

  set_var: [variable: number, value: Value];
  get_var: [variable: number];
  reset_var: [variable: number];
  copy_context: [context: string];
  run_in: [context: string, ops: Block];

  await: [slot: string];
  await_gather: [slots: readonly string[], returnExceptions: boolean];
  await_shield: [slot: string];
  await_wait_for: [slot: string, timeout: Seconds];
  await_wait: [slots: readonly string[], when: ReturnWhen, timeout: Seconds];
  await_as_completed: [slots: readonly string[], timeout: Seconds];
  wait_for_call: [name: string, timeout: Seconds];
  deadline: [name: string, delay: Seconds, ops: Block];
  group: [name: string, ops: Block];

  hold: [ops: Block];
  cond_wait: [];
  cond_notify: [count: number];
  put: [value: Value];
  get: [];
}
