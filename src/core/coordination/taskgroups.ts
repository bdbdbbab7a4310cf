/** Task groups: tasks that end before the code that started them goes on. @module */

import { callBody } from "../kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator, CoroutineLike } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import type { Driver } from "../kernel/driver.ts";
import { currentDriver } from "../kernel/driver.ts";
import { CancelledError, exceptionGroup, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { inspectAsString } from "../base/format.ts";
import type { Future } from "../kernel/futures.ts";
import type { CreateTaskOptions, Task } from "../kernel/tasks.ts";
import { closeWork } from "../kernel/tasks.ts";

/** The body of a {@link taskGroup}; it starts the group's tasks. */
export type TaskGroupBody<T> = (group: TaskGroup) => ReturnType<Body<T>>;

/**
 * Runs `body`, which may start tasks in the group, and waits for all of them.
 *
 * - If a task fails, the others and the body are cancelled, and an `ExceptionGroup` of all errors is raised when they
 *   have ended.
 * - If the body fails, so are the tasks; its error is in the group too.
 * - If the group is cancelled from outside, so are the tasks, and it waits for them.
 * - A task that is cancelled alone does not disturb the others.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const tasks = await asyncio.taskGroup(async (group) => {
 *     const a = group.createTask(() => asyncio.sleep(0.001, "a"));
 *     const b = group.createTask(() => asyncio.sleep(0.002, "b"));
 *     return [a, b];
 *   });
 *   assert.deepEqual(tasks.map((task) => task.result()), ["a", "b"]);
 * });
 * ```
 *
 * CPython: `asyncio.TaskGroup`, with the `cancel` of 3.15.
 */
export function taskGroup<T>(body: TaskGroupBody<T>): Coroutine<T> {
  return new GeneratorCoroutine(grouped(body), "taskGroup");
}

function* grouped<T>(body: TaskGroupBody<T>): CoroutineGenerator<T> {
  const group = new TaskGroup(currentDriver("TaskGroup cannot determine the parent task"));
  let result: T | undefined;
  let failure: { readonly error: unknown } | null = null;
  try {
    result = yield* callBody(body, group);
  } catch (error) {
    failure = { error };
  }
  yield* group._exit(failure);
  return result as T;
}

/** The group of a {@link taskGroup}, as its body receives it. */
export class TaskGroup {
  readonly #parent: Driver<unknown>;
  readonly #cancellingBefore: number;
  readonly #tasks: Set<Task<unknown>> = new Set();
  readonly #errors: unknown[] = [];
  /** A `KeyboardInterrupt` or `SystemExit`, which is raised as it is and goes before everything else. */
  #baseError: { readonly error: unknown } | null = null;
  #isExiting: boolean = false;
  #isDone: boolean = false;
  /** The tasks have been cancelled; new ones are refused. */
  #isAborting: boolean = false;
  /** The group has cancelled its own body, and takes that back at the end. */
  #hasCancelledParent: boolean = false;
  /** A request from outside came while the cancelled tasks were waited for. CPython 3.15 loses it. */
  #wasCancelledMeanwhile: boolean = false;
  #allDone: Future<void> | null = null;

  /** @internal */
  constructor(parent: Driver<unknown>) {
    this.#parent = parent;
    this.#cancellingBefore = parent.cancelling();
  }

  /**
   * Starts `work` as a task of the group; see the function `createTask`.
   *
   * @throws {RuntimeError} if the group is shutting down or has ended.
   */
  createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
    if (this.#isDone || (this.#isExiting && this.#tasks.size === 0)) {
      closeWork(work);
      throw new RuntimeError(`${this.toString()} is finished`);
    }
    if (this.#isAborting) {
      closeWork(work);
      throw new RuntimeError(`${this.toString()} is shutting down`);
    }
    const task = this.#parent.loop.createTask(work, options);
    this.#tasks.add(task);
    task._onDone((done) => this.#taskDone(done as Task<unknown>));
    // An eager task may have cancelled the group before it was a member.
    if (this.#isAborting && !task.done()) task.cancel();
    return task;
  }

  /** Cancels the body and all tasks; the group then ends without an error. CPython 3.15. */
  cancel(): void {
    if (this.#isDone || (this.#isExiting && this.#tasks.size === 0)) return;
    if (this.#isAborting) return;
    this.#abort();
    this.#cancelParent();
  }

  /** @internal Waits for the tasks; raises what there is to raise. */
  *_exit(failure: { readonly error: unknown } | null): CoroutineGenerator<void> {
    this.#isExiting = true;
    if (failure !== null && leavesTheLoop(failure.error)) this.#baseError ??= failure;
    let cancelled = failure?.error instanceof CancelledError ? failure.error : null;
    if (failure !== null && !this.#isAborting) this.#abort();
    while (this.#tasks.size > 0) {
      this.#allDone ??= this.#parent.loop.createFuture();
      try {
        yield* this.#allDone;
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        if (this.#isAborting) {
          this.#wasCancelledMeanwhile = true;
        } else {
          cancelled = error;
          this.#abort();
        }
      }
      this.#allDone = null;
    }
    this.#isDone = true;
    this.#raise(failure, cancelled);
  }

  #raise(failure: { readonly error: unknown } | null, cancelled: CancelledError | null): void {
    if (this.#baseError !== null) throw this.#baseError.error;
    const isOurs = this.#hasCancelledParent && this.#parent.uncancel() === 0;
    if (cancelled !== null && !isOurs && this.#errors.length === 0) throw cancelled;
    if (failure !== null && !(failure.error instanceof CancelledError)) this.#errors.push(failure.error);
    if (this.#errors.length === 0) {
      const isAskedToStop = this.#parent.cancelling() > this.#cancellingBefore;
      if (this.#wasCancelledMeanwhile && isAskedToStop) this.#parent.inheritCancel(undefined);
      return;
    }
    if (this.#parent.cancelling() > 0) {
      // Somebody else's request is not lost in the group of errors: the next wait raises it.
      this.#parent.inheritCancel(undefined);
    }
    throw exceptionGroup("unhandled errors in a TaskGroup", this.#errors);
  }

  #taskDone(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#allDone !== null && !this.#allDone.done()) this.#allDone.setResult();
    if (task.cancelled() || !task._failed) return;
    const error = task.exception();
    this.#errors.push(error);
    if (leavesTheLoop(error)) this.#baseError ??= { error };
    if (this.#isDone) {
      const message = `Task ${task.toString()} has errored out but its parent ${this.toString()} is already completed`;
      this.#parent.loop.callExceptionHandler({ message, exception: error, task });
    } else if (!this.#isAborting && !this.#hasCancelledParent) {
      this.#abort();
      this.#cancelParent();
    }
  }

  #abort(): void {
    this.#isAborting = true;
    for (const task of this.#tasks) if (!task.done()) task.cancel();
  }

  #cancelParent(): void {
    if (this.#hasCancelledParent) return;
    this.#hasCancelledParent = true;
    this.#parent.requestCancel(undefined);
  }

  toString(): string {
    const parts = ["TaskGroup"];
    if (this.#tasks.size > 0) parts.push(`tasks=${this.#tasks.size}`);
    if (this.#errors.length > 0) parts.push(`errors=${this.#errors.length}`);
    if (this.#isAborting) parts.push("cancelling");
    else if (!this.#isDone) parts.push("entered");
    return `<${parts.join(" ")}>`;
  }
}
inspectAsString(TaskGroup);
