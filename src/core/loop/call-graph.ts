/** The call graph: what is under way in a task, and who waits for it. @module */

import { RuntimeError } from "../base/exceptions.ts";
import { repr } from "../base/format.ts";
import { captureStack, locationOf, OWN_FOLDER } from "../base/stack.ts";
import { membersOf } from "../coordination/taskgroups.ts";
import { currentTask } from "../kernel/create-task.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { Future } from "../kernel/futures.ts";
import { findLoop } from "../kernel/running.ts";
import { waitedFor } from "../kernel/task-tree.ts";
import { Task } from "../kernel/tasks.ts";

/** One function under way. CPython: `asyncio.FrameCallGraphEntry`. */
export interface FrameCallGraphEntry {
  readonly name: string;
  /** Whether it is a coroutine, in either syntax, and no plain function. */
  readonly isAsync: boolean;
  /** `file:line:column`, where that is known: of a function that waits, JavaScript does not tell it. */
  readonly location: string | null;
}

/** A future, what is under way in it, and who waits for it. CPython: `asyncio.FutureCallGraph`. */
export interface FutureCallGraph {
  readonly future: Future<unknown>;
  /** Innermost first. */
  readonly callStack: readonly FrameCallGraphEntry[];
  readonly awaitedBy: readonly FutureCallGraph[];
}

/** Options of {@link captureCallGraph}. */
export interface CallGraphOptions {
  /** With which frame the stack of the current task begins: 1 is the caller, the default, and 2 who has called that. */
  readonly depth?: number;
  /** How many frames a stack shows: the outermost ones, or if it is negative the innermost; all by default. */
  readonly limit?: number;
}

/**
 * Who waits for `future`, and who for these: the current task by default. `null` if there is no current task.
 *
 * A task waits for what it awaits, for what that is made of (`gather`, `wait`, `shield`), and for the tasks of its groups.
 *
 * @throws {RuntimeError} outside of a running loop, if no future is given. @throws {TypeError} for what is no future.
 *
 * CPython: `asyncio.capture_call_graph`.
 */
export function captureCallGraph(
  future: Future<unknown> | null = null,
  { depth = 1, limit }: CallGraphOptions = {},
): FutureCallGraph | null {
  const loop = findLoop() as AbstractEventLoop | null;
  const current = loop === null ? null : currentTask(loop);
  const asked = future ?? current;
  if (future === null && loop === null) {
    throw new RuntimeError("captureCallGraph() is called outside of a running event loop, and no future was given");
  }
  if (asked === null) return null;
  if (!(asked instanceof Future))
    throw new TypeError(`captureCallGraph: a future is expected, received ${repr(asked)}`);
  const awaiters = awaitersIn(asked.getLoop()._tasks);
  const stack = asked === current ? stackOfCurrent(asked as Task<unknown>, depth) : stackOf(asked);
  return graphOf(asked, stack, limit, awaiters, new Set());
}

/**
 * {@link captureCallGraph} as text; empty if there is no current task.
 *
 * ```text
 * * Task(name='child', id=0x2)
 *   + Call stack:
 *   |   async work()
 *   + Awaited by:
 *     * Task(name='Task-1', id=0x1)
 *       + Call stack:
 *       |   async main()
 * ```
 *
 * CPython: `asyncio.format_call_graph`.
 */
export function formatCallGraph(future: Future<unknown> | null = null, options: CallGraphOptions = {}): string {
  const graph = captureCallGraph(future, options);
  return graph === null ? "" : linesOf(graph, 0).join("\n");
}

/**
 * Writes {@link formatCallGraph}; to standard output by default.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const lines: string[] = [];
 *   await asyncio.createTask(
 *     async () => {
 *       await asyncio.sleep(0);
 *       asyncio.printCallGraph(null, { write: (text) => lines.push(text) });
 *     },
 *     { name: "child" },
 *   );
 *   assert.match(lines.join("\n"), /Task\(name='child'[^]*Awaited by:[^]*Task\(name='Task-\d+'/);
 * });
 * ```
 *
 * CPython: `asyncio.print_call_graph`.
 */
export function printCallGraph(
  future: Future<unknown> | null = null,
  { write = (text) => console.log(text), ...options }: CallGraphOptions & { write?: (text: string) => void } = {},
): void {
  const text = formatCallGraph(future, options);
  if (text !== "") write(text);
}

declare const console: { log(text: string): void };

function graphOf(
  future: Future<unknown>,
  stack: readonly FrameCallGraphEntry[],
  limit: number | undefined,
  awaiters: ReadonlyMap<Future<unknown>, ReadonlySet<Task<unknown>>>,
  path: Set<Future<unknown>>,
): FutureCallGraph {
  path.add(future);
  // A circle is shown once round.
  const waiting = [...(awaiters.get(future) ?? [])].filter((task) => !path.has(task));
  const awaitedBy = waiting.map((task) => graphOf(task, stackOf(task), limit, awaiters, path));
  path.delete(future);
  return { future, callStack: limited(stack, limit), awaitedBy };
}

/** By future, the tasks that cannot go on, or end, without it. */
export function awaitersIn(tasks: Iterable<Task<unknown>>): Map<Future<unknown>, Set<Task<unknown>>> {
  const awaiters = new Map<Future<unknown>, Set<Task<unknown>>>();
  const note = (future: Future<unknown>, task: Task<unknown>): void => {
    const known = awaiters.get(future);
    if (known === undefined) awaiters.set(future, new Set([task]));
    else known.add(task);
  };
  for (const task of tasks) {
    for (const member of membersOf(task)) note(member, task);
    const todo = [...waitedFor(task)];
    const seen = new Set(todo);
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      note(next, task);
      if (next instanceof Task) continue;
      // What a gather is made of is awaited by whoever awaits the gather.
      for (const part of waitedFor(next)) if (!seen.has(part) && seen.add(part)) todo.push(part);
    }
  }
  return awaiters;
}

export function stackOf(future: Future<unknown>): FrameCallGraphEntry[] {
  if (!(future instanceof Task)) return [];
  const frames = future.getStack().map(({ name }) => ({ name, isAsync: true, location: null }));
  return frames.toReversed();
}

/** The functions that run now, down to the coroutines of the task; then those of its coroutines that wait for them. */
function stackOfCurrent(task: Task<unknown>, depth: number): FrameCallGraphEntry[] {
  const lines = captureStack(Infinity);
  const loops = lines.findIndex((line) => OWN_FOLDER !== undefined && line.includes(OWN_FOLDER));
  const running = framesOf(loops === -1 ? lines : lines.slice(0, loops));
  const waiting = stackOf(task).filter(({ name }) => !running.some((frame) => frame.isAsync && frame.name === name));
  return [...running.slice(depth - 1), ...waiting];
}

/** The frames of the lines of a stack: `name (file:line:column)`, or the place alone. */
function framesOf(lines: readonly string[]): FrameCallGraphEntry[] {
  const frames: FrameCallGraphEntry[] = [];
  for (const [i, line] of lines.entries()) {
    const location = locationOf(line.replace(/^async /, ""));
    if (location === "<anonymous>" || location.startsWith("node:")) continue;
    // `AsyncCall` is what calls the function that a task is made of.
    const name = /^(?:async )?(?:AsyncCall\.)?(.*) \([^()]*\)$/.exec(line)?.[1] ?? "<anonymous>";
    // A function that was called by `next` is a generator; V8 writes `async` before a function that waits.
    const isAsync = line.startsWith("async ") || lines[i + 1]?.endsWith(".next (<anonymous>)") === true;
    frames.push({ name: `${name}()`, isAsync, location });
  }
  // Of an async function that runs, nothing says that it is one.
  const last = frames.pop();
  return last === undefined ? [] : [...frames, { ...last, isAsync: true }];
}

function limited(stack: readonly FrameCallGraphEntry[], limit: number | undefined): readonly FrameCallGraphEntry[] {
  if (limit === undefined) return stack;
  if (limit === 0) return [];
  return limit > 0 ? stack.slice(-limit) : stack.slice(0, -limit);
}

const ids: WeakMap<object, number> = new WeakMap();
let lastId = 0;

/** A number for a future, in the order in which they were asked for: JavaScript's objects have no address. */
export function idOf(future: object): number {
  const known = ids.get(future);
  if (known !== undefined) return known;
  ids.set(future, ++lastId);
  return lastId;
}

function linesOf({ future, callStack, awaitedBy }: FutureCallGraph, level: number): string[] {
  const indent = "    ".repeat(level);
  const id = `id=0x${idOf(future).toString(16)}`;
  const title = future instanceof Task ? `Task(name=${repr(future.getName())}, ${id})` : `${future._typeName}(${id})`;
  const lines = [`* ${title}`];
  if (callStack.length > 0) lines.push("  + Call stack:");
  for (const { name, isAsync, location } of callStack) {
    const place = location === null ? "" : `File '${location}', in `;
    lines.push(`  |   ${place}${isAsync ? "async " : ""}${name}`);
  }
  if (awaitedBy.length > 0) lines.push("  + Awaited by:");
  return [...lines.map((line) => indent + line), ...awaitedBy.flatMap((awaiter) => linesOf(awaiter, level + 1))];
}
