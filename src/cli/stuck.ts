/** Who has waited longest, for what, and who waits in a circle, as text. @module */

import type { LoopSnapshot, TaskSnapshot } from "../inspection/snapshots.ts";
import { cyclesIn, pathText } from "./task-table.ts";

const MOST_TASKS = 30;

/** Of loops that were recorded for a while. */
export function stuckReport(loops: readonly LoopSnapshot[]): string[] {
  return loops.flatMap((loop) => [...summaryOf(loop), ...circlesOf(loop), ...waitsOf(loop)]);
}

function summaryOf({ tasks, record }: LoopSnapshot): string[] {
  if (record === null) return [];
  const still = tasks.filter(isStill).length;
  const { seconds, turns, steps } = record;
  return [
    `In ${seconds.toFixed(1)} s: ${turns} turns of the loop, ${steps} steps; ` +
      `${still} of ${tasks.length} tasks did not go on.`,
  ];
}

function circlesOf({ tasks }: LoopSnapshot): string[] {
  return cyclesIn(tasks).map((cycle) => `They wait for each other: ${cycle.join(" → ")}`);
}

/** Those that wait for no task of their own come first: the others wait for them. */
function waitsOf({ tasks }: LoopSnapshot): string[] {
  const awaitsTask = new Set(tasks.flatMap(({ awaitedBy }) => awaitedBy));
  const still = tasks
    .filter(isStill)
    .toSorted((a, b) => Number(awaitsTask.has(a.id)) - Number(awaitsTask.has(b.id)) || idle(b) - idle(a));
  const lines = still.slice(0, MOST_TASKS).map((task) => `  ${lineOf(task, tasks)}`);
  return still.length > MOST_TASKS ? [...lines, `  and ${still.length - MOST_TASKS} more`] : lines;
}

function isStill({ record }: TaskSnapshot): boolean {
  return record !== null && record.steps === 0;
}

function idle({ record }: TaskSnapshot): number {
  return record?.idle ?? 0;
}

function lineOf(task: TaskSnapshot, tasks: readonly TaskSnapshot[]): string {
  const awaited = tasks.filter(({ awaitedBy }) => awaitedBy.includes(task.id)).map(({ name }) => name);
  const what = task.waitsFor ?? (awaited.length > 0 ? awaited.join(", ") : null);
  const asked = task.cancelling > 0 ? "; it was asked to cancel" : "";
  return `${task.name} in ${pathText(task)}${what === null ? "" : ` waits for ${what}`}${asked}`;
}
