/** The contract of an event loop as programs see it. @module */

import type { Duration } from "../base/duration.ts";
import type { LinkedList } from "../base/linked-list.ts";
import type { Resource } from "../base/resource.ts";
import type { KernelLoop, Report } from "./contract.ts";
import type { Context } from "./contextvars.ts";
import type { Coroutine, CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
import type { Future } from "./futures.ts";
import type { Callback, Handle, TimerHandle } from "./handles.ts";
import { currentExecution, requireLoop } from "./running.ts";
import type { CreateTaskOptions, Task } from "./tasks.ts";

/** What happened, as the exception handler of a loop receives it. */
export interface ExceptionContext extends Report {
  /** The future that failed; when it has been garbage-collected, its description alone. */
  readonly future?: Future<unknown> | string;
  readonly task?: Task<unknown>;
  readonly handle?: Handle;
  /** Where the object was made, innermost call first; in debug mode only. */
  readonly sourceTraceback?: readonly string[];
  /** Where the running callback was scheduled; in debug mode only. */
  readonly handleTraceback?: readonly string[];
  readonly [key: string]: unknown;
}

/** Receives what no other code could: see {@link AbstractEventLoop.setExceptionHandler}. */
export type ExceptionHandler = (loop: AbstractEventLoop, context: ExceptionContext) => void;

/** Options of the methods that schedule a callback. */
export interface CallOptions {
  /** The context the callback runs in, itself and not a copy. Without it, a copy of the current one is taken. */
  readonly context?: Context;
}

/** What makes the tasks of a loop; see `setTaskFactory`. */
export type TaskFactory = <T>(
  loop: AbstractEventLoop,
  coroutine: Coroutine<T> | CoroutineGenerator<T>,
  options: CreateTaskOptions,
) => Task<T>;

/** How many of what a loop holds; see {@link AbstractEventLoop.statistics}. */
export interface LoopStatistics {
  /** Turns begun since the loop was made. */
  readonly turns: number;
  /** Callbacks and steps that are ready to run. */
  readonly ready: number;
  /** Timers set, the cancelled ones that were not swept yet included. */
  readonly timers: number;
  readonly cancelledTimers: number;
  /** Tasks that have not ended. */
  readonly tasks: number;
}

/** An event loop: it owns the time, the order of callbacks and the tasks. CPython: `asyncio.AbstractEventLoop`. */
export interface AbstractEventLoop extends KernelLoop {
  /**
   * Calls `callback(...args)` in the next turn of the loop, after what was scheduled before it.
   *
   * @throws {RuntimeError} if the loop is closed.
   */
  callSoon<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  callSoon<A extends unknown[]>(options: CallOptions, callback: Callback<A>, ...args: A): Handle;

  /** {@link callSoon} for code outside of the loop, as of a native callback. In JavaScript there is no other thread. */
  callSoonThreadsafe<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  callSoonThreadsafe<A extends unknown[]>(options: CallOptions, callback: Callback<A>, ...args: A): Handle;

  /**
   * Calls `callback(...args)` after `delay` seconds. Timers due at the same instant fire in the order of their making.
   *
   * @throws {RuntimeError} if the loop is closed.
   */
  callLater<A extends unknown[]>(delay: Duration, callback: Callback<A>, ...args: A): TimerHandle;
  callLater<A extends unknown[]>(delay: Duration, options: CallOptions, callback: Callback<A>, ...args: A): TimerHandle;

  /** {@link callLater} with a point in time on the loop's clock (see {@link time}), in seconds. */
  callAt<A extends unknown[]>(when: number, callback: Callback<A>, ...args: A): TimerHandle;
  callAt<A extends unknown[]>(when: number, options: CallOptions, callback: Callback<A>, ...args: A): TimerHandle;

  /** A new pending future of this loop. */
  createFuture<T = void>(): Future<T>;
  /** Starts `work` as a task; see the function of the same name. */
  createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T>;
  /** Replaces what makes tasks; `null` puts the standard `Task` back. */
  setTaskFactory(factory: TaskFactory | null): void;
  getTaskFactory(): TaskFactory | null;

  /** Runs until `stop` is called; the promise is fulfilled when the loop has stopped. */
  runForever(): Promise<void>;
  /** Runs until `main` is done; its result, or what it threw. */
  runUntilComplete<T>(main: CoroutineLike<T> | Future<T>): Promise<T>;
  /** Ends `runForever` after the present turn, or, called before it, after one turn. */
  stop(): void;
  /**
   * Gives up what is scheduled, and reports what was forgotten: pending tasks, exceptions that were never retrieved
   * and coroutines that were never awaited. Closing twice does nothing.
   *
   * @throws {RuntimeError} if the loop is running.
   */
  close(): void;

  setDebug(enabled: boolean): void;
  /**
   * How many awaits in a row may be answered at once, before one gives way for a turn though it need not wait: so that
   * `while (true) await queue.put(item)` cannot keep timers, I/O and other tasks waiting. 10,000 by default;
   * `Infinity` is CPython's behaviour.
   */
  awaitBudget: number;
  /** In debug mode, a callback or step that runs longer than this many seconds is reported. */
  slowCallbackDuration: number;

  /**
   * Sends what no other code could receive to `handler` (an exception in a callback, one never retrieved) instead
   * of the log. `null` puts the default back.
   */
  setExceptionHandler(handler: ExceptionHandler | null): void;
  getExceptionHandler(): ExceptionHandler | null;
  /** Writes `context` to the log, in CPython's form. */
  defaultExceptionHandler(context: ExceptionContext): void;
  /** Gives `context` to the exception handler. It throws nothing, whatever the handler does. */
  callExceptionHandler(context: ExceptionContext): void;

  /** How many tasks, timers and ready callbacks the loop holds now. */
  statistics(): LoopStatistics;

  /** @internal The tasks that have not ended, in the order of their making. */
  readonly _tasks: LinkedList<Task<unknown>>;
  /** @internal `resource` is open: the loop gives it up when it is closed before. */
  _adopt(resource: Resource): void;
  /** @internal `resource` is closed. */
  _release(resource: Resource): void;
}

/**
 * The loop that runs the present code.
 *
 * @throws {RuntimeError} if there is none.
 *
 * CPython: `asyncio.get_running_loop`.
 */
export function getRunningLoop(): AbstractEventLoop {
  return requireLoop() as AbstractEventLoop;
}

/** @internal Whether the present code runs in a loop, as far as the platform can tell. */
export function isInsideRunningLoop(): boolean {
  return currentExecution()?.loop?.isRunning() === true;
}
