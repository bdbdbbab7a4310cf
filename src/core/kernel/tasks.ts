/** Task: a coroutine that runs on its own, with an owner, a name and a way to be cancelled. @module */

import type { AbortSignalLike, Signal } from "../base/abort.ts";
import { onAbort } from "../base/abort.ts";
import { leavesTheLoop, RuntimeError } from "../base/exceptions.ts";
import { cancellationOf } from "../base/foreign-aborts.ts";
import { formatError, functionName, keepName } from "../base/format.ts";
import type { Linked } from "../base/linked-list.ts";
import { rootOf } from "./async-functions.ts";
import { WaitSet } from "./awaits.ts";
import {
  ask,
  countRequest,
  requestsOf,
  requestsSeenFrom,
  takeBackFromOutside,
  takeBackOutermost,
  takeKept,
  wasTold,
} from "./cancellation.ts";
import type { Group, KernelLoop, OpenGroup, Wait, WaitScope } from "./contract.ts";
import type { Settings } from "./contextvars.ts";
import { checkedContext, Context, currentContext } from "./contextvars.ts";
import type { Body, CoroutineGenerator } from "./coroutines.ts";
import { Coroutine, GeneratorCoroutine } from "./coroutines.ts";
import { Call, Driver } from "./driver.ts";
import { claimed } from "./generators.ts";
import { currentExecution, getAsyncContext, requireLoop } from "./running.ts";
import { signalOf } from "./task-signals.ts";

/** Options of {@link createTask}. */
export interface CreateTaskOptions {
  /** The task's name in reports; `Task-1`, `Task-2` … by default. */
  readonly name?: string;
  /** The context the task runs in, itself and not a copy. Without it, a copy of the current one is taken. */
  readonly context?: Context;
  /** Take the first step at once, before `createTask` returns. */
  readonly eagerStart?: boolean;
  /** Cancels the task when it is aborted. */
  readonly signal?: AbortSignalLike;
}

/** One line of {@link Task.getStack}: a coroutine under way. */
export interface StackFrame {
  readonly name: string;
}

let tasksMade = 0;
const NO_OPTIONS: CreateTaskOptions = {};

/**
 * A coroutine that runs on its own, beside the code that started it. Made by {@link createTask}.
 *
 * - It starts in the next turn of the loop, and ends with the coroutine's result or error, or cancelled.
 * - {@link cancel} throws a `CancelledError` where the coroutine waits; it may clean up, with awaits, as long as it
 *   needs.
 * - The loop holds it for as long as it has not ended; your code need not.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const task = asyncio.createTask(async () => {
 *     try {
 *       await asyncio.sleep(3600);
 *     } finally {
 *       await asyncio.sleep(0); // cleaning up
 *     }
 *   });
 *   await asyncio.sleep(0);
 *   task.cancel();
 *   await asyncio.gather(task, { returnExceptions: true });
 *   assert.ok(task.cancelled());
 * });
 * ```
 *
 * CPython: `asyncio.Task`.
 */
export class Task<T> extends Driver<T> implements Linked<Task<unknown>>, WaitScope {
  /** @internal */
  _previous: Task<unknown> | null = null;
  /** @internal */
  _next: Task<unknown> | null = null;
  #name: string | number;
  /** What it runs; the function it was made of, until the coroutine is asked for. */
  #coroutine: Coroutine<T> | CoroutineGenerator<T> | Body<T> | null;
  /** The context it runs in; what that will hold, until it is asked for. */
  #context: Context | Settings;
  #rare: Rare | null = null;
  /** @internal Whether a loop that is closed reports the task; `gather` and `run` answer for theirs themselves. */
  _logDestroyPending: boolean = true;
  /** @internal How often it went on: the entries of the loop that were its. */
  _steps: number = 0;
  /** @internal The groups that it has open, the latest first. */
  _groups: OpenGroup | null = null;

  /** Prefer {@link createTask}, or `loop.createTask`. */
  constructor(
    coroutine: Coroutine<T> | CoroutineGenerator<T> | Body<T>,
    options: CreateTaskOptions & { readonly loop?: KernelLoop } = NO_OPTIONS,
    loop: KernelLoop = options.loop ?? requireLoop(),
  ) {
    super(loop, iteratorOf(loop, coroutine));
    this.#context = checkedContext(options.context) ?? currentContext()._settings;
    this.ambient = getAsyncContext()?.capture(this) ?? null;
    this.#coroutine = coroutine;
    this.#name = options.name?.toString() ?? ++tasksMade;
    if (options.signal !== undefined) {
      this.#rarely().linkedTo = options.signal;
      this.#rarely().unlink = onAbort(options.signal, (message) => void this.cancel(message));
    }
    const stepNow = options.eagerStart === true && loop.isRunning();
    loop._taskBegins(this, stepNow);
    if (stepNow && this.done()) this.#coroutine = null;
  }

  /** The task's name in reports. */
  get name(): string {
    return this.getName();
  }

  set name(name: string) {
    this.setName(name);
  }

  getName(): string {
    return typeof this.#name === "number" ? `Task-${this.#name}` : this.#name;
  }

  setName(name: unknown): void {
    this.#name = String(name);
  }

  get context(): Context {
    if (!(this.#context instanceof Context)) this.#context = Context._of(this.#context);
    return this.#context;
  }

  get origin(): this {
    return this;
  }

  getContext(): Context {
    return this.context;
  }

  /** The coroutine the task runs; `null` if it ended in its eager first step. */
  getCoro(): Coroutine<T> | CoroutineGenerator<T> | null {
    if (typeof this.#coroutine !== "function") return this.#coroutine;
    const coroutine = new GeneratorCoroutine<T>(this.root as CoroutineGenerator<T>, functionName(this.#coroutine));
    coroutine._begin();
    this.#coroutine = coroutine;
    return coroutine;
  }

  // --- being cancelled; see cancellation.ts

  /**
   * Asks the task to stop: a {@link CancelledError} with `message` is thrown where it waits, in the next turn. A task
   * that catches it and goes on is not stopped.
   *
   * @returns `false` if the task has ended already.
   */
  override cancel(message?: string): boolean {
    return this._cancelFrom(null, message);
  }

  /** @internal {@link cancel}, asked by the group that the task is in. */
  _cancelFrom(group: Group | null, message: string | undefined): boolean {
    this.logTraceback = false;
    if (this.done()) return false;
    if (group !== null && !this.#passesRequestsOn) return this.cancel(message);
    this._askedBy(message);
    ask(this, message, group);
    return true;
  }

  /** @internal */
  override _askedBy(message: string | undefined): void {
    countRequest(this, message);
  }

  /** @internal */
  override get _onward(): this {
    return (this.#passesRequestsOn ? this : null) as this;
  }

  /** A subclass with a `cancel` of its own answers a request itself. */
  get #passesRequestsOn(): boolean {
    return this.cancel === Task.prototype.cancel;
  }

  /** @internal */
  override get _cancelMessage(): string | undefined {
    return this.cancelled() ? super._cancelMessage : this._asked?.message;
  }

  /** How many requests to cancel there were, less those taken back with {@link uncancel}. */
  cancelling(): number {
    const part = this.#partThatAsks();
    return part === this ? requestsOf(this) : requestsSeenFrom(part);
  }

  /**
   * Takes one request to cancel back: for code that caught its `CancelledError` and goes on. Returns what is left of
   * {@link cancelling}; at zero, a request that has not been delivered is dropped.
   */
  uncancel(): number {
    const part = this.#partThatAsks();
    if (part === this) takeBackFromOutside(this);
    else takeBackOutermost(part);
    return this.cancelling();
  }

  /** Seen from inside of an `await` with a deadline, the deadline's request counts too, as in CPython. */
  #partThatAsks(): Driver<unknown> {
    const execution = currentExecution();
    return execution?.task === this ? ((execution.driver as Driver<unknown> | null) ?? this) : this;
  }

  /** @internal Whether the signal that it was given may still cancel it. */
  get _mayBeAborted(): boolean {
    return this.#rare?.linkedTo?.aborted === false;
  }

  /**
   * An `AbortSignal` for `fetch` and its like: aborted when the running code is asked to stop. `currentTask().signal`
   * belongs to the innermost deadline or group that the code is in, else to the task, and hears of a request to any that
   * is around it; from outside, `task.signal` is the task's own. After a request that was taken back with `uncancel`, it
   * is a fresh one.
   *
   * ```ts
   * await asyncio.run(async () => {
   *   const load = (signal: AbortSignal) =>
   *     new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
   *   const late = asyncio.timeout(0.001, () => load(asyncio.currentTask()!.signal));
   *   await assert.rejects(late, asyncio.TimeoutError);
   * });
   * ```
   */
  get signal(): Signal {
    return signalOf(this, this.#partThatAsks());
  }

  /** A task's result comes from its coroutine. @throws {RuntimeError} always. */
  override setResult(_value: T): never {
    throw new RuntimeError("Task does not support setResult operation");
  }

  /** A task's exception comes from its coroutine. @throws {RuntimeError} always. */
  override setException(_error: unknown): never {
    throw new RuntimeError("Task does not support setException operation");
  }

  /**
   * The coroutines under way in the task, outermost first. JavaScript shows no lines of a suspended function; what is
   * known is which coroutines wait for which.
   */
  getStack(options: { readonly limit?: number } = {}): StackFrame[] {
    if (this.done()) return [];
    const frames = [this.#coroutine, ...this.frames].map((frame) => ({ name: `${nameOf(frame)}()` }));
    return options.limit === undefined ? frames : frames.slice(-options.limit);
  }

  /** Writes {@link getStack}, or the error the task ended with, as text; to standard error by default. */
  printStack(options: { readonly limit?: number; readonly write?: (text: string) => void } = {}): void {
    const write = options.write ?? ((text: string) => console.error(text));
    const hasFailed = this.done() && this._failed;
    const frames = this.getStack(options);
    if (hasFailed) write(`Traceback for ${this.toString()} (most recent call last):\n${formatError(this.exception())}`);
    else if (frames.length === 0) write(`No stack for ${this.toString()}`);
    else {
      const lines = frames.map((frame) => `  in ${frame.name}`);
      write([`Stack for ${this.toString()} (most recent call last):`, ...lines].join("\n"));
    }
  }

  // --- what its async functions wait for

  get task(): this {
    return this;
  }

  /** That of the async function that the task was made of, if it was made of one. */
  get scope(): WaitScope {
    return this.root instanceof Call ? (this.root as unknown as WaitScope) : this;
  }

  override get _outer(): null {
    return null;
  }

  override _isRoot(call: WaitScope): boolean {
    return (call as unknown) === this.root;
  }

  addWait(wait: Wait): WaitScope {
    if (this.done()) return this._loop._orphans.addWait(wait);
    const rare = this.#rarely();
    rare.unawaited ??= new WaitSet();
    rare.unawaited.add(wait);
    return this;
  }

  removeWait(wait: Wait): void {
    this.#rare?.unawaited?.delete(wait);
  }

  /** @internal */
  override get _strays(): WaitSet | null {
    const unawaited = this.#rare?.unawaited ?? null;
    return unawaited === null || unawaited.size === 0 ? null : unawaited;
  }

  /** @internal What a recorder keeps of it. */
  get _record(): object | null {
    return this.#rare?.record ?? null;
  }

  set _record(record: object) {
    this.#rarely().record = record;
  }

  #rarely(): Rare {
    this.#rare ??= { linkedTo: null, unlink: null, unawaited: null, record: null };
    return this.#rare;
  }

  // --- its end

  /** The coroutine returned. A request that came too late for it to see still counts: the task ends cancelled. */
  protected override returned(value: T): void {
    const request = takeKept(this);
    if (request !== null) {
      this._finishCancelled(request.message);
    } else {
      if (this._loop.getDebug() && requestsOf(this) > 0) this.#reportSwallowed();
      this._finish(value);
    }
    this.#end();
  }

  protected override raised(error: unknown): void {
    const cancelled = cancellationOf(error, wasTold(this));
    if (cancelled === null) this._fail(error);
    else this._finishCancelled(undefined, cancelled);
    this.#end();
    if (!leavesTheLoop(error)) return;
    this.logTraceback = false;
    throw error;
  }

  #end(): void {
    this.#rare?.unawaited?.moveTo(this._loop._orphans);
    this.#rare?.unlink?.();
    this._loop._taskEnds(this);
  }

  #reportSwallowed(): void {
    this._loop.callExceptionHandler({
      message: "Task swallowed CancelledError: it was cancelled and returned a result; rethrow it, or call uncancel()",
      task: this,
    });
  }

  /** @internal */
  override _reprParts(): string[] {
    const waited = this._waitingFor;
    return [
      !this.done() && requestsOf(this) > 0 ? "cancelling" : this._reprState(),
      `name='${this.getName()}'`,
      `coro=<${nameOf(this.#coroutine)}() ${this.done() ? "done" : "running"}>`,
      ...(waited === null || this.done() ? [] : [`wait_for=${reprOfWaited(waited)}`]),
      ...this._reprOutcome(),
      ...this._reprCallbacks(),
      ...this._reprMade(),
    ];
  }
}

keepName("Task", Task);

/** What few tasks have. */
interface Rare {
  /** The signal that it was given. */
  linkedTo: AbortSignalLike | null;
  /** Breaks the link to it. */
  unlink: (() => void) | null;
  /** Waits of async functions that were called in the task and not awaited. */
  unawaited: WaitSet | null;
  record: object | null;
}

declare const console: { error(message: string): void };

function iteratorOf(
  loop: KernelLoop,
  coroutine: Coroutine<unknown> | CoroutineGenerator<unknown> | Body<unknown>,
): Iterator<unknown, unknown, unknown> {
  if (typeof coroutine === "function") return rootOf(coroutine);
  if (!(coroutine instanceof Coroutine)) return loop.getDebug() ? claimed(coroutine) : coroutine;
  coroutine._begin();
  return coroutine._iterator;
}

/** How deep a repr goes along what tasks wait for. They may wait for each other in a long chain, or in a circle. */
const DEEPEST_REPR = 3;
const beingShown = new Set<object>();

function reprOfWaited(waited: object): string {
  if (beingShown.has(waited) || beingShown.size === DEEPEST_REPR) return "...";
  beingShown.add(waited);
  try {
    return String(waited);
  } finally {
    beingShown.delete(waited);
  }
}

function nameOf(coroutine: unknown): string {
  if (typeof coroutine === "function") return functionName(coroutine);
  return coroutine instanceof Coroutine ? coroutine.name : "generator";
}
