/** Tasks of a process as a table and as trees, in the form of CPython's `python -m asyncio ps` and `pstree`. @module */

import type { FrameSnapshot, LoopSnapshot, TaskSnapshot } from "../inspection/snapshots.ts";

const COLUMNS = [
  ["tid", 10],
  ["task id", 20],
  ["task name", 20],
  ["coroutine stack", 50],
  ["awaiter chain", 50],
  ["awaiter name", 15],
  ["awaiter id", 15],
] as const;
const RULE_WIDTH = 180;

/** A row for each task and each that waits for it. */
export function taskTable(loops: readonly LoopSnapshot[]): string[] {
  const rowOf = (cells: readonly string[]): string => cells.map((cell, i) => cell.padEnd(COLUMNS[i]![1])).join(" ");
  const rows = loops.flatMap((loop) =>
    loop.tasks.flatMap((task) => {
      const own = [String(loop.thread), idText(task.id), task.name, chain(task.stack)];
      const awaiters = task.awaitedBy.map((id) => loop.tasks.find((other) => other.id === id));
      if (awaiters.length === 0) return [[...own, "", "", "0x0"]];
      return awaiters.map((by) => [...own, chain(by?.stack ?? []), by?.name ?? "Unknown", idText(by?.id ?? 0)]);
    }),
  );
  return [rowOf(COLUMNS.map(([title]) => title)), "-".repeat(RULE_WIDTH), ...rows.map(rowOf)];
}

function idText(id: number): string {
  return `0x${id.toString(16)}`;
}

/** The functions of a task on one line, outermost first. */
export function pathText({ stack }: TaskSnapshot): string {
  return stack
    .toReversed()
    .map(({ name }) => name)
    .join(" > ");
}

function chain(stack: readonly FrameSnapshot[]): string {
  return stack.map(({ name }) => name).join(" -> ");
}

/** Tasks wait for each other: there is no tree of them. */
export class CycleError extends Error {
  override readonly name: string = "CycleError";
  /** The names of each circle's tasks, the first again at the end. */
  readonly cycles: readonly (readonly string[])[];

  constructor(cycles: readonly (readonly string[])[]) {
    super("await-graph contains cycles - cannot print a tree!");
    this.cycles = cycles;
  }
}

/**
 * A tree for each task that nobody waits for: its coroutines, and below the innermost what it waits for. CPython shows tasks
 * there and no locks.
 */
export function taskTrees(loops: readonly LoopSnapshot[]): string[][] {
  return loops.flatMap(({ tasks }) => {
    const awaited = byAwaiter(tasks);
    const cycles = cyclesIn(tasks, awaited);
    if (cycles.length > 0) throw new CycleError(cycles);
    const roots = tasks.filter(({ awaitedBy }) => awaitedBy.length === 0);
    return roots.map((root) => draw([nodeOf(root, awaited)], ""));
  });
}

function byAwaiter(tasks: readonly TaskSnapshot[]): Map<number, TaskSnapshot[]> {
  const awaited = new Map<number, TaskSnapshot[]>();
  for (const task of tasks) for (const id of task.awaitedBy) awaited.set(id, [...(awaited.get(id) ?? []), task]);
  return awaited;
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

function nodeOf(task: TaskSnapshot, awaited: ReadonlyMap<number, readonly TaskSnapshot[]>): Node {
  let children = (awaited.get(task.id) ?? []).map((inner) => nodeOf(inner, awaited));
  if (task.waitsFor !== null) children.push({ text: `waits for ${task.waitsFor}`, children: [] });
  for (const frame of task.stack) children = [{ text: ` ${frameText(frame)}`, children }];
  return { text: `(T) ${task.name}`, children };
}

function frameText({ name, location }: FrameSnapshot): string {
  return location === null ? name : `${name} ${location}`;
}

function draw(nodes: readonly Node[], indent: string): string[] {
  return nodes.flatMap(({ text, children }, i) => {
    const isLast = i === nodes.length - 1;
    const below = indent + (isLast ? "    " : "│   ");
    return [`${indent}${isLast ? "└── " : "├── "}${text}`, ...draw(children, below)];
  });
}

/** Tasks that wait for each other: the names of each circle, the first again at the end. */
export function cyclesIn(
  tasks: readonly TaskSnapshot[],
  awaited: ReadonlyMap<number, readonly TaskSnapshot[]> = byAwaiter(tasks),
): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<number>();
  const visit = (task: TaskSnapshot, path: readonly TaskSnapshot[]): void => {
    const at = path.indexOf(task);
    if (at !== -1) cycles.push([...path.slice(at), task].map(({ name }) => name));
    if (at !== -1 || finished.has(task.id)) return;
    for (const inner of awaited.get(task.id) ?? []) visit(inner, [...path, task]);
    finished.add(task.id);
  };
  for (const task of tasks) visit(task, []);
  return cycles;
}
