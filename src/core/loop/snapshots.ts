/** What the tasks of a loop are doing, as data that can be sent elsewhere. @module */

import type { AbstractEventLoop } from "../kernel/events.ts";
import { waitedFor } from "../kernel/task-tree.ts";
import { Task } from "../kernel/tasks.ts";
import { awaitersIn, idOf, stackOf } from "./call-graph.ts";

/** A coroutine under way. */
export interface FrameSnapshot {
  /** The name of its function. */
  readonly name: string;
  readonly location: string | null;
}

export interface TaskSnapshot {
  readonly id: number;
  readonly name: string;
  /** Innermost first. */
  readonly stack: readonly FrameSnapshot[];
  /** What it waits for that is no task, in words, if that says what it is: `Lock.acquire() of ...`. */
  readonly waitsFor: string | null;
  /** The ids of the tasks that wait for it. */
  readonly awaitedBy: readonly number[];
}

export interface LoopSnapshot {
  /** The id of the loop's thread; that of the main one is the process's. */
  readonly thread: number;
  readonly tasks: readonly TaskSnapshot[];
}

/** What is under way in `loop`. */
export function snapshotOf(loop: AbstractEventLoop, thread: number): LoopSnapshot {
  const tasks = [...loop._tasks];
  const awaiters = awaitersIn(tasks);
  return {
    thread,
    tasks: tasks.map((task) => ({
      id: idOf(task),
      name: task.getName(),
      stack: stackOf(task).map(({ name, location }) => ({ name: name.replace(/\(\)$/, ""), location })),
      waitsFor: [...waitedFor(task)].find((future) => !(future instanceof Task))?._purpose ?? null,
      awaitedBy: [...(awaiters.get(task) ?? [])].map((awaiter) => idOf(awaiter)),
    })),
  };
}
