/**
 * What the tasks of a loop have done: how often each went on, how long it ran and waited, and if asked for, each step.
 *
 * Off, it costs nothing. It is on for as long as somebody watches, at the level of who asks for most:
 *
 * ```text
 *   counts   turns, how much was ready, tasks made and ended; how often a task went on it counts itself, always
 *   times    and how long each ran and waited: two looks at the clock for a step
 *   events   and the last steps themselves, and who has woken whom
 * ```
 *
 * @module
 */

import type { Instrument } from "../core/loop/instruments.ts";
import type { BaseEventLoop } from "../core/loop/base-events.ts";
import { idOf } from "../core/loop/call-graph.ts";
import type { Task } from "../core/kernel/tasks.ts";
import { EventRing } from "./event-ring.ts";

export type RecordLevel = "counts" | "times" | "events";

const LEVELS: readonly RecordLevel[] = ["counts", "times", "events"];
export function isRecordLevel(value: unknown): value is RecordLevel {
  return (LEVELS as readonly unknown[]).includes(value);
}

const KEPT_EVENTS = 1 << 17;

/** What is known of a task. Times are in seconds, since the record began. */
export class TaskRecord {
  readonly id: number;
  name: string;
  /** Since when it is recorded, on `performance.now()`, in milliseconds; as all moments here. */
  readonly since: number;
  /** Whether it was made since the loop is recorded. */
  readonly isWhole: boolean;
  /** How often it had gone on before. */
  readonly stepsBefore: number;
  /** How often it was woken by itself: it gave way, and waited for nothing. */
  selfWakes: number = 0;
  busy: number = 0;
  waiting: number = 0;
  longestStep: number = 0;
  /** When its present step or wait began. */
  changed: number;
  ended: number | null = null;

  constructor(task: Task<unknown>, isWhole: boolean) {
    this.id = idOf(task);
    this.name = task.getName();
    this.since = this.changed = performance.now();
    this.isWhole = isWhole;
    this.stepsBefore = isWhole ? 0 : task._steps;
  }
}

/** What is known of a loop. */
export interface LoopRecord {
  /** For how long it is recorded, in seconds. */
  seconds: number;
  turns: number;
  /** Tasks that were made, and that ended. */
  made: number;
  ended: number;
  steps: number;
  /** Of a turn's entries, the most that there were. */
  deepest: number;
}

const recorders: WeakMap<BaseEventLoop, Recorder> = new WeakMap();

/** The recorder of a loop; there is one for all that watch. */
export function recorderOf(loop: BaseEventLoop): Recorder {
  const known = recorders.get(loop) ?? new Recorder(loop);
  recorders.set(loop, known);
  return known;
}

class Recorder {
  readonly #loop: BaseEventLoop;
  readonly #watchers: Map<object, RecordLevel> = new Map();
  #instrument: Instrument | null = null;
  #totals: LoopRecord = emptyTotals();
  #began: number = 0;
  #events: EventRing | null = null;

  constructor(loop: BaseEventLoop) {
    this.#loop = loop;
  }

  /** Records at `level` at least, until the function that is returned is called. */
  watch(level: RecordLevel): () => void {
    const watcher = {};
    this.#watchers.set(watcher, level);
    this.#adjust();
    return () => {
      this.#watchers.delete(watcher);
      this.#adjust();
    };
  }

  /** `null` while nobody watches. */
  get level(): RecordLevel | null {
    const asked = new Set(this.#watchers.values());
    return LEVELS.findLast((level) => asked.has(level)) ?? null;
  }

  /** What is known of `task` until now; `null` while nobody watches. */
  recordOf(task: Task<unknown>): TaskRecord | null {
    if (this.#instrument === null) return null;
    const record = this.#of(task);
    record.name = task.getName();
    return record;
  }

  /** How often `task` has gone on since the loop is recorded. */
  stepsOf(task: Task<unknown>): number {
    return task._steps - (this.#known(task)?.stepsBefore ?? 0);
  }

  /** What is known of the loop until now; `null` while nobody watches. */
  totals(): LoopRecord | null {
    if (this.#instrument === null) return null;
    let { steps } = this.#totals;
    for (const task of this.#loop._tasks) steps += this.stepsOf(task);
    return { ...this.#totals, steps, seconds: (performance.now() - this.#began) / 1000 };
  }

  /** The last steps, at the level `events`. */
  get events(): EventRing | null {
    return this.#events;
  }

  #adjust(): void {
    const { level } = this;
    if (this.#instrument !== null) this.#loop.removeInstrument(this.#instrument);
    if (this.#instrument === null && level !== null) this.#begin();
    this.#events = level === "events" ? (this.#events ?? new EventRing(KEPT_EVENTS)) : null;
    this.#instrument = level === null ? null : this.#instrumentFor(level);
    if (this.#instrument !== null) this.#loop.addInstrument(this.#instrument);
  }

  #begin(): void {
    this.#totals = emptyTotals();
    this.#began = performance.now();
    for (const task of this.#loop._tasks) this.#remember(task, false);
  }

  #remember(task: Task<unknown>, isWhole: boolean): TaskRecord {
    const record = new TaskRecord(task, isWhole);
    task._record = record;
    return record;
  }

  /** The record that the task carries, unless it is of an earlier time. */
  #known(task: Task<unknown>): TaskRecord | null {
    const record = task._record;
    return record instanceof TaskRecord && record.since >= this.#began ? record : null;
  }

  /** Tasks of before have had a record from the beginning; one without it was made since. */
  #of(task: Task<unknown>): TaskRecord {
    return this.#known(task) ?? this.#remember(task, true);
  }

  #instrumentFor(level: RecordLevel): Instrument {
    const totals = this.#totals;
    const counts: Instrument = {
      turnStarted: (ready) => {
        totals.turns++;
        if (ready > totals.deepest) totals.deepest = ready;
        this.#events?.turn(performance.now(), ready);
      },
      taskCreated: () => {
        totals.made++;
      },
      taskDone: (task) => {
        totals.ended++;
        totals.steps += this.stepsOf(task);
      },
    };
    return level === "counts" ? counts : { ...counts, ...this.#times(totals) };
  }

  #times(totals: LoopRecord): Instrument {
    return {
      taskCreated: (task) => {
        totals.made++;
        const record = this.#remember(task, true);
        this.#events?.made(record.since, record);
      },
      taskReady: (task, by) => {
        if (task === by) this.#of(task).selfWakes++;
        if (this.#events !== null && by !== null) this.#events.woken(performance.now(), this.#of(task), this.#of(by));
      },
      stepStarted: (task) => {
        const now = performance.now();
        const record = this.#of(task);
        record.waiting += (now - record.changed) / 1000;
        record.changed = now;
      },
      stepEnded: (task) => {
        const now = performance.now();
        const record = this.#of(task);
        const milliseconds = now - record.changed;
        record.busy += milliseconds / 1000;
        if (milliseconds / 1000 > record.longestStep) record.longestStep = milliseconds / 1000;
        this.#events?.step(record.changed, record, milliseconds);
        record.changed = now;
      },
      taskDone: (task) => {
        const record = this.#of(task);
        totals.ended++;
        totals.steps += this.stepsOf(task);
        record.name = task.getName();
        record.ended = performance.now();
        this.#events?.ended(record.ended, record);
      },
    };
  }
}

function emptyTotals(): LoopRecord {
  return { seconds: 0, turns: 0, made: 0, ended: 0, steps: 0, deepest: 0 };
}
