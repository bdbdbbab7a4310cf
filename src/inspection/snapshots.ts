/** What the tasks of a loop are doing, as data that can be sent elsewhere. @module */

import { waitedFor } from "../core/kernel/task-tree.ts";
import { Task } from "../core/kernel/tasks.ts";
import type { BaseEventLoop } from "../core/loop/base-events.ts";
import { awaitersIn, idOf, stackOf } from "../core/loop/call-graph.ts";
import type { LoopRecord, TaskRecord } from "./recorder.ts";
import { recorderOf } from "./recorder.ts";

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
  /** Requests to cancel that it has not taken back. */
  readonly cancelling: number;
  /** What it has done; `null` while nobody watches the loop. */
  readonly record: TaskDoings | null;
}

/** Times are in seconds, since the record began. */
interface TaskDoings extends Pick<TaskRecord, "selfWakes" | "busy" | "waiting" | "longestStep"> {
  /** How often it went on. */
  readonly steps: number;
  readonly age: number;
  /** For how long it has not gone on. */
  readonly idle: number;
  /** Whether it was made since then. */
  readonly isWhole: boolean;
}

export interface LoopSnapshot {
  /** The id of the loop's thread; that of the main one is the process's. */
  readonly thread: number;
  readonly tasks: readonly TaskSnapshot[];
  /** What it has done; `null` while nobody watches. */
  readonly record: LoopRecord | null;
}

/** What is under way in `loop`. */
export function snapshotOf(loop: BaseEventLoop, thread: number): LoopSnapshot {
  const tasks = [...loop._tasks];
  const recorder = recorderOf(loop);
  const awaiters = awaitersIn(tasks);
  return {
    thread,
    record: recorder.totals(),
    tasks: tasks.map((task) => ({
      id: idOf(task),
      name: task.getName(),
      stack: stackOf(task).map(({ name, location }) => ({ name: name.replace(/\(\)$/, ""), location })),
      waitsFor: [...waitedFor(task)].find((future) => !(future instanceof Task))?._purpose ?? null,
      awaitedBy: [...(awaiters.get(task) ?? [])].map((awaiter) => idOf(awaiter)),
      cancelling: task.cancelling(),
      record: doingsOf(recorder, task),
    })),
  };
}

function doingsOf(recorder: ReturnType<typeof recorderOf>, task: Task<unknown>): TaskDoings | null {
  const record = recorder.recordOf(task);
  if (record === null) return null;
  const now = performance.now();
  const idle = (now - record.changed) / 1000;
  const { selfWakes, busy, longestStep, isWhole } = record;
  const steps = recorder.stepsOf(task);
  return {
    steps,
    selfWakes,
    busy,
    longestStep,
    isWhole,
    idle,
    waiting: record.waiting + idle,
    age: (now - record.since) / 1000,
  };
}
