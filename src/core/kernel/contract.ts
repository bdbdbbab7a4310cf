/**
 * The contract of the kernel: what a future, a task and a driver ask of their loop, of each other and of the code that
 * runs. Interfaces that name nothing above them, so that each file of the kernel can be read with this page alone.
 *
 * ```text
 *   KernelLoop     has a ready queue and timers        Runnable, Timer     its entries
 *   Execution      what running code belongs to        WaitScope           who owns the waits of an async function
 *   Cancellable    can be asked to stop                Waiter, Fork        pass the request on: see cancellation.ts
 * ```
 *
 * Tasks and contexts are typed as `object` here: who needs more of one imports its class, and says so with a cast.
 *
 * @module
 */

import type { Neglectable } from "./neglect.ts";

/** An entry of the ready queue: something the loop runs once. */
export interface Runnable {
  /** @internal The task that goes on when it runs. */
  readonly task?: object | null;
  /** @internal */
  run(): void;
  /** @internal The callback it stands for, if it is one. */
  readonly _callback?: unknown;
  /** @internal It comes from outside of the loop, whoever runs when it is made. */
  readonly _isFromOutside?: boolean;
  /** @internal How the callbacks of a future name it. */
  _describe?(): string;
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

/** What a report says: a message, an exception if there is one, and what it is about. */
export interface Report {
  readonly message: string;
  readonly exception?: unknown;
  readonly [key: string]: unknown;
}

/** The little that the kernel asks of an event loop. */
export interface KernelLoop {
  /** The loop's clock, in seconds: it never goes back, and only differences mean something. */
  time(): number;
  isRunning(): boolean;
  isClosed(): boolean;
  /** Whether the loop checks and explains more, at the price of speed. */
  getDebug(): boolean;
  /** Gives `report` to the exception handler. It throws nothing, whatever the handler does. */
  callExceptionHandler(report: Report): void;
  /** @internal Runs `entry` in the next turn. */
  _enqueue(entry: Runnable): void;
  /** @internal */
  _addTimer(timer: Timer): void;
  /** @internal */
  _timerCancelled(timer: Timer): void;
  /** @internal `waiter` keeps a request, since its code awaits a promise that cannot be interrupted. */
  _cannotInterrupt(waiter: Waiter): void;
  /** @internal A promise was settled or an async function started: promises must go on before the next callback. */
  _promisesDue(): void;
  /** @internal How many async functions run in tasks of this loop changes by `by`. */
  _countAsyncFunctions(by: number): void;
  /** @internal `error` left a step that no turn was around: the loop ends with it. */
  _leave(error: unknown): void;
  /** @internal Sees to it that forgetting `item` is reported. */
  _watch(item: Neglectable): void;
  /** @internal `task` begins; with `stepNow`, its first step is taken before this returns. */
  _taskBegins(task: Runnable, stepNow: boolean): void;
  /** @internal `task` has ended. */
  _taskEnds(task: Runnable): void;
  /** @internal Takes the waits whose task has ended. */
  readonly _orphans: WaitScope;
}

/** What running code belongs to. Handles, tasks and the calls of async functions are executions. */
export interface Execution {
  readonly loop: KernelLoop | null;
  readonly task: object | null;
  readonly context: object;
  /** The execution whose context this one shares; left out where it has one of its own. */
  readonly origin?: Execution;
  /** Where an `await` in an async function registers what it waits for, so that it can be cancelled. */
  readonly scope: WaitScope | null;
  /** What steps the coroutine that the code belongs to, if it belongs to one. */
  readonly driver: CountingWaiter | null;
}

/** The owner of the waits of an async function. */
export interface WaitScope {
  readonly loop: KernelLoop;
  readonly task: object | null;
  /** What steps the coroutine that the waits belong to; `null` for those that belong to none any more. */
  readonly driver: CountingWaiter | null;
  /** @internal Takes `wait` in, here or in the nearest enclosing scope that has not ended. */
  addWait(wait: Wait): WaitScope;
  /** @internal */
  removeWait(wait: Wait): void;
}

/** A wait of an async function, as its scope holds it. */
export interface Wait extends Cancellable {
  /** @internal The loop is closed and nothing will ever answer: ends the wait now. */
  abandon(): void;
}

/** Something that can be asked to stop. */
export interface Cancellable {
  /** Asks for a `CancelledError` at the place that waits; `false` when it is too late. */
  cancel(message?: string): boolean;
  /** @internal What a request goes to from here; `null` if `cancel` is the answer. See `cancellation.ts`. */
  readonly _onward: Waiter | Fork | null;
}

/** Something that a waiter waits for. */
export interface Awaited extends Cancellable {
  done(): boolean;
  /** @internal */
  _removeWaiter(waiter: Runnable): void;
  /** @internal Its one waiter was broken off: that it ends cancelled is nothing to report. */
  _neverMind(): void;
  /** @internal Whether, being done, it raises a `CancelledError` by itself. */
  _raisesCancelled(): boolean;
  /** @internal Whether a request to cancel is delivered where this is waited for. */
  readonly _interruptible: boolean;
  /** @internal Of the call of an async function: the wait that it has under way, if it has exactly one. */
  readonly _onlyWait?: Cancellable | null;
  /** @internal Of a call that keeps requests away from what runs in it, on purpose. */
  readonly _isShielded?: boolean;
  /** @internal Of what a group waits for: its tasks. A request ends the wait, and does not go on to them. */
  readonly _tasks?: Tasks;
}

/** A group that has not ended, as the task knows it that has opened it. */
export interface OpenGroup {
  /** Its tasks. */
  readonly _members: Iterable<object>;
  /** The one that was opened before. */
  _before: OpenGroup | null;
}

/** The tasks that a group waits for. */
export interface Tasks extends Iterable<Cancellable> {
  has(task: object): boolean;
  /** How often a circle of waits was looked for among them, and not found, since one was; see `cancellation.ts`. */
  searches: number;
}

/** A group of tasks, as far as a request to cancel must know it. */
export interface Group {
  /** The task that will not end before the tasks of the group do; `null` outside of a task. */
  readonly owner: object | null;
  readonly tasks: Tasks;
}

/** Waits for one thing, and holds at most one request to cancel that was not delivered. */
export interface Waiter extends Runnable, Cancellable {
  readonly loop: KernelLoop;
  readonly task: object | null;
  /** @internal What it waits for now; `null` while it runs or is about to. */
  readonly _waitingFor: Awaited | null;
  /** @internal What was asked of it; `null` until it is first asked. */
  _asked: Asked | null;
  /** @internal It stops waiting before what it waits for is done, and goes on in the next turn. */
  _breakOff(): void;
  /** @internal A request reaches it. */
  _askedBy(message: string | undefined): void;
  /** @internal It will not wait again. */
  readonly _hasEnded: boolean;
  /** @internal What else waits on its behalf, and is asked before what it waits for. */
  readonly _strays: Iterable<Cancellable> | null;
}

/** A waiter in which requests are counted: a task, or the driver of an `await` inside of one. */
export interface CountingWaiter extends Waiter {
  /** @internal The one inside of which this one runs; `null` for a task. */
  readonly _outer: CountingWaiter | null;
}

/** Stands for several at once, and passes a request on to each: a gather, a call of an async function. */
export interface Fork {
  /** @internal */
  readonly _branches: Iterable<Cancellable>;
  /** @internal A request went to each branch; `taken` if one of them took it. */
  _wasAsked?(taken: boolean): void;
}

/** A request to cancel that stands: each wait inside of it is cancelled anew, until it is left. */
export interface Level {
  /** @internal The request, while there is one. */
  readonly _request: Request | null;
  /** @internal A task begins inside of it, beside the code that waits for it in the end. */
  _join(task: Waiter): void;
}

/** A request to cancel. */
export interface Request {
  readonly message: string | undefined;
}

/** What was asked of one waiter. Only `cancellation.ts` reads and writes it. */
export interface Asked {
  /**
   * - `nothing`: there is no request, or it was delivered or taken back.
   * - `passed on`: it went to what the waiter waits for, and comes back from there as that one's `CancelledError`.
   * - `kept`: it could not be passed on; the next step, or the next wait, delivers it.
   * - `new`: of a task inside of a level, until its first step: no request of the level keeps it from beginning.
   */
  state: "nothing" | "passed on" | "kept" | "new";
  /** Of the request that is kept. */
  message: string | undefined;
  /** The entry of the loop in which a request was last passed on. */
  passedOnIn: number;
  /** How many requests count here: those of `cancel()` in a task, those of deadlines and groups in a driver. */
  count: number;
  /** In a task: the drivers inside of it in which requests count. */
  countingInside: Set<CountingWaiter> | null;
  /** An `await` has stopped waiting for its future, which is in a circle with it. */
  hasBrokenOff: boolean;
  /** The request that has this waiter on its way now. */
  onTheWayOf: object | null;
  /** In a task: the signals that it gave out. */
  signals: Signals | null;
  /** The innermost level that the waiter is inside of. */
  level: Level | null;
}

/** The `AbortSignal`s that a task gave out, for itself and for the deadlines and groups in it. */
export interface Signals {
  /** A request was made in `waiter`, in the part of it that runs inside of `frame`: aborts those that it concerns. */
  abort(waiter: CountingWaiter, frame: object | null, message: string | undefined): void;
}
