/**
 * What happened in a loop as Chrome trace events, which Perfetto and `chrome://tracing` open: a line for the loop with a
 * slice for each step, an arrow from the step that has woken a task to the step that it wakes, a line for each task from
 * its beginning to its end, and how many entries were ready.
 *
 * The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 *
 * @module
 */

import type { LoopEvent, TaskName } from "./event-ring.ts";

/** One of them; `ts` and `dur` in microseconds. */
interface ChromeTraceEvent {
  readonly name: string;
  /** `X` a slice, `b` and `e` the ends of a task, `s` and `f` of an arrow, `C` a counter, `M` a name. */
  readonly ph: "X" | "b" | "e" | "s" | "f" | "C" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly cat?: string;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: "e";
  readonly args?: Readonly<Record<string, unknown>>;
}

interface ChromeTrace {
  readonly traceEvents: readonly ChromeTraceEvent[];
  readonly displayTimeUnit: "ms";
  readonly otherData: Readonly<Record<string, unknown>>;
}

/** @param pid of the process; the loop is shown as its thread of this number. */
export function chromeTrace(events: Iterable<LoopEvent>, pid: number, dropped: number = 0): ChromeTrace {
  const trace = new Trace(pid);
  for (const event of events) trace.add(event);
  return { traceEvents: trace.finish(), displayTimeUnit: "ms", otherData: { "dropped events": dropped } };
}

class Trace {
  readonly #events: ChromeTraceEvent[] = [];
  readonly #place: { readonly pid: number; readonly tid: number };
  /** Arrows that have not arrived, by the task that is woken. */
  readonly #arrows: Map<number, number> = new Map();
  readonly #alive: Map<number, TaskName> = new Map();
  readonly #over: Set<number> = new Set();
  #arrowsMade: number = 0;
  #first: number = Infinity;
  #last: number = 0;

  constructor(pid: number) {
    this.#place = { pid, tid: pid };
    this.#push({ name: "process_name", ph: "M", ts: 0, args: { name: "asyncio-ts" } });
    this.#push({ name: "thread_name", ph: "M", ts: 0, args: { name: "event loop" } });
  }

  add(event: LoopEvent): void {
    const ts = event.at * 1000;
    this.#first = Math.min(this.#first, ts);
    this.#last = Math.max(this.#last, ts);
    if (event.kind === "turn") this.#push({ name: "ready", ph: "C", ts, args: { entries: event.ready } });
    else if (event.kind === "made") this.#begin(event.task, ts);
    else if (event.kind === "ended") this.#end(event.task, ts);
    else if (event.kind === "step") this.#step(event.task, ts, event.milliseconds * 1000);
    else this.#wake(event.task, ts);
  }

  /** Tasks that have not ended are shown up to the last event. */
  finish(): readonly ChromeTraceEvent[] {
    for (const task of this.#alive.values()) this.#end(task, this.#last);
    return this.#events;
  }

  #begin(task: TaskName, ts: number): void {
    if (this.#alive.has(task.id) || this.#over.has(task.id)) return;
    this.#alive.set(task.id, task);
    this.#push({ name: task.name, cat: "task", ph: "b", ts, id: task.id });
  }

  #end(task: TaskName, ts: number): void {
    this.#begin(task, this.#first);
    this.#alive.delete(task.id);
    this.#over.add(task.id);
    this.#push({ name: task.name, cat: "task", ph: "e", ts, id: task.id });
  }

  #step(task: TaskName, ts: number, dur: number): void {
    this.#last = Math.max(this.#last, ts + dur);
    const arrow = this.#arrows.get(task.id);
    this.#arrows.delete(task.id);
    if (arrow !== undefined) this.#push({ name: "wakes", cat: "wake", ph: "f", bp: "e", ts, id: arrow });
    this.#push({ name: task.name, cat: "step", ph: "X", ts, dur, args: { task: task.id } });
    this.#begin(task, this.#first);
  }

  #wake(task: TaskName, ts: number): void {
    this.#arrows.set(task.id, ++this.#arrowsMade);
    this.#push({ name: "wakes", cat: "wake", ph: "s", ts, id: this.#arrowsMade });
  }

  #push(event: Omit<ChromeTraceEvent, "pid" | "tid">): void {
    this.#events.push({ ...event, ...this.#place });
  }
}
