/** Debug mode: a process that goes on although nothing happens says who waits, and what keeps it. @module */

import { SILENCE_SECONDS } from "../base/constants.ts";
import { getLogger } from "../base/log.ts";
import { drawTasks } from "../kernel/task-tree.ts";
import type { Task } from "../kernel/tasks.ts";
import type { Host } from "./host.ts";

/** Who waits, and what keeps the process. */
export function describeSilence(host: Host, tasks: Iterable<Task<unknown>>): string {
  const kept = new Set(host.activeResources?.());
  const by = kept.size === 0 ? "" : `\nkept alive by ${[...kept].join(", ")}`;
  return `Nothing has happened for ${SILENCE_SECONDS} seconds\n${drawTasks(tasks).trimEnd()}${by}`;
}

/** The loop is closed. What keeps the process for a while after it, and did not so `before` it, was left open. */
export function tellWhatIsLeft(host: Host, before: readonly string[]): void {
  host.afterSilence?.(SILENCE_SECONDS, () => {
    const left = without(host.activeResources?.() ?? [], before);
    if (left.size === 0) return;
    getLogger().warning(
      `The loop was closed ${SILENCE_SECONDS} seconds ago, and the process goes on: kept alive by ` +
        `${[...left].join(", ")}; close what main has opened before it returns`,
    );
  });
}

/** The names in `all` that are more often there than in `known`. */
function without(all: readonly string[], known: readonly string[]): Set<string> {
  const rest = [...known];
  const added = new Set<string>();
  for (const name of all) {
    const at = rest.indexOf(name);
    if (at === -1) added.add(name);
    else rest.splice(at, 1);
  }
  return added;
}
