/** Cancel scopes: a deadline and a switch around a piece of code, whose cancellation stands until the code is left. @module */

import type { Duration } from "../../core/base/duration.ts";
import { timedOut, toSeconds } from "../../core/base/duration.ts";
import { RuntimeError, TimeoutError } from "../../core/base/exceptions.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import { captureStack, locationOf } from "../../core/base/stack.ts";
import { callBody, checkBody } from "../../core/kernel/async-functions.ts";
import {
  askInLevel,
  beginInLevel,
  countRequest,
  levelOf,
  requestCancel,
  requestsSeenFrom,
  takeKept,
} from "../../core/kernel/cancellation.ts";
import type { Request } from "../../core/kernel/contract.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { currentTask } from "../../core/kernel/create-task.ts";
import { currentDriver } from "../../core/kernel/driver.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { Handle } from "../../core/kernel/handles.ts";
import { currentLevel } from "../../core/kernel/levels.ts";
import { findLoop } from "../../core/kernel/running.ts";
import type { Outcome } from "./scope-body.ts";
import { ScopeCall } from "./scope-body.ts";

/** Options of a {@link CancelScope}. */
export interface CancelScopeOptions {
  /** When it is cancelled, on the loop's clock, in seconds; never by default. */
  readonly deadline?: number;
  /** How long after its beginning it is cancelled, instead of `deadline`. */
  readonly timeout?: Duration;
  /** Keeps requests to cancel from outside away from what runs inside. */
  readonly shield?: boolean;
}

/** What came of the body of a {@link CancelScope}: its value, unless the scope has cut it short. */
export type Moved<T> =
  | { readonly cancelledCaught: false; readonly value: T }
  | { readonly cancelledCaught: true; readonly value: undefined };

/** The body of a scope; it may look at its scope, move the deadline, and cancel it. */
export type ScopeFunction<T> = (scope: CancelScope) => ReturnType<Body<T>>;

/**
 * A piece of code that can be cancelled, from inside, from outside, or by a deadline.
 *
 * - **A level, not an edge.** When the scope is cancelled, what its body waits for is; and from then on *every* wait inside
 *   of it raises a `CancelledError`, also in `catch` and `finally`, until it is left. Code that swallows the error cannot
 *   keep the scope: it can only not wait. (`task.cancel()` and `timeout` ask once, as in CPython.)
 * - **Inside** is the body, all that it awaits, and the tasks of the groups, of `gather` and of the tools here that it
 *   waits for, at any depth; not a task made with `createTask`, which nobody waits for.
 * - **It catches its own.** The body's `CancelledError` ends at the scope that was cancelled, or, if several that lie in each
 *   other were, at the outermost of them. Another's goes on.
 * - **Shielded**, it keeps requests from outside away, its own deadline excepted: what has been asked meanwhile, the next
 *   wait after it raises.
 *
 * The error says why, by whom and where. `currentTask().signal` is the scope's, for `fetch` and its like.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const scope = new CancelScope();
 *   asyncio.getRunningLoop().callLater(0.001, () => scope.cancel("the user has left"));
 *   const { cancelledCaught } = await scope.run(async () => {
 *     for (;;) {
 *       try {
 *         await asyncio.sleep(3600);
 *       } catch {
 *         break; // a loop that went on would find no wait that lasts
 *       }
 *     }
 *     await asyncio.sleep(3600); // raises again
 *   });
 *   assert.ok(cancelledCaught);
 * });
 * ```
 *
 * trio: `trio.CancelScope`; anyio: `anyio.CancelScope`. asyncio has no such thing.
 */
export class CancelScope {
  readonly #timeout: number | null;
  #deadline: number;
  #shield: boolean;
  #state: "new" | "entered" | "left" = "new";
  #request: Request | null = null;
  #call: ScopeCall<unknown> | null = null;
  #loop: AbstractEventLoop | null = null;
  #alarm: Handle | null = null;
  /** The scope around this one, those that lie in it, and the tasks of groups that are inside of it and of none of these. */
  #outer: CancelScope | null = null;
  #inner: Set<CancelScope> | null = null;
  #members: Set<Task<unknown>> | null = null;
  #cancelledCaught: boolean = false;

  /**
   * @throws {TypeError} if a time is no number of seconds.
   * @throws {RangeError} if there is a `deadline` and a `timeout`.
   */
  constructor({ deadline, timeout, shield = false }: CancelScopeOptions = {}) {
    if (deadline !== undefined && timeout !== undefined) {
      throw new RangeError("A cancel scope has a deadline or a timeout, not both");
    }
    this.#timeout = timeout === undefined ? null : toSeconds(timeout, "timeout");
    this.#deadline = checkedDeadline(deadline ?? Infinity);
    this.#shield = shield;
  }

  /**
   * Runs `body` in the scope; once. A body that was not cut short has its value, also if the scope was cancelled meanwhile
   * and nothing waited any more.
   *
   * @throws what the body throws, and a `CancelledError` that is not the scope's.
   * @throws {RuntimeError} if the scope was run before, or outside of a task.
   */
  run<T>(body: ScopeFunction<T>): Coroutine<Moved<T>> {
    checkBody(body, "scope.run(async () => ...)");
    return new GeneratorCoroutine(this.#running(body), "CancelScope.run");
  }

  *#running<T>(body: ScopeFunction<T>): CoroutineGenerator<Moved<T>> {
    const caller = currentDriver("A cancel scope runs inside of a task");
    if (this.#state !== "new") throw new RuntimeError(`${this.toString()} cannot be run again: make one for each run`);
    this.#state = "entered";
    this.#outer = levelOf(caller) as CancelScope | null;
    this.#loop = caller.loop as AbstractEventLoop;
    if (this.#timeout !== null) this.#deadline = this.#loop.time() + this.#timeout;
    this.#setAlarm();
    const requestsBefore = requestsSeenFrom(caller);
    const call = new ScopeCall(caller, this, callBody(body, this));
    // Cancelled already, the body comes to its first wait, which raises.
    if (this.#request !== null) countRequest(call.body, this.#request.message);
    this.#call = call;
    if (this.#outer !== null) (this.#outer.#inner ??= new Set()).add(this);
    const outcome = yield* call.run();
    if (this.#outer !== null) this.#outer.#inner!.delete(this);
    this.#alarm?.cancel();
    this.#state = "left";
    return this.#moved(call, outcome, requestsSeenFrom(caller, requestsBefore + 1) > requestsBefore);
  }

  /** @param isAsked whether there was a request from outside meanwhile, which is an edge. */
  #moved<T>(call: ScopeCall<T>, outcome: Outcome<T>, isAsked: boolean): Moved<T> {
    const isLevel = this._request !== null;
    const isOthers = (isAsked && !this.#shield) || (this._visibleOuter?._request ?? null) !== null;
    // What the body has not seen of a level, it need not: the next wait raises, if there is one inside.
    if (isAsked || !isLevel) call.handUp();
    else takeKept(call.body);
    if (outcome.kind === "returned") return { cancelledCaught: false, value: outcome.value };
    if (!outcome.isCancelled || this.#request === null || isOthers) throw outcome.error;
    this.#cancelledCaught = true;
    return { cancelledCaught: true, value: undefined };
  }

  /**
   * Cancels the scope: all that waits inside of it, and all that will. Before it is run, its body comes to its first wait;
   * afterwards, nothing happens. The `reason` is for people: it is in the error.
   */
  cancel(reason: string = "the scope was cancelled"): void {
    if (this.#request !== null || this.#state === "left") return;
    const by = findLoop() === null ? null : currentTask()?.getName();
    const place = captureStack(1)[0];
    const origin = [by == null ? "" : ` by ${by}`, place === undefined ? "" : ` at ${locationOf(place)}`].join("");
    this.#cancel(origin === "" ? reason : `${reason} (cancelled${origin})`);
  }

  #cancel(message: string): void {
    this.#request = { message };
    this.#alarm?.cancel();
    if (this.#call === null) return;
    requestCancel(this.#call.body, message, null);
    this.#tellMembers(message);
  }

  #tellMembers(message: string | undefined): void {
    for (const task of this.#members ?? []) askInLevel(task, message);
    for (const inner of this.#inner ?? []) {
      if (!inner.#shield && inner.#request === null) inner.#tellMembers(message);
    }
  }

  /** Whether the scope was cancelled, by {@link cancel} or by its deadline. It may not have mattered any more. */
  get cancelCalled(): boolean {
    if (this.#state === "entered" && this.#request === null && this.#deadline <= this.#loop!.time()) this.#expire();
    return this.#request !== null;
  }

  /** Whether the body was cut short. */
  get cancelledCaught(): boolean {
    return this.#cancelledCaught;
  }

  /** When the scope is cancelled, on the loop's clock, in seconds; `Infinity` for never. It can be moved while the body runs. */
  get deadline(): number {
    return this.#deadline;
  }

  set deadline(when: number) {
    this.#deadline = checkedDeadline(when);
    if (this.#state === "entered") this.#setAlarm();
  }

  #setAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    if (this.#request !== null || this.#deadline === Infinity) return;
    if (this.#deadline <= this.#loop!.time()) this.#expire();
    else this.#alarm = this.#loop!.callAt(this.#deadline, () => this.#expire());
  }

  #expire(): void {
    this.#cancel(this.#timeout === null ? "the deadline passed" : timedOut(this.#timeout));
  }

  /** Whether requests from outside are kept away. Taken down, what has been asked meanwhile comes in. */
  get shield(): boolean {
    return this.#shield;
  }

  set shield(shield: boolean) {
    this.#shield = shield;
    if (shield || this.#state !== "entered") return;
    this.#call!.unshielded();
    if (this.#request === null && this._request !== null) this.#tellMembers(this._request.message);
  }

  /** @internal */
  get _request(): Request | null {
    return this.#request ?? this._visibleOuter?._request ?? null;
  }

  /** @internal */
  _join(task: Task<unknown>): void {
    beginInLevel(task, this);
    this.#members ??= new Set();
    this.#members.add(task);
    task._onDone(() => void this.#members!.delete(task));
    const request = this._request;
    if (request !== null && !task.done()) askInLevel(task, request.message);
  }

  /** @internal The scope around this one that may still cut it short. */
  get _visibleOuter(): CancelScope | null {
    return this.#shield ? null : this.#outer;
  }

  toString(): string {
    const parts = [`CancelScope ${this.#state}`];
    if (this.#deadline !== Infinity) parts.push(`deadline=${Number(this.#deadline.toFixed(3))}`);
    if (this.#shield) parts.push("shielded");
    if (this.#request !== null) parts.push("cancelled");
    return `<${parts.join(" ")}>`;
  }
}
inspectAsString("CancelScope", CancelScope);

/**
 * Runs `body` for `delay` at most, and goes on without it when the time is over: what it gave is then `undefined`.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const { value = "a guess" } = await moveOnAfter(0.001, () => asyncio.sleep(60, "the answer"));
 *   assert.equal(value, "a guess");
 * });
 * ```
 *
 * See {@link CancelScope} for what is cancelled, and how. trio: `move_on_after`.
 */
export function moveOnAfter<T>(delay: Duration, body: ScopeFunction<T>): Coroutine<Moved<T>> {
  return new CancelScope({ timeout: delay }).run(body);
}

/** {@link moveOnAfter} with a point in time on the loop's clock, in seconds. trio: `move_on_at`. */
export function moveOnAt<T>(when: number, body: ScopeFunction<T>): Coroutine<Moved<T>> {
  return new CancelScope({ deadline: when }).run(body);
}

/**
 * Runs `body` for `delay` at most: when the time is over, it is cut short, and that is an error.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const late = failAfter(0.001, () => asyncio.sleep(60));
 *   await assert.rejects(async () => await late, asyncio.TimeoutError);
 * });
 * ```
 *
 * See {@link CancelScope} for what is cancelled, and how; `asyncio.timeout` asks only once.
 *
 * @throws {TimeoutError} trio: `fail_after`, with its `TooSlowError`.
 */
export function failAfter<T>(delay: Duration, body: ScopeFunction<T>): Coroutine<T> {
  return new GeneratorCoroutine(failing(new CancelScope({ timeout: delay }), body), "failAfter");
}

/** {@link failAfter} with a point in time on the loop's clock, in seconds. trio: `fail_at`. */
export function failAt<T>(when: number, body: ScopeFunction<T>): Coroutine<T> {
  return new GeneratorCoroutine(failing(new CancelScope({ deadline: when }), body), "failAt");
}

function* failing<T>(scope: CancelScope, body: ScopeFunction<T>): CoroutineGenerator<T> {
  const moved = yield* scope.run(body);
  if (moved.cancelledCaught) throw new TimeoutError(scope._request?.message);
  return moved.value;
}

/**
 * Runs `body` behind a shield: requests to cancel from outside do not come in; the next wait after it raises what has been
 * asked meanwhile. For cleaning up with awaits, and nothing else; with a deadline:
 *
 * ```ts
 * await asyncio.run(async () => {
 *   let farewell = "";
 *   await moveOnAfter(0.001, async () => {
 *     try {
 *       await asyncio.sleep(60);
 *     } finally {
 *       await moveOnAfter(1, () => shielded(async () => {}));
 *       await shielded(() => moveOnAfter(1, async () => void (farewell = await asyncio.sleep(0.001, "goodbye"))));
 *     }
 *   });
 *   assert.equal(farewell, "goodbye");
 * });
 * ```
 *
 * Unlike `asyncio.shield`, it makes no task, and nothing goes on after it. trio: `CancelScope(shield=True)`.
 */
export function shielded<T>(body: () => ReturnType<Body<T>>): Coroutine<T> {
  checkBody(body, "shielded(async () => ...)");
  return new GeneratorCoroutine(shielding(body), "shielded");
}

function* shielding<T>(body: () => ReturnType<Body<T>>): CoroutineGenerator<T> {
  const moved = yield* new CancelScope({ shield: true }).run(body);
  return moved.value as T;
}

/**
 * When the present code will be cancelled at the latest, on the loop's clock, in seconds: the earliest deadline of the scopes
 * that it is in, up to a shield. `Infinity` if there is none; `-Infinity` where it is cancelled already.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   await moveOnAfter(10, async (scope) => {
 *     await moveOnAfter(60, async () => assert.equal(currentEffectiveDeadline(), scope.deadline));
 *   });
 *   assert.equal(currentEffectiveDeadline(), Infinity);
 * });
 * ```
 *
 * trio: `trio.current_effective_deadline`.
 */
export function currentEffectiveDeadline(): number {
  let deadline = Infinity;
  const innermost = currentLevel() as CancelScope | null;
  for (let scope = innermost; scope !== null; scope = scope._visibleOuter) {
    deadline = Math.min(deadline, scope.cancelCalled ? -Infinity : scope.deadline);
  }
  return deadline;
}

function checkedDeadline(when: unknown): number {
  if (typeof when !== "number" || Number.isNaN(when)) {
    throw new TypeError(`Invalid deadline: expected seconds on the loop's clock, received ${repr(when)}`);
  }
  return when;
}
