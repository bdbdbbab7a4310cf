/** Hooks for tools that watch a loop: they cost nothing when no tool listens. @module */

import type { Task } from "../kernel/tasks.ts";

/** What a tool may hear of a loop. Each method is called at the moment itself. */
export interface Instrument {
  /** A turn begins; `ready` entries will run in it. */
  turnStarted?(ready: number): void;
  taskCreated?(task: Task<unknown>): void;
  /** The task will go on; `by` is the task whose step has woken it, `null` for a timer, a callback, the outside. */
  taskReady?(task: Task<unknown>, by: Task<unknown> | null): void;
  /** A task goes on, for as long as it does not wait. */
  stepStarted?(task: Task<unknown>): void;
  /** The task waits, or has ended. */
  stepEnded?(task: Task<unknown>): void;
  taskDone?(task: Task<unknown>): void;
}

type Hook = keyof Instrument;
type Call<H extends Hook> = (...args: Parameters<Required<Instrument>[H]>) => void;

/** The instruments of a loop, by hook, so that a hook which nobody listens to costs nothing. */
export class Instruments {
  readonly calls: { [H in Hook]: readonly Call<H>[] } = {
    turnStarted: [],
    taskCreated: [],
    taskReady: [],
    stepStarted: [],
    stepEnded: [],
    taskDone: [],
  };
  readonly #removals: Map<Instrument, () => void> = new Map();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Whether somebody listens to each step. */
  get hearSteps(): boolean {
    const { taskReady, stepStarted, stepEnded } = this.calls;
    return taskReady.length + stepStarted.length + stepEnded.length > 0;
  }

  add(instrument: Instrument): void {
    this.remove(instrument);
    const hooks = (Object.keys(this.calls) as Hook[]).filter((hook) => instrument[hook] !== undefined);
    const removals = hooks.map((hook) => this.#listen(instrument, hook));
    this.#removals.set(instrument, () => removals.forEach((remove) => remove()));
  }

  remove(instrument: Instrument): void {
    this.#removals.get(instrument)?.();
    this.#removals.delete(instrument);
  }

  #listen(instrument: Instrument, hook: Hook): () => void {
    const call: Call<Hook> = (...args) => {
      try {
        (instrument[hook] as Call<Hook>)(...args);
      } catch (error) {
        this.remove(instrument);
        this.#onError(error);
      }
    };
    // A fresh list each time: instruments come and go while the loop tells them.
    const all = this.calls as Record<Hook, readonly Call<Hook>[]>;
    all[hook] = [...all[hook], call];
    return () => void (all[hook] = all[hook].filter((other) => other !== call));
  }
}
