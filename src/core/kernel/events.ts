/** The contract of an event loop, the handles it gives out, and which loop is running. @module */

import type { Context } from "./contextvars.ts";
import { copyContext } from "./contextvars.ts";
import { DEBUG_STACK_DEPTH } from "../base/constants.ts";
import type { CoroutineLike } from "./coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { functionName, inspectAsString, repr } from "../base/format.ts";
import type { Future } from "./futures.ts";
import type { Instrument } from "../loop/instruments.ts";
import type { LinkedList } from "../base/linked-list.ts";
import type { Neglectable } from "./neglect.ts";
import type { Ambient, Execution, WaitScope } from "./running.ts";
import { currentExecution, getAsyncContext, swapRunning } from "./running.ts";
import type { CreateTaskOptions, Task, TaskFactory } from "./tasks.ts";
import { captureStack, locationOf } from "../base/stack.ts";

/** An entry of the ready queue: something the loop runs once. */
export interface Runnable {
  /** @internal The task that goes on when it runs. */
  readonly task?: Task<unknown> | null;
  /** @internal */
  run(): void;
  /** @internal The callback it stands for, if it is one. */
  readonly _callback?: unknown;
  /** @internal How the callbacks of a future name it. */
  _describe?(): string;
}

/** Something of the system's that a loop has open: a connection, a server, a child process. */
export interface Resource {
  isClosing(): boolean;
  /** @internal The loop is closed: gives it up at once, without a word to anybody. */
  _abandon(): void;
}

/** An entry of the timers: it runs at its time, unless it is cancelled. */
export interface Timer extends Runnable {
  /** @internal When it is due, on the loop's clock, in seconds. */
  readonly _when: number;
  /** @internal Which of two timers due at the same instant was made first. */
  readonly _serial: number;
  /** @internal Whether it stands in the heap of timers: from its making until it is due or swept. */
  _scheduled: boolean;
  cancelled(): boolean;
}

/** What happened, as the exception handler of a loop receives it. */
export interface ExceptionContext {
  readonly message: string;
  readonly exception?: unknown;
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

/** Receives what nobody else could: see {@link AbstractEventLoop.setExceptionHandler}. */
export type ExceptionHandler = (loop: AbstractEventLoop, context: ExceptionContext) => void;

/** Options of the methods that schedule a callback. */
export interface CallOptions {
  /** The context the callback runs in, itself and not a copy. Without it, a copy of the current one is taken. */
  readonly context?: Context;
}

/** A callback and its arguments. */
export type Callback<A extends unknown[]> = (...args: A) => unknown;

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
export interface AbstractEventLoop {
  /** The loop's clock, in seconds: it never goes back, and only differences mean something. */
  time(): number;

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
  isRunning(): boolean;
  isClosed(): boolean;
  /**
   * Gives up what is scheduled, and reports what was forgotten: pending tasks, exceptions that nobody retrieved and
   * coroutines that nobody awaited. Closing twice does nothing.
   *
   * @throws {RuntimeError} if the loop is running.
   */
  close(): void;

  /** Whether the loop checks and explains more, at the price of speed. */
  getDebug(): boolean;
  setDebug(enabled: boolean): void;
  /** In debug mode, a callback or step that runs longer than this many seconds is reported. */
  slowCallbackDuration: number;

  /**
   * Sends what nobody else could receive to `handler` (an exception in a callback, one that nobody retrieved) instead
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
  /** @internal */
  readonly _instrument: Instrument | null;
  /** @internal Runs `entry` in the next turn. */
  _enqueue(entry: Runnable): void;
  /** @internal */
  _addTimer(timer: Timer): void;
  /** @internal */
  _timerCancelled(timer: Timer): void;
  /** @internal A promise was settled or an async function started: promises must go on before the next callback. */
  _promisesDue(): void;
  /** @internal How many async functions run in tasks of this loop changes by `by`. */
  _countAsyncFunctions(by: number): void;
  /** @internal `error` left a step that no turn was around: the loop ends with it. */
  _leave(error: unknown): void;
  /** @internal Sees to it that forgetting `item` is reported. */
  _watch(item: Neglectable): void;
  /** @internal Takes the waits whose task has ended. */
  readonly _orphans: WaitScope;
  /** @internal `resource` is open: the loop gives it up when it is closed before. */
  _adopt(resource: Resource): void;
  /** @internal `resource` is closed. */
  _release(resource: Resource): void;
}

/**
 * A callback that was scheduled; `cancel` takes it back.
 *
 * CPython: `asyncio.Handle`.
 */
export class Handle implements Runnable, Execution {
  readonly loop: AbstractEventLoop;
  readonly context: Context;
  /** @internal */
  _callback: Callback<never[]> | null;
  /** @internal */
  _args: readonly unknown[];
  readonly #ambient: Ambient | null;
  #cancelled: boolean = false;
  #reprWhenCancelled: string = "";
  /** @internal */
  readonly _sourceTraceback: readonly string[] | null;

  /** @internal */
  constructor(loop: AbstractEventLoop, callback: Callback<never[]>, args: readonly unknown[], context: Context | null) {
    this.loop = loop;
    this._callback = callback;
    this._args = args;
    this.context = context ?? copyContext();
    this.#ambient = getAsyncContext()?.capture(this) ?? null;
    this._sourceTraceback = loop.getDebug() ? captureStack(DEBUG_STACK_DEPTH) : null;
  }

  /** No task runs in a callback. */
  get task(): null {
    return null;
  }

  get scope(): null {
    return null;
  }

  get driver(): null {
    return null;
  }

  /** Takes the callback back; it has no effect on one that has run. */
  cancel(): void {
    if (this.#cancelled) return;
    if (this.loop.getDebug()) this.#reprWhenCancelled = this.#describeCall();
    this.#cancelled = true;
    this._callback = null;
    this._args = [];
  }

  cancelled(): boolean {
    return this.#cancelled;
  }

  getContext(): Context {
    return this.context;
  }

  /** @internal */
  run(): void {
    if (this.#cancelled) return;
    if (this.#ambient === null) this.#call();
    else this.#ambient.runInAsyncScope(Handle.#callThis, this);
  }

  static #callThis(this: Handle): void {
    this.#call();
  }

  #call(): void {
    const previous = swapRunning(this);
    try {
      this._callback!(...(this._args as never[]));
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.loop.callExceptionHandler({
        message: `Exception in callback ${this.#describeCall()}`,
        exception: error,
        handle: this,
        ...(this._sourceTraceback === null ? {} : { sourceTraceback: this._sourceTraceback }),
      });
    } finally {
      swapRunning(previous);
    }
  }

  /** @internal */
  _describe(): string {
    return this._callback === null ? "" : `${functionName(this._callback)}()`;
  }

  /** The callback as reports name it, with its arguments in debug mode. */
  #describeCall(): string {
    if (this._callback === null) return this.#reprWhenCancelled;
    const args = this.loop.getDebug() ? this._args.map((arg) => repr(arg)).join(", ") : "";
    return `${functionName(this._callback)}(${args})`;
  }

  /** @internal */
  _reprParts(): string[] {
    const parts = [];
    if (this.#cancelled) parts.push("cancelled");
    const callback = this.#describeCall();
    if (callback !== "") parts.push(callback);
    const made = this._sourceTraceback?.[0];
    if (made !== undefined) parts.push(`created at ${locationOf(made)}`);
    return parts;
  }

  toString(): string {
    return `<${["Handle", ...this._reprParts()].join(" ")}>`;
  }
}
inspectAsString(Handle);

let timersMade = 0;

/** @internal The number of the next timer. */
export function nextTimerSerial(): number {
  return timersMade++;
}

/** A callback that was scheduled for a time. CPython: `asyncio.TimerHandle`. */
export class TimerHandle extends Handle implements Timer {
  /** @internal */
  readonly _when: number;
  /** @internal */
  readonly _serial: number = nextTimerSerial();
  /** @internal */
  _scheduled: boolean = false;

  /** @internal */
  constructor(
    loop: AbstractEventLoop,
    when: number,
    callback: Callback<never[]>,
    args: readonly unknown[],
    context: Context | null,
  ) {
    super(loop, callback, args, context);
    this._when = when;
  }

  /** When it is due, on the loop's clock, in seconds. */
  when(): number {
    return this._when;
  }

  override cancel(): void {
    if (!this.cancelled()) this.loop._timerCancelled(this);
    super.cancel();
  }

  override toString(): string {
    const parts = this._reprParts();
    parts.splice(this.cancelled() ? 1 : 0, 0, `when=${Number(this._when.toFixed(6))}`);
    return `<${["TimerHandle", ...parts].join(" ")}>`;
  }
}

const runningLoops = new Set<AbstractEventLoop>();

/** @internal */
export function loopStarted(loop: AbstractEventLoop): void {
  runningLoops.add(loop);
}

/** @internal */
export function loopStopped(loop: AbstractEventLoop): void {
  runningLoops.delete(loop);
}

/**
 * The loop that runs the present code.
 *
 * @throws {RuntimeError} if there is none.
 *
 * CPython: `asyncio.get_running_loop`.
 */
export function getRunningLoop(): AbstractEventLoop {
  const loop = findRunningLoop();
  if (loop === null) throw new RuntimeError("no running event loop: call this from inside asyncio.run(...)");
  return loop;
}

/** @internal Whether the present code runs in a loop, as far as the platform can tell. */
export function isInsideRunningLoop(): boolean {
  return currentExecution()?.loop?.isRunning() === true;
}

/**
 * @internal The loop of the present code, or `null`. Where the platform cannot tell (a browser, after an `await`), the
 * one loop that runs, if it is one.
 */
export function findRunningLoop(): AbstractEventLoop | null {
  const loop = currentExecution()?.loop ?? null;
  if (loop !== null) return loop.isRunning() ? loop : null;
  if (getAsyncContext() !== null || runningLoops.size !== 1) return null;
  const [only] = runningLoops;
  return only ?? null;
}
