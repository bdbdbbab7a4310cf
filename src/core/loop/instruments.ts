/** Hooks for tools that watch a loop: they cost nothing when no tool listens. @module */

import type { Task } from "../kernel/tasks.ts";

/** What a tool may hear of a loop. Each method is called at the moment itself and must not throw. */
export interface Instrument {
  /** A turn begins; `ready` entries will run in it. */
  turnStarted?(ready: number): void;
  taskCreated?(task: Task<unknown>): void;
  /** A task goes on, for as long as it does not wait. */
  stepStarted?(task: Task<unknown>): void;
  /** The task waits, or has ended. */
  stepEnded?(task: Task<unknown>): void;
  taskDone?(task: Task<unknown>): void;
}
