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
  /** Of each level up to the present one; none while nobody watches. */
  #instruments: readonly Instrument[] = [];
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
    if (this.#instruments.length === 0) return null;
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
    if (this.#instruments.length === 0) return null;
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
    for (const instrument of this.#instruments) this.#loop.removeInstrument(instrument);
    if (this.#instruments.length === 0 && level !== null) this.#begin();
    this.#events = level === "events" ? (this.#events ?? new EventRing(KEPT_EVENTS)) : null;
    if (level === null) this.#instruments = [];
    else this.#instruments = level === "counts" ? [this.#counts()] : [this.#counts(), this.#times()];
    for (const instrument of this.#instruments) this.#loop.addInstrument(instrument);
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

  #counts(): Instrument {
    const totals = this.#totals;
    return {
      turnStarted: (ready) => {
        totals.turns++;
        if (ready > totals.deepest) totals.deepest = ready;
      },
      taskCreated: () => {
        totals.made++;
      },
      taskDone: (task) => {
        totals.ended++;
        totals.steps += this.stepsOf(task);
      },
    };
  }

  #times(): Instrument {
    return {
      turnStarted: (ready) => this.#events?.turn(performance.now(), ready),
      taskCreated: (task) => {
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
        const seconds = (now - record.changed) / 1000;
        record.busy += seconds;
        if (seconds > record.longestStep) record.longestStep = seconds;
        this.#events?.step(record.changed, record, now - record.changed);
        record.changed = now;
      },
      taskDone: (task) => {
        const record = this.#of(task);
        record.name = task.getName();
        this.#events?.ended(performance.now(), record);
      },
    };
  }
}

function emptyTotals(): LoopRecord {
  return { seconds: 0, turns: 0, made: 0, ended: 0, steps: 0, deepest: 0 };
}
