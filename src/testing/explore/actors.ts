/** Who takes the steps of a schedule, under names that stay the same from one schedule to the next. @module */

import type { Runnable } from "../../core/kernel/contract.ts";
import { Task } from "../../core/kernel/tasks.ts";
import type { Actor } from "./choices.ts";

/** A task that was given no name of its own. */
const DEFAULT_NAME = /^Task-\d+$/;

export class Actors {
  readonly #place: string;
  readonly #ofTasks: Map<object, Actor> = new Map();
  readonly #ofCallbacks: Map<string, Actor> = new Map();
  /** The task that a callback goes back to, through however many others. */
  readonly #roots: WeakMap<Actor, Actor> = new WeakMap();
  /** How many actors each one made, and how many there are of each label. */
  readonly #madeBy: Map<Actor | null, number> = new Map();
  readonly #labels: Map<string, number> = new Map();

  /** @param place where they are, if the program has several places. */
  constructor(place: string = "") {
    this.#place = place === "" ? "" : `${place}: `;
  }

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
    const signature = `${cause?.signature ?? this.#place}/${index}`;
    const made = { signature, label: `${this.#place}${this.#labelOf(task)}` };
    this.#ofTasks.set(task, made);
    return made;
  }

  #ofCallback(entry: Runnable, cause: Actor | null): Actor {
    const root = cause === null ? null : (this.#roots.get(cause) ?? cause);
    const label = `${this.#place}${labelOfCallback(entry, root)}`;
    const signature = `${root?.signature ?? ""}>${label}`;
    const known = this.#ofCallbacks.get(signature);
    if (known !== undefined) return known;
    const made = { signature, label };
    this.#ofCallbacks.set(signature, made);
    if (root !== null) this.#roots.set(made, root);
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

function labelOfCallback(entry: Runnable, cause: Actor | null): string {
  if ("_when" in entry && (entry._describe === undefined || cause !== null)) return `a timer of ${cause?.label}`;
  return entry._describe?.() ?? nameOfCallback(entry);
}

function nameOfCallback({ _callback: callback }: Runnable): string {
  return typeof callback === "function" && callback.name !== "" ? `${callback.name}()` : "a callback";
}
