/** Who takes the steps of a schedule, under names that stay the same from one schedule to the next. @module */

import type { Runnable } from "../../core/kernel/contract.ts";
import { Task } from "../../core/kernel/tasks.ts";
import type { Actor } from "./choices.ts";

/** A task that was given no name of its own. */
const DEFAULT_NAME = /^Task-\d+$/;

export class Actors {
  readonly #ofTasks: Map<object, Actor> = new Map();
  readonly #ofCallbacks: Map<string, Actor> = new Map();
  /** How many actors each one made, and how many there are of each label. */
  readonly #madeBy: Map<Actor | null, number> = new Map();
  readonly #labels: Map<string, number> = new Map();

  /** The tasks that took or may take a step, in the order in which they came up. */
  get tasks(): Iterable<Task<unknown>> {
    return [...this.#ofTasks.keys()].filter((task) => task instanceof Task);
  }

  /** Who takes the step of `entry`, which became ready in a step of `cause`. */
  of(entry: Runnable, cause: Actor | null): Actor {
    const { task } = entry;
    if (task === null || task === undefined) return this.#ofCallback(entry, cause);
    const known = this.#ofTasks.get(task);
    if (known !== undefined) return known;
    const index = this.#madeBy.get(cause) ?? 0;
    this.#madeBy.set(cause, index + 1);
    const made = { signature: `${cause?.signature ?? ""}/${index}`, label: this.#labelOf(task) };
    this.#ofTasks.set(task, made);
    return made;
  }

  #ofCallback(entry: Runnable, cause: Actor | null): Actor {
    const label =
      "_when" in entry ? `a timer of ${cause?.label ?? "nobody"}` : (entry._describe?.() ?? nameOfCallback(entry));
    const signature = `${cause?.signature ?? ""}>${label}`;
    const known = this.#ofCallbacks.get(signature);
    if (known !== undefined) return known;
    const made = { signature, label };
    this.#ofCallbacks.set(signature, made);
    return made;
  }

  #labelOf(task: object): string {
    if (!(task instanceof Task)) return "a task";
    const name = task.getName();
    const label = name === "" || DEFAULT_NAME.test(name) ? (task.getStack()[0]?.name ?? "a task") : name;
    const count = (this.#labels.get(label) ?? 0) + 1;
    this.#labels.set(label, count);
    return count === 1 ? label : `${label} ${count}`;
  }
}

function nameOfCallback({ _callback: callback }: Runnable): string {
  return typeof callback === "function" && callback.name !== "" ? `${callback.name}()` : "a callback";
}
