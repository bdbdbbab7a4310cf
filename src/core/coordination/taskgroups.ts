/** Task groups: tasks that end before the code that started them goes on. @module */

import { exceptionGroup } from "../base/exception-groups.ts";
import { CancelledError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { cancellationOf } from "../base/foreign-aborts.ts";
import { inspectAsString } from "../base/format.ts";
import { callBody, checkBody } from "../kernel/async-functions.ts";
import {
  keep,
  levelOf,
  requestCancel,
  requestOfLevel,
  requestsSeenFrom,
  takeBack,
  wasTold,
} from "../kernel/cancellation.ts";
import type { KernelLoop, OpenGroup, Tasks } from "../kernel/contract.ts";
import type { Body, Coroutine, CoroutineGenerator, CoroutineLike } from "../kernel/coroutines.ts";
import { ScopeCoroutine } from "../kernel/coroutines.ts";
import { closeWork } from "../kernel/create-task.ts";
import type { Driver } from "../kernel/driver.ts";
import { currentDriver } from "../kernel/driver.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { Future } from "../kernel/futures.ts";
import { pastLevels } from "../kernel/levels.ts";
import type { CreateTaskOptions, Task } from "../kernel/tasks.ts";
import { StandIn } from "./stand-in.ts";

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
  checkBody(body, "taskGroup(async (group) => ...)");
  return new ScopeCoroutine(grouped(body), "taskGroup");
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

/** The tasks of the groups that `task` has open: it cannot end before them, whether it waits for them yet or not. */
export function* membersOf(task: Task<unknown>): Generator<Task<unknown>, void, undefined> {
  for (let group = task._groups; group !== null; group = group._before)
    yield* group._members as Iterable<Task<unknown>>;
}

/**
 * A group's life.
 *
 * ```text
 *   open        the body runs                                    ─► waiting, stopping, aborting
 *   waiting     the body has ended; tasks are waited for         ─► aborting, finished
 *   stopping    the tasks are cancelled, and so is the body      ─► aborting
 *   aborting    the tasks are cancelled, and waited for          ─► aborted
 *   finished, aborted
 * ```
 *
 * New tasks are taken while it is open, and while it waits for one that has not ended.
 */
type State = "open" | "waiting" | "stopping" | "aborting" | "finished" | "aborted";

/** The group of a {@link taskGroup}, as its body receives it. */
export class TaskGroup {
  readonly #parent: Driver<unknown>;
  /** The coroutine of the group, where a generator waits for it. */
  readonly #frame: object | null;
  readonly #requestsBefore: number;
  readonly #tasks: Members = new Members();
  /** @internal */
  _before: OpenGroup | null;
  readonly #errors: unknown[] = [];
  #state: State = "open";
  /** A `KeyboardInterrupt` or `SystemExit`, which is raised as it is and goes before everything else. */
  #baseError: { readonly error: unknown } | null = null;
  /** The group has cancelled its own body, and takes that back at the end. */
  #hasCancelledParent: boolean = false;
  /** A request from outside came while the cancelled tasks were waited for. CPython 3.15 loses it. */
  #wasCancelledMeanwhile: boolean = false;
  #allDone: AllDone | null = null;
  #bodyWasCancelled: boolean = false;
  readonly #onTaskDone = (task: Future<unknown>): void => this.#taskDone(task as Task<unknown>);

  /** @internal */
  constructor(parent: Driver<unknown>) {
    this.#parent = parent;
    this.#frame = parent.frames.at(-1) ?? null;
    this.#requestsBefore = requestsSeenFrom(parent);
    const task = parent.task as Task<unknown>;
    this._before = task._groups;
    task._groups = this;
  }

  /** @internal */
  get _members(): Iterable<Task<unknown>> {
    return this.#tasks;
  }

  /**
   * Starts `work` as a task of the group; see the function `createTask`.
   *
   * @throws {RuntimeError} if the group is shutting down or has ended.
   */
  createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
    if (this.#isOver || this.#isAborting) {
      closeWork(work);
      throw new RuntimeError(`${this.toString()} is ${this.#isOver ? "finished" : "shutting down"}`);
    }
    const task = (this.#parent.loop as AbstractEventLoop).createTask(work, options);
    this.#tasks.add(task);
    task._onDone(this.#onTaskDone);
    levelOf(this.#parent)?._join(task);
    // An eager task may have cancelled the group before it was a member.
    if (this.#isAborting) this.#cancel(task);
    return task;
  }

  /** Cancels the body and all tasks; the group then ends without an error. CPython 3.15. */
  cancel(): void {
    if (this.#isOver || this.#isAborting) return;
    this.#abort();
    this.#cancelParent();
  }

  /** Nothing can be started or cancelled in it any more. */
  get #isOver(): boolean {
    if (this.#hasEnded) return true;
    return this.#tasks.size === 0 && (this.#state === "waiting" || this.#state === "aborting");
  }

  get #hasEnded(): boolean {
    return this.#state === "finished" || this.#state === "aborted";
  }

  get #isAborting(): boolean {
    return this.#state === "stopping" || this.#state === "aborting";
  }

  /** @internal Waits for the tasks; raises what there is to raise. */
  *_exit(failure: { readonly error: unknown } | null): CoroutineGenerator<void> {
    this.#state = this.#isAborting ? "aborting" : "waiting";
    if (failure !== null && leavesTheLoop(failure.error)) this.#baseError ??= failure;
    let cancelled = failure === null ? null : cancellationOf(failure.error, wasTold(this.#parent));
    this.#bodyWasCancelled = cancelled !== null;
    if (failure !== null && !this.#isAborting) this.#abort();
    while (this.#tasks.size > 0) {
      this.#allDone ??= new AllDone(this.#parent.loop, this.#tasks);
      try {
        yield* this.#isAborting ? pastLevels(this.#allDone) : this.#allDone;
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
    this.#state = this.#isAborting ? "aborted" : "finished";
    this.#close();
    this.#raise(failure, cancelled);
  }

  /** Takes it out of those that its task has open; nearly always it is the latest. */
  #close(): void {
    const task = this.#parent.task as Task<unknown>;
    if (task._groups === this) {
      task._groups = this._before;
      return;
    }
    let later = task._groups;
    while (later !== null && later._before !== this) later = later._before;
    if (later !== null) later._before = this._before;
  }

  #raise(failure: { readonly error: unknown } | null, cancelled: CancelledError | null): void {
    if (this.#baseError !== null) throw this.#baseError.error;
    if (this.#hasCancelledParent) takeBack(this.#parent);
    const isOurs = this.#hasCancelledParent && requestsSeenFrom(this.#parent, 1) === 0;
    if (cancelled !== null && !isOurs && this.#errors.length === 0) throw cancelled;
    if (failure !== null && !this.#bodyWasCancelled) this.#errors.push(failure.error);
    if (this.#errors.length === 0) {
      const isAskedToStop = requestsSeenFrom(this.#parent, this.#requestsBefore + 1) > this.#requestsBefore;
      if (this.#wasCancelledMeanwhile && isAskedToStop) keep(this.#parent, undefined);
      return;
    }
    // A request from outside is not lost in the group of errors: the next wait raises it.
    if (requestsSeenFrom(this.#parent, 1) > 0) keep(this.#parent, undefined);
    throw exceptionGroup("unhandled errors in a TaskGroup", this.#errors);
  }

  #taskDone(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#allDone !== null && !this.#allDone.done()) this.#allDone.setResult();
    if (task.cancelled() || !task._failed) return;
    const error = task.exception();
    this.#errors.push(error);
    if (leavesTheLoop(error)) this.#baseError ??= { error };
    if (this.#hasEnded) {
      const message = `Task ${task.toString()} has errored out but its parent ${this.toString()} is already completed`;
      this.#parent.loop.callExceptionHandler({ message, exception: error, task });
    } else if (!this.#isAborting && !this.#hasCancelledParent) {
      this.#abort();
      this.#cancelParent();
    }
  }

  #abort(): void {
    this.#state = this.#state === "open" ? "stopping" : "aborting";
    for (const task of this.#tasks) this.#cancel(task);
  }

  #cancel(task: Task<unknown>): void {
    // A level has asked it already.
    if (!task.done() && requestOfLevel(task) === null)
      task._cancelFrom({ owner: this.#parent.task, tasks: this.#tasks }, undefined);
  }

  #cancelParent(): void {
    if (this.#hasCancelledParent) return;
    this.#hasCancelledParent = true;
    requestCancel(this.#parent, undefined, this.#frame);
  }

  toString(): string {
    const parts = ["TaskGroup"];
    if (this.#tasks.size > 0) parts.push(`tasks=${this.#tasks.size}`);
    if (this.#errors.length > 0) parts.push(`errors=${this.#errors.length}`);
    if (this.#isAborting || this.#state === "aborted") parts.push("cancelling");
    else if (!this.#hasEnded) parts.push("entered");
    return `<${parts.join(" ")}>`;
  }
}
inspectAsString("TaskGroup", TaskGroup);

/** The tasks of a group. */
class Members extends Set<Task<unknown>> implements Tasks {
  searches: number = 0;
}

/** What a group waits for at its end. A request to cancel ends the wait, and not the tasks: the group cancels these. */
class AllDone extends StandIn<void> {
  readonly _tasks: Members;

  constructor(loop: KernelLoop, tasks: Members) {
    super(loop, tasks);
    this._tasks = tasks;
  }
}
