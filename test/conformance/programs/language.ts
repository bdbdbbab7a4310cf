/**
 * The conformance language: programs of small steps, written as JSON, with the trace that CPython gave.
 * `oracle.py` beside this file says what each op does.
 *
 * @module
 */

/** Ops that are done one after the other. */
export type Block = readonly Op[];

/** What to do with an error, by its kind. A block that ends in `["reraise"]` raises it again. */
export interface Handlers {
  readonly cancelled?: Block;
  readonly timeout?: Block;
  readonly user?: Block;
  readonly group?: Block;
  readonly any?: Block;
}

/** When `wait` has waited enough. */
type ReturnWhen = "ALL_COMPLETED" | "FIRST_COMPLETED" | "FIRST_EXCEPTION";

/** Seconds, or `null` for ever. */
type Seconds = number | null;
type Value = number | string | null;

/** Every op of the language, and what it takes. A slot (`t0`) holds the task last spawned into it. */
export interface Arguments {
  log: [word: string];
  sleep: [delay: number];
  return: [value: Value];
  raise: [message: string];
  repeat: [times: number, ops: Block];
  call: [name: string];
  try: [ops: Block, handlers: Handlers, final: Block];
  reraise: [];

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

export type OpName = keyof Arguments;

/** One step of a program: its name, then its arguments. */
export type Op = { [N in OpName]: readonly [N, ...Arguments[N]] }[OpName];

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

/** A program, and what CPython did with it. */
export interface Program {
  readonly id: string;
  readonly objects?: ObjectsSpec;
  readonly coros: Readonly<Record<string, Block>>;
  readonly main: Block;
  /** Every task takes its first step at once. */
  readonly eager?: boolean;
  readonly trace: readonly string[];
}

/** The programs of a corpus, one JSON object a line. */
export function parseCorpus(text: string): Program[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => JSON.parse(line) as Program);
}
