/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The event loop: a scheduler for the order, a host for the time, and the tasks.
 *
 * **One turn.** The host calls `turn`. The scheduler moves the timers that are due behind what is ready and counts the
 * lot: that is the turn, and what becomes ready meanwhile waits for the next. Each entry runs: a callback, a step of a
 * task. If the entry settled a promise, the promises are let go on before the next entry, so that an async function
 * continues exactly where a generator would. When the turn is over another may follow at once, within a budget of time;
 * then the loop tells the host when it wants to be called again, and returns to it.
 *
 * @module
 */

import {
  AWAIT_BUDGET,
  ENTRIES_PER_LOOK_AT_CLOCK,
  PUMP_BUDGET_SECONDS,
  SILENCE_SECONDS,
  SLOW_CALLBACK_SECONDS,
  TURNS_PER_LOOK_AT_CLOCK,
} from "../base/constants.ts";
import type { Context } from "../kernel/contextvars.ts";
import type { Coroutine, CoroutineLike } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type {
  AbstractEventLoop,
  CallOptions,
  ExceptionContext,
  ExceptionHandler,
  LoopStatistics,
  TaskFactory,
} from "../kernel/events.ts";
import { isInsideRunningLoop } from "../kernel/events.ts";
import type { Runnable, Timer, Waiter } from "../kernel/contract.ts";
import type { Callback } from "../kernel/handles.ts";
import { Handle, TimerHandle } from "../kernel/handles.ts";
import { beginEntry, loopStarted, loopStopped, swapLoopInTurn } from "../kernel/running.ts";
import { DeadlockError, leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { inspectAsString, repr } from "../base/format.ts";
import { Future, isFuture } from "../kernel/futures.ts";
import type { Host, HostClient } from "./host.ts";
import type { Instrument } from "./instruments.ts";
import { Instruments } from "./instruments.ts";
import { describeSilence, tellWhatIsLeft } from "./silence.ts";
import { LinkedList } from "../base/linked-list.ts";
import { getLogger } from "../base/log.ts";
import type { Resource } from "../base/resource.ts";
import type { Neglectable } from "../kernel/neglect.ts";
import { NeglectWatch } from "../kernel/neglect.ts";
import { getPlatform } from "./platform.ts";
import { ensureFuture } from "../kernel/promises.ts";
import { formatReport, Reports } from "./reports.ts";
import type { Scheduler } from "./scheduler.ts";
import { TurnScheduler } from "./scheduler.ts";
import { drawTasks } from "../kernel/task-tree.ts";
import { makeTask } from "../kernel/create-task.ts";
import { Orphans } from "../kernel/orphans.ts";
import type { CreateTaskOptions, Task } from "../kernel/tasks.ts";
import { UndeliveredRequest } from "./undelivered.ts";

/** Options of {@link BaseEventLoop}. */
export interface EventLoopOptions {
  /** What decides which of the ready entries is next; see {@link Scheduler}. */
  readonly scheduler?: Scheduler;
}

/**
 * What a running loop does.
 *
 * ```text
 *   asleep      the host knows the next deadline; what becomes ready must wake the loop   ─► called
 *   called      the host was asked for a turn                                             ─► turning
 *   turning     entries run                                                               ─► draining, broken off, called, asleep
 *   draining    promises go on: code of the user's, which may throw                       ─► turning, broken off
 *   broken off  the turn is not over: the host lets promises go on, and calls again       ─► turning
 * ```
 */
type Phase = "asleep" | "called" | "turning" | "draining" | "broken off";

/** The promise of a `runForever`. */
interface Running {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * An event loop on a {@link Host}. Most programs need only `run`; those that need a loop of their own get one from
 * `newEventLoop`.
 *
 * CPython: `asyncio.BaseEventLoop`.
 */
export class BaseEventLoop implements AbstractEventLoop {
  readonly #host: Host;
  readonly #client: HostClient = {
    turn: this.#turn.bind(this),
    exhausted: (note) => this.#exhausted(note),
    mayBeAborted: () => this.#mayBeAborted(),
  };
  readonly #scheduler: Scheduler;
  readonly #reports: Reports = new Reports(this);
  readonly #watch: NeglectWatch = new NeglectWatch((neglect, item) => this.#reports.reportNeglect(neglect, item));
  /** @internal The waits of async functions whose task has ended. */
  readonly _orphans: Orphans = new Orphans(this);
  /** @internal What of the system's is open. */
  readonly _resources: Set<Resource> = new Set();
  /** @internal */
  readonly _tasks: LinkedList<Task<unknown>> = new LinkedList();
  readonly #instruments: Instruments = new Instruments((exception) =>
    this.callExceptionHandler({ message: "An instrument has thrown, and hears no more", exception }),
  );
  slowCallbackDuration: number = SLOW_CALLBACK_SECONDS;
  #awaitBudget: number = AWAIT_BUDGET;

  /** How `runForever` ends; `null` while the loop is not running. */
  #run: Running | null = null;
  /** `stop` was called: the run ends with its present turn, or its first. */
  #isStopping: boolean = false;
  #isClosed: boolean = false;
  #phase: Phase = "asleep";
  #debug: boolean;
  /** Each entry is run with a look at the clock or at the instruments. */
  #isObserved: boolean;
  #turns: number = 0;
  /** The entry that runs; what becomes ready meanwhile is its doing. */
  #entry: Runnable | null = null;
  /** A promise was settled: promises go on before the next entry runs. */
  #promisesAreDue: boolean = false;
  /** Promises went on after the last entry. */
  #hasDrained: boolean = false;
  /** The platform's way to let promises go on, once it has shown that it works. */
  #letPromisesGoOn: (() => void) | null = null;
  #asyncFunctions: number = 0;
  /** Ends what the platform listens to while the loop runs. */
  #stopListening: (() => void) | null = null;
  /** Something may come at any time that the host does not know of, such as a signal. */
  #isExpecting: boolean = false;
  /** Debug mode: ends the watch for a silence. */
  #endSilence: (() => void) | null = null;
  /** Debug mode: what kept the process from ending before this loop first ran. */
  #keptBefore: readonly string[] | null = null;
  #taskFactory: TaskFactory | null = null;
  /** @internal Called once, as soon as nothing is ready. They must not throw. */
  readonly _idlers: (() => void)[] = [];

  /**
   * @param host the platform's by default.
   * @param options `scheduler`: what decides which entry is next; first come, first served by default.
   */
  constructor(host: Host = getPlatform().createHost(), options: EventLoopOptions = {}) {
    this.#host = host;
    this.#scheduler = options.scheduler ?? new TurnScheduler();
    this.#debug = host.debug === true;
    this.#isObserved = this.#debug;
  }

  // --- time and callbacks

  time(): number {
    return this.#host.now();
  }

  callSoon<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  callSoon<A extends unknown[]>(options: CallOptions, callback: Callback<A>, ...args: A): Handle;
  callSoon(first: CallOptions | Callback<never[]>, ...rest: unknown[]): Handle {
    this.#checkOpen();
    const call = this.#readCall("callSoon", first, rest);
    const handle = new Handle(this, call.callback, call.args, call.context);
    this._enqueue(handle);
    return handle;
  }

  callSoonThreadsafe<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  callSoonThreadsafe<A extends unknown[]>(options: CallOptions, callback: Callback<A>, ...args: A): Handle;
  callSoonThreadsafe(...args: unknown[]): Handle {
    return this.callSoon(...(args as [Callback<unknown[]>]));
  }

  callLater<A extends unknown[]>(delay: Duration, callback: Callback<A>, ...args: A): TimerHandle;
  callLater<A extends unknown[]>(delay: Duration, options: CallOptions, callback: Callback<A>, ...args: A): TimerHandle;
  callLater(delay: Duration, first: CallOptions | Callback<never[]>, ...rest: unknown[]): TimerHandle {
    const seconds = toSeconds(delay, "delay");
    return this.#schedule("callLater", this.time() + seconds, first, rest);
  }

  callAt<A extends unknown[]>(when: number, callback: Callback<A>, ...args: A): TimerHandle;
  callAt<A extends unknown[]>(when: number, options: CallOptions, callback: Callback<A>, ...args: A): TimerHandle;
  callAt(when: number, first: CallOptions | Callback<never[]>, ...rest: unknown[]): TimerHandle {
    if (typeof when !== "number") throw new TypeError(`Invalid when: expected seconds, received ${repr(when)}`);
    return this.#schedule("callAt", toSeconds(when, "when"), first, rest);
  }

  // --- futures and tasks

  createFuture<T = void>(): Future<T> {
    return new Future<T>({ loop: this });
  }

  createTask<T>(work: CoroutineLike<T>, options?: CreateTaskOptions): Task<T> {
    this.#checkOpen();
    return makeTask(this, work, options);
  }

  setTaskFactory(factory: TaskFactory | null): void {
    if (factory !== null && typeof factory !== "function") {
      throw new TypeError(`task factory must be a callable or null: received ${repr(factory)}`);
    }
    this.#taskFactory = factory;
  }

  getTaskFactory(): TaskFactory | null {
    return this.#taskFactory;
  }

  /** @internal Ends the loop's own executor, if it has one: the last thing that `run` does. */
  _endExecutor(): Coroutine<void> | null {
    return null;
  }

  // --- running

  runForever(): Promise<void> {
    try {
      this.#checkOpen();
      this.#checkNotRunning();
    } catch (error) {
      return Promise.reject(error);
    }
    return this._runForever();
  }

  /** @internal Runs, be it inside of another loop: for a loop whose host is driven by that other one. */
  _runForever(): Promise<void> {
    return new Promise((resolve, reject) => {
      // A host that cannot do its part throws here, and the loop has not begun to run.
      this.#host.connect(this.#client);
      this.#run = { resolve, reject };
      if (this.#debug) this.#keptBefore ??= this.#host.activeResources?.() ?? [];
      loopStarted(this);
      this.#stopListening = getPlatform().listenForRejections?.() ?? null;
      if (this.#isStopping) this.#wake();
      else this.#sleep();
    });
  }

  async runUntilComplete<T>(main: CoroutineLike<T> | Future<T>): Promise<T> {
    this.#checkOpen();
    this.#checkNotRunning();
    const future = isFuture(main) ? ensureFuture(main, { loop: this }) : this.createTask(main);
    if (future !== main) (future as Task<T>)._logDestroyPending = false;
    let isOver = false;
    const stopWhenDone = (): void => {
      if (isOver) return;
      if (!future._failed || !leavesTheLoop(future.exception())) this.stop();
    };
    future.addDoneCallback(stopWhenDone);
    try {
      await this.runForever();
    } catch (error) {
      if (leavesTheLoop(error)) future.logTraceback = false;
      throw error;
    } finally {
      isOver = true;
      future.removeDoneCallback(stopWhenDone);
    }
    if (!future.done()) throw new RuntimeError("Event loop stopped before Future completed.");
    return future.result();
  }

  stop(): void {
    this.#isStopping = true;
    if (this.#run !== null) this.#wake();
  }

  isRunning(): boolean {
    return this.#run !== null;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#run !== null) throw new RuntimeError("Cannot close a running event loop: stop() it first");
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#scheduler.clear();
    const pending = [...this._tasks];
    for (const task of pending) {
      this._tasks.delete(task);
      if (!task._logDestroyPending) continue;
      const made = task._sourceTraceback === null ? {} : { sourceTraceback: task._sourceTraceback };
      this.callExceptionHandler({ message: "Task was destroyed but it is pending!", task, ...made });
    }
    this.#watch.sweep();
    this._orphans.abandon();
    this.#abandonResources();
    if (this.#keptBefore !== null) tellWhatIsLeft(this.#host, this.#keptBefore);
  }

  /** What is still open would keep the process from ending. */
  #abandonResources(): void {
    for (const resource of this._resources) {
      if (!resource.isClosing()) getLogger().warning(`unclosed ${String(resource)}: close it before the loop ends`);
      try {
        resource._abandon();
      } catch (exception) {
        this.callExceptionHandler({ message: `could not give up ${String(resource)}`, exception });
      }
    }
    this._resources.clear();
  }

  /** A loop that is running cannot be disposed of: `using` is for loops that `runUntilComplete` is called on. */
  [Symbol.dispose](): void {
    this.close();
  }

  // --- what the host calls

  #turn(): void {
    const outer = swapLoopInTurn(this);
    try {
      const end = this.#host.now() + PUMP_BUDGET_SECONDS;
      let entries = 0;
      let turns = 0;
      do {
        entries += this.#scheduler.ready;
        turns++;
        if (!this.#runTurn()) return;
        if (this.#isStopping) {
          this.#finish();
          return;
        }
        if (entries < ENTRIES_PER_LOOK_AT_CLOCK && turns < TURNS_PER_LOOK_AT_CLOCK) continue;
        if (this.#host.now() >= end) break;
        entries = 0;
        turns = 0;
      } while (this.#isDue());
      this.#sleep();
    } catch (error) {
      this.#threw(error);
    } finally {
      swapLoopInTurn(outer);
    }
  }

  /** An error left the turn. If the user's own microtask threw it, it is the platform's to report, and the loop goes on. */
  #threw(error: unknown): void {
    if (this.#phase !== "draining") {
      this._leave(error);
      return;
    }
    this.#phase = "broken off";
    if (this.#run !== null) this.#host.requestTurn(0);
    throw error;
  }

  #exhausted(note: string = ""): void {
    if (this.#run === null) return;
    const count = this._tasks.size;
    const what =
      count === 0 ? "nothing is scheduled" : count === 1 ? "a task still waits" : `${count} tasks still wait`;
    const text = `deadlock: ${what}, and nothing is left that could wake the loop\n${drawTasks(this._tasks)}`;
    this._leave(new DeadlockError(text.trimEnd() + note));
  }

  #mayBeAborted(): boolean {
    for (const task of this._tasks) if (task._mayBeAborted) return true;
    return false;
  }

  /** Runs the entries of a turn; `false` if the loop left it, to let promises go on or for good. */
  #runTurn(): boolean {
    const scheduler = this.#scheduler;
    if (this.#phase !== "broken off") {
      this.#turns++;
      const size = scheduler.beginTurn(scheduler.timers === 0 ? 0 : this.#endOfNow());
      for (const tell of this.#instruments.calls.turnStarted) tell(size);
    }
    this.#phase = "turning";
    for (let entry = scheduler.nextOfTurn(); entry !== undefined; entry = scheduler.nextOfTurn()) {
      if (this.#isObserved) this.#runObserved(entry);
      else {
        beginEntry(this.#awaitBudget);
        this.#entry = entry;
        entry.run();
        this.#hasDrained = false;
        // No call of `#drain` once the platform's way is known: V8 keeps ten frames of a stack, and each that lies below
        // the user's code takes the place of one of its callers.
        if (this.#promisesAreDue && this.#letPromisesGoOn !== null) {
          this.#phase = "draining";
          this.#letPromisesGoOn();
          this.#drained();
        } else if (this.#promisesAreDue) this.#drain();
      }
      if (!this.#promisesAreDue && this.#run !== null) continue;
      this.#promisesAreDue = false;
      if (this.#run !== null) {
        this.#phase = "broken off";
        this.#host.requestTurn(0);
      }
      return false;
    }
    this.#entry = null;
    this.#watch.review();
    // A foreign promise may be what an async function waits for, and busy tasks must not keep it waiting.
    if (this.#asyncFunctions > 0 && !this.#hasDrained) this.#drain();
    return this.#run !== null;
  }

  /** Lets promises go on, if the platform can do so before the loop has returned to it. */
  #drain(): void {
    this.#phase = "draining";
    if (this.#host.drainMicrotasks?.() === true) {
      this.#letPromisesGoOn = this.#host.provenDrain?.() ?? null;
      this.#drained();
    } else if (this.#phase === "draining") this.#phase = "turning";
  }

  #drained(): void {
    // The loop may have been left meanwhile.
    if (this.#phase === "draining") this.#phase = "turning";
    this.#hasDrained = true;
    this.#promisesAreDue = false;
  }

  #isDue(): boolean {
    if (this.#scheduler.ready > 0) return true;
    const deadline = this.#scheduler.nextDeadline();
    return deadline !== Infinity && deadline < this.#endOfNow();
  }

  /** Timers before this are due. Late on the clock its resolution is lost in the rounding, and a step of it counts. */
  #endOfNow(): number {
    const now = this.time();
    return now + Math.max(this.#host.clockResolution, 2 * Number.EPSILON * now);
  }

  /** Tells the host when the next turn is wanted. */
  #sleep(): void {
    if (this._idlers.length > 0 && this.#scheduler.ready === 0) for (const call of this._idlers.splice(0)) call();
    this.#phase = this.#scheduler.ready > 0 ? "called" : "asleep";
    if (this.#phase === "called") {
      this.#host.requestTurn(0);
      return;
    }
    const deadline = this.#scheduler.nextDeadline();
    if (this.#debug && deadline === Infinity) this.#watchSilence();
    if (deadline === Infinity) this.#host.requestTurn(Infinity, this.#isExpecting || this.#scheduler.timers > 0);
    else this.#host.requestTurn(Math.max(deadline - this.time(), 0));
  }

  /** Debug mode: tells who waits when nothing happens for a while. */
  #watchSilence(): void {
    this.#endSilence?.();
    this.#endSilence =
      this.#host.afterSilence?.(SILENCE_SECONDS, () => {
        if (this._tasks.size === 0 || this.#phase !== "asleep") return;
        this.callExceptionHandler({ message: describeSilence(this.#host, this._tasks) });
      }) ?? null;
  }

  #wake(): void {
    if (this.#phase !== "asleep" || this.#run === null) return;
    this.#phase = "called";
    this.#host.requestTurn(0);
  }

  #finish(): void {
    const run = this.#disconnect();
    run?.resolve();
  }

  /** @internal */
  _leave(error: unknown): void {
    const run = this.#disconnect();
    run?.reject(error);
  }

  #disconnect(): Running | null {
    const run = this.#run;
    this.#run = null;
    this.#isStopping = false;
    this.#phase = "asleep";
    this.#entry = null;
    this.#scheduler.breakTurn();
    loopStopped(this);
    this.#host.disconnect();
    this.#endSilence?.();
    this.#stopListening?.();
    this.#stopListening = null;
    return run;
  }

  // --- debug mode and reports

  getDebug(): boolean {
    return this.#debug;
  }

  setDebug(enabled: boolean): void {
    this.#debug = enabled;
    this.#observe();
  }

  get awaitBudget(): number {
    return this.#awaitBudget;
  }

  set awaitBudget(count: number) {
    if (typeof count !== "number" || !(count >= 1)) {
      throw new RangeError(`awaitBudget must be a number of one or more: received ${repr(count)}`);
    }
    this.#awaitBudget = count;
  }

  setExceptionHandler(handler: ExceptionHandler | null): void {
    this.#reports.handler = handler;
  }

  getExceptionHandler(): ExceptionHandler | null {
    return this.#reports.handler;
  }

  defaultExceptionHandler(context: ExceptionContext): void {
    getLogger().error(formatReport(context));
  }

  callExceptionHandler(context: ExceptionContext): void {
    this.#reports.report(context);
  }

  statistics(): LoopStatistics {
    return {
      turns: this.#turns,
      ready: this.#scheduler.ready,
      timers: this.#scheduler.timers,
      cancelledTimers: this.#scheduler.cancelledTimers,
      tasks: this._tasks.size,
    };
  }

  /** Tells `instrument` what the loop does from now on. One that throws is reported, and hears no more. */
  addInstrument(instrument: Instrument): void {
    this.#instruments.add(instrument);
    this.#observe();
  }

  /** Tells `instrument` nothing more. */
  removeInstrument(instrument: Instrument): void {
    this.#instruments.remove(instrument);
    this.#observe();
  }

  #observe(): void {
    this.#isObserved = this.#debug || this.#instruments.hearSteps;
  }

  toString(): string {
    return `<EventLoop running=${this.isRunning()} closed=${this.#isClosed} debug=${this.#debug}>`;
  }

  /** Runs `entry` under the eyes of instruments, and in debug mode reports it if it kept everything else waiting. */
  #runObserved(entry: Runnable): void {
    const task = (entry.task ?? null) as Task<unknown> | null;
    const { calls } = this.#instruments;
    const start = this.#debug ? this.#host.now() : 0;
    if (task !== null) for (const tell of calls.stepStarted) tell(task);
    try {
      beginEntry(this.#awaitBudget);
      this.#entry = entry;
      entry.run();
      this.#hasDrained = false;
      if (this.#promisesAreDue) this.#drain();
    } finally {
      if (task !== null) for (const tell of calls.stepEnded) tell(task);
    }
    if (!this.#debug) return;
    const seconds = this.#host.now() - start;
    if (seconds < this.slowCallbackDuration) return;
    getLogger().warning(`Executing ${String(entry)} took ${seconds.toFixed(3)} seconds`);
  }

  #tellReady(task: Task<unknown>): void {
    for (const tell of this.#instruments.calls.taskReady)
      tell(task, (this.#entry?.task ?? null) as Task<unknown> | null);
  }

  // --- what futures, tasks and handles call

  /** @internal */
  _enqueue(entry: Runnable): void {
    this.#scheduler.enqueue(entry, this.#entry);
    if (this.#isObserved && entry.task) this.#tellReady(entry.task as Task<unknown>);
    if (this.#phase === "asleep") this.#wake();
  }

  /** @internal */
  _addTimer(timer: Timer): void {
    this.#scheduler.schedule(timer);
    // A loop that sleeps has told its host an older deadline.
    if (this.#phase === "asleep" && this.#run !== null) this.#sleep();
  }

  /** @internal */
  _timerCancelled(timer: Timer): void {
    this.#scheduler.timerCancelled(timer);
  }

  /** @internal */
  _cannotInterrupt(waiter: Waiter): void {
    if (this.#debug) this._addTimer(new UndeliveredRequest(waiter));
  }

  /** @internal */
  _promisesDue(): void {
    this.#promisesAreDue = true;
  }

  /** @internal */
  _adopt(resource: Resource): void {
    this.#checkOpen();
    this._resources.add(resource);
  }

  /** @internal */
  _release(resource: Resource): void {
    this._resources.delete(resource);
  }

  /** @internal Whether the loop waits for something of which its host does not know. */
  protected _setExpecting(isExpecting: boolean): void {
    this.#isExpecting = isExpecting;
    if (this.#phase === "asleep" && this.#run !== null) this.#sleep();
  }

  /** @internal Whether a handler of the user's own gets `signal`. */
  _handlesSignal(_signal: string): boolean {
    return false;
  }

  /** @internal */
  _countAsyncFunctions(by: number): void {
    this.#asyncFunctions += by;
  }

  /** @internal */
  _watch(item: Neglectable): void {
    if (this.#debug) item._rememberMaking?.();
    this.#watch.add(item);
  }

  /** @internal */
  _taskBegins(task: Runnable, stepNow: boolean): void {
    const made = task as Task<unknown>;
    for (const tell of this.#instruments.calls.taskCreated) tell(made);
    this._tasks.add(made);
    if (!stepNow) {
      this._enqueue(task);
      return;
    }
    for (const tell of this.#instruments.calls.stepStarted) tell(made);
    task.run();
    for (const tell of this.#instruments.calls.stepEnded) tell(made);
  }

  /** @internal */
  _taskEnds(task: Runnable): void {
    this._tasks.delete(task as Task<unknown>);
    for (const tell of this.#instruments.calls.taskDone) tell(task as Task<unknown>);
  }

  /** @internal The timers that are set, in no order. */
  get _timers(): Iterable<Timer> {
    return this.#scheduler.waiting();
  }

  /** @internal */
  get _host(): Host {
    return this.#host;
  }

  #schedule(caller: string, when: number, first: CallOptions | Callback<never[]>, rest: unknown[]): TimerHandle {
    this.#checkOpen();
    const call = this.#readCall(caller, first, rest);
    const timer = new TimerHandle(this, when, call.callback, call.args, call.context);
    this._addTimer(timer);
    return timer;
  }

  /** The callback and its arguments, after the options that may come first. */
  #readCall(
    caller: string,
    first: CallOptions | Callback<never[]>,
    rest: unknown[],
  ): { callback: Callback<never[]>; args: unknown[]; context: Context | null } {
    const hasOptions = typeof first !== "function";
    const callback = hasOptions ? rest[0] : first;
    if (typeof callback !== "function") {
      throw new TypeError(`a callable object was expected by ${caller}(), received ${repr(callback)}`);
    }
    if (this.#debug && /(Async|Generator)Function\]$/.test(Object.prototype.toString.call(callback))) {
      throw new TypeError(`coroutines cannot be used with ${caller}(): use createTask(${callback.name})`);
    }
    const args = hasOptions ? rest.slice(1) : rest;
    return { callback: callback as Callback<never[]>, args, context: hasOptions ? (first.context ?? null) : null };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new RuntimeError("Event loop is closed");
  }

  #checkNotRunning(): void {
    if (this.#run !== null) throw new RuntimeError("This event loop is already running");
    if (isInsideRunningLoop()) {
      throw new RuntimeError("Cannot run the event loop while another loop is running: await the work instead");
    }
  }
}
inspectAsString("BaseEventLoop", BaseEventLoop);

/** A new loop on the platform's host, or on `host`. CPython: `asyncio.new_event_loop`. */
export function newEventLoop(host?: Host): BaseEventLoop {
  const make = getPlatform().createLoop;
  return make === undefined ? new BaseEventLoop(host) : (make(host) as BaseEventLoop);
}
