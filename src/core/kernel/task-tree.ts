/** Who waits for whom, as text: what a deadlock and an interrupted program show. @module */

import { waitsOf } from "./async-functions.ts";
import { Driver } from "./driver.ts";
import type { Future } from "./futures.ts";
import { Task } from "./tasks.ts";
import { FutureWait } from "./awaits.ts";

/**
 * Each task on a line, what it waits for indented below:
 *
 * ```text
 * Task 'main' in main()
 *   waits for Task 'worker' in worker() > acquire()
 *     waits for <Future pending cb=[Task.wakeup()]>
 * ```
 */
export function drawTasks(tasks: Iterable<Task<unknown>>): string {
  const all = [...tasks];
  const awaited = new Set(all.flatMap((task) => waitedFor(task)));
  const roots = all.filter((task) => !awaited.has(task));
  const drawn = new Set<Future<unknown>>();
  const lines = [...roots, ...all].flatMap((task) => (drawn.has(task) ? [] : draw(task, "", drawn)));
  return lines.join("\n");
}

function draw(future: Future<unknown>, indent: string, drawn: Set<Future<unknown>>): string[] {
  if (drawn.has(future)) return [`${indent}${title(future)} (see above)`];
  drawn.add(future);
  const waits = waitedFor(future).flatMap((inner) => {
    const [first = "", ...rest] = draw(inner, `${indent}  `, drawn);
    return [`${indent}  waits for ${first.trimStart()}`, ...rest];
  });
  return [`${indent}${title(future)}`, ...waits];
}

function title(future: Future<unknown>): string {
  if (!(future instanceof Task)) return future.toString();
  const frames = future.getStack().map((frame) => frame.name);
  return `Task '${future.getName()}' in ${frames.join(" > ")}`;
}

/** The futures that `future` cannot end without. */
function waitedFor(future: Future<unknown>): Future<unknown>[] {
  return future instanceof Task ? waitedForBy(future._driver) : [...future._parts];
}

/** The scopes of async functions, and the coroutines awaited in them, are seen through. */
function waitedForBy(driver: Driver<unknown>): Future<unknown>[] {
  const waiting = driver.waitingFor;
  if (waiting === null) return [];
  const waits = waitsOf(waiting);
  if (waits === null) return [waiting];
  return [...waits].flatMap((wait) => {
    if (wait instanceof FutureWait) return [wait.future];
    return wait instanceof Driver ? waitedForBy(wait) : [];
  });
}
