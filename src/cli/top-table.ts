/** What the tasks of a process have done, as a table for a terminal. @module */

import type { LoopSnapshot, TaskSnapshot } from "../inspection/snapshots.ts";
import { pathText } from "./task-table.ts";

export const SORT_KEYS = ["busy", "waiting", "steps", "longest", "age", "name"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export function isSortKey(key: string): key is SortKey {
  return (SORT_KEYS as readonly string[]).includes(key);
}

interface TopView {
  readonly sort: SortKey;
  /** Only tasks in whose names or functions this stands. */
  readonly filter: string;
  readonly rows: number;
  readonly columns: number;
}

/** The lines of the table: no more than `rows`, none longer than `columns`. */
export function topTable(loops: readonly LoopSnapshot[], { sort, filter, rows, columns }: TopView): string[] {
  const tasks = loops
    .flatMap((loop) => loop.tasks)
    .filter((task) => `${task.name} ${pathText(task)}`.includes(filter))
    .toSorted((a, b) => compare(a, b, sort));
  const head = [...loops.map(totalsText), "", cells(["task", "steps", "busy", "longest", "waiting", "age", "where"])];
  const lines = [...head, ...tasks.map((task) => rowOf(task))].slice(0, rows);
  return lines.map((line) => line.slice(0, columns).trimEnd());
}

function totalsText({ tasks, record }: LoopSnapshot): string {
  if (record === null) return `${tasks.length} tasks`;
  const { seconds, turns, steps, made, ended, deepest } = record;
  const rate = (count: number): string => `${Math.round(count / Math.max(seconds, 1e-9))}/s`;
  const busy = tasks.reduce((sum, task) => sum + (task.record?.busy ?? 0), 0);
  return (
    `${tasks.length} tasks, ${made} made, ${ended} ended · turns ${rate(turns)} · steps ${rate(steps)} · ` +
    `at most ${deepest} ready · ${((100 * busy) / seconds).toFixed(0)} % in these tasks · ${seconds.toFixed(0)} s`
  );
}

function rowOf(task: TaskSnapshot): string {
  const { record } = task;
  if (record === null) return cells([task.name, "", "", "", "", "", pathText(task)]);
  const { steps, busy, longestStep, waiting, age, isWhole } = record;
  // Of a task that is older than the record, the age is at least this.
  const old = `${isWhole ? "" : "≥"}${timeText(age)}`;
  return cells([
    task.name,
    String(steps),
    timeText(busy),
    timeText(longestStep),
    timeText(waiting),
    old,
    whereText(task),
  ]);
}

function cells([name, ...rest]: string[]): string {
  const where = rest.pop()!;
  return [name!.slice(0, 24).padEnd(24), ...rest.map((cell) => cell.padStart(9)), ` ${where}`].join(" ");
}

function whereText(task: TaskSnapshot): string {
  const waits = task.waitsFor === null ? "" : ` · ${task.waitsFor}`;
  return `${pathText(task)}${waits}${task.cancelling > 0 ? " · asked to cancel" : ""}`;
}

/** Three digits or so, with a unit. */
function timeText(seconds: number): string {
  if (seconds < 0.001) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toFixed(1)} ms`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`;
}

function compare(a: TaskSnapshot, b: TaskSnapshot, sort: SortKey): number {
  if (sort === "name") return a.name < b.name ? -1 : 1;
  return valueOf(b, sort) - valueOf(a, sort) || a.id - b.id;
}

function valueOf({ record }: TaskSnapshot, sort: Exclude<SortKey, "name">): number {
  return record?.[sort === "longest" ? "longestStep" : sort] ?? 0;
}
