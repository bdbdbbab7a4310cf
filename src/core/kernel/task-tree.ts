/** Which task waits for which, as text: what a deadlock and an interrupted program show. @module */

import type { Cancellable } from "./contract.ts";
import { Call, Driver } from "./driver.ts";
import { Future } from "./futures.ts";
import { Task } from "./tasks.ts";

/** How many lines are drawn at most, and how deep. */
const MOST_LINES = 100;
const DEEPEST = 20;

/**
 * Each task on a line, what it waits for indented below:
 *
 * ```text
 * Task 'main' in main()
 *   waits for Task 'worker' in worker() > acquire()
 *     waits for <Future pending cb=[Task.wakeup()]>
 * ```
 *
 * Of a crowd of tasks the first are drawn, of a long chain its beginning, and the rest is counted.
 */
export function drawTasks(tasks: Iterable<Task<unknown>>): string {
  const all = [...tasks];
  const awaited = new Set<unknown>();
  for (const task of all) for (const future of waitedFor(task)) awaited.add(future);
  const drawing = new Drawing();
  for (const task of all) if (!awaited.has(task)) drawing.draw(task);
  for (const task of all) if (!drawing.has(task)) drawing.draw(task);
  return drawing.toString();
}

/** A branch that is to be drawn. */
interface Branch {
  readonly future: Future<unknown>;
  readonly depth: number;
}

class Drawing {
  readonly #lines: string[] = [];
  readonly #drawn: Set<Future<unknown>> = new Set();
  #leftOut: number = 0;

  has(future: Future<unknown>): boolean {
    return this.#drawn.has(future);
  }

  draw(root: Future<unknown>): void {
    const todo: Branch[] = [{ future: root, depth: 0 }];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const { future, depth } = next;
      const isNew = !this.#drawn.has(future);
      this.#drawn.add(future);
      if (this.#lines.length === MOST_LINES) {
        if (isNew && future instanceof Task) this.#leftOut++;
      } else if (depth <= DEEPEST) {
        const line = `${"  ".repeat(depth)}${depth === 0 ? "" : "waits for "}${titleOf(future)}`;
        this.#lines.push(isNew ? line : `${line} (see above)`);
      } else if (isNew && future instanceof Task) this.#leftOut++;
      if (!isNew) continue;
      for (const inner of [...waitedFor(future)].toReversed()) todo.push({ future: inner, depth: depth + 1 });
    }
  }

  toString(): string {
    const rest = this.#leftOut === 0 ? [] : [`... and ${this.#leftOut} tasks more`];
    return [...this.#lines, ...rest].join("\n");
  }
}

function titleOf(future: Future<unknown>): string {
  if (!(future instanceof Task)) return future._purpose ?? future.toString();
  const frames = future.getStack().map((frame) => frame.name);
  return `Task '${future.getName()}' in ${frames.join(" > ")}`;
}

/** The futures that `future` cannot end without now. The calls of async functions, and what they await, are seen through. */
export function* waitedFor(future: Future<unknown>): Generator<Future<unknown>, void, undefined> {
  if (!(future instanceof Task)) {
    yield* future._parts;
    return;
  }
  const todo: Cancellable[] = future._waitingFor === null ? [] : [future._waitingFor];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next instanceof Call) todo.push(...[...next._branches].toReversed());
    else if (next instanceof Future && (next instanceof Task || !(next instanceof Driver))) yield next;
    else {
      const inner = (next as { readonly _waitingFor?: Cancellable | null })._waitingFor ?? null;
      if (inner !== null) todo.push(inner);
    }
  }
}
