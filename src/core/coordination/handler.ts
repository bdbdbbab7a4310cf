/**
 * Callbacks of emitters and frameworks, each call of which is a task of its own.
 *
 * An emitter calls its listeners as whoever happens to emit: in the context of another request, as part of the task that
 * called `listen`, or with no context at all. A handler's call has an owner: it is a task in a copy of the context in which
 * the handler was made, and the handler, or a group, knows it until it has ended.
 *
 * Weighed and refused: to run the call as part of whoever emits (what is set there leaks into the next request, and
 * cancelling that one cancels all); a handler that belongs to `http.Server` (each framework has a server of its own).
 *
 * @module
 */

import type { AbortSignalLike } from "../base/abort.ts";
import { onAbort } from "../base/abort.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import { isException } from "../base/exception-groups.ts";
import { RuntimeError } from "../base/exceptions.ts";
import { functionName, repr } from "../base/format.ts";
import { coroutine } from "../kernel/async-functions.ts";
import type { Context } from "../kernel/contextvars.ts";
import { copyContext } from "../kernel/contextvars.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { OnFulfilled, OnRejected } from "../kernel/promise-methods.ts";
import { findLoop, requireLoop } from "../kernel/running.ts";
import type { Task } from "../kernel/tasks.ts";
import type { TaskGroup } from "./taskgroups.ts";
import { wait } from "./wait.ts";

/** An emitter that says `close` when the other side has gone: a response, a socket, a WebSocket. */
export interface Closable {
  once(event: "close", listener: () => void): unknown;
  removeListener(event: "close", listener: () => void): unknown;
  /** Of a response: everything was sent, so that its end is no reason to stop. */
  readonly writableFinished?: boolean;
}

/** Options of {@link handler}. */
export interface HandlerOptions<A extends unknown[]> {
  /** The group that owns the calls: it waits for them at its end, and cancels them with itself. */
  readonly group?: TaskGroup;
  /**
   * What cancels a call: given the call's arguments, an `AbortSignal`, or an emitter of which `close` does, such as the
   * response: `{ cancelOn: (request, response) => response }`.
   */
  readonly cancelOn?: (...args: A) => AbortSignalLike | Closable | null | undefined;
  /** The name of the tasks in reports; that of the function by default. */
  readonly name?: string;
}

/** Options of {@link Handler.shutdown}. */
export interface HandlerShutdownOptions {
  /** How long the calls under way may take to end; without it, there is no limit. */
  readonly grace?: Duration;
}

/** A callback that {@link handler} made. */
export interface Handler<This, A extends unknown[], T> extends AsyncDisposable {
  /** Starts a call; the promise has its result, or its error. */
  (this: This, ...args: A): Promise<T>;
  /** The calls under way. */
  readonly tasks: ReadonlySet<Task<void>>;
  /**
   * Takes no more calls, and waits for those under way; after `grace` seconds they are cancelled, and waited for. Returns
   * how many were. Cancelled itself, it goes on to no cancellation of theirs.
   */
  shutdown(options?: HandlerShutdownOptions): Coroutine<number>;
}

/**
 * Makes `fn`, an async function or a generator function, the callback of an emitter or a framework: each call is a task.
 *
 * - It runs in a copy of the context in which `handler` was called, and with the caller's own `AsyncLocalStorage`s: a context
 *   variable that is set in one request is not seen in the next.
 * - Its errors go to whoever looks at the promise it returns (express 5, fastify, hono, koa); where nobody does (an emitter,
 *   `http.createServer`), to the loop's exception handler. A cancellation is no error there.
 * - `cancelOn` says what cancels it: the request's signal, or the `close` of its response. `handler.shutdown({ grace })`
 *   waits for the calls under way, and cancels them after that; or a `group` owns them.
 * - It runs on the loop in which the handler was made; made outside of one, on the one that runs when it is called.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const door = new EventTarget();
 *   const greet = asyncio.handler(async (event: Event) => {
 *     await asyncio.sleep(0.001);
 *     return `hello, ${event.type}`;
 *   });
 *   door.addEventListener("guest", greet);
 *   door.dispatchEvent(new Event("guest")); // a task of its own
 *   assert.equal(greet.tasks.size, 1);
 *   assert.equal(await greet(new Event("Ann")), "hello, Ann");
 *   await greet.shutdown({ grace: 1 });
 * });
 * ```
 *
 * @throws {TypeError} for what is no function, and (the promise is rejected) for what `cancelOn` gave and is neither.
 * @throws {RuntimeError} (the promise is rejected) if no loop runs, or the handler was shut down.
 */
export function handler<This, A extends unknown[], T>(
  fn: (this: This, ...args: A) => ReturnType<Body<T>>,
  options: HandlerOptions<A> = {},
): Handler<This, A, T> {
  if (typeof fn !== "function") throw new TypeError(`handler: expected a function, received ${repr(fn)}`);
  const calls = new Calls<This, A, T>(fn, options);
  const call = function (this: This, ...args: A): Promise<T> {
    return calls.start(this, args);
  };
  return Object.defineProperties(call, {
    name: { value: functionName(fn) },
    tasks: { value: calls.tasks },
    shutdown: { value: (how?: HandlerShutdownOptions) => calls.shutdown(how) },
    [Symbol.asyncDispose]: { value: async () => void (await calls.shutdown()) },
  }) as unknown as Handler<This, A, T>;
}

class Calls<This, A extends unknown[], T> {
  readonly tasks: Set<Task<void>> = new Set();
  readonly #start: (this: This, ...args: A) => Coroutine<T>;
  readonly #options: HandlerOptions<A>;
  readonly #loop: AbstractEventLoop | null = findLoop() as AbstractEventLoop | null;
  readonly #context: Context = copyContext();
  readonly #name: string;
  #isShutDown: boolean = false;

  constructor(fn: (this: This, ...args: A) => ReturnType<Body<T>>, options: HandlerOptions<A>) {
    this.#start = coroutine<This, A, ReturnType<Body<T>>>(fn);
    this.#options = options;
    this.#name = options.name ?? functionName(fn);
  }

  start(self: This, args: A): Promise<T> {
    try {
      return this.#begin(self, args);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin(self: This, args: A): Promise<T> {
    if (this.#isShutDown) throw new RuntimeError(`handler ${this.#name}() is shut down`);
    const loop = this.#loop ?? (requireLoop() as AbstractEventLoop);
    if (!loop.isRunning()) throw new RuntimeError(`handler ${this.#name}() was called when its loop had ended`);
    const link = linkTo(this.#options.cancelOn?.(...args) ?? null);
    const call = new Call(this.#start.apply(self, args));
    const owner = this.#options.group ?? loop;
    const task = owner.createTask(() => call.run(), { name: this.#name, context: this.#context.copy() });
    this.tasks.add(task);
    const unlink = link(task);
    task._onDone(() => {
      this.tasks.delete(task);
      unlink();
      const error = call.settle(task);
      if (error === null) return;
      loop.callExceptionHandler({ message: `Exception in handler ${this.#name}()`, exception: error.error, task });
    });
    return call.promise;
  }

  shutdown(options: HandlerShutdownOptions = {}): Coroutine<number> {
    const grace = options.grace === undefined ? null : toSeconds(options.grace, "grace");
    return new GeneratorCoroutine(this.#shuttingDown(grace), "handler.shutdown");
  }

  *#shuttingDown(grace: number | null): CoroutineGenerator<number> {
    this.#isShutDown = true;
    if (this.tasks.size > 0) yield* wait([...this.tasks], grace === null ? {} : { timeout: grace });
    const left = [...this.tasks];
    for (const task of left) task.cancel();
    if (left.length > 0) yield* wait(left);
    return left.length;
  }
}

/** What a call came to: none yet, while it runs, or if it was cancelled. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown } | null;

/** One call: its work, and the promise that whoever called it has. The work's error is the caller's, not its group's. */
class Call<T> {
  readonly promise: HeardPromise<T>;
  readonly #work: Coroutine<T>;
  #outcome: Outcome<T> = null;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(work: Coroutine<T>) {
    this.#work = work;
    this.promise = new HeardPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  *run(): CoroutineGenerator<void> {
    try {
      this.#outcome = { value: yield* this.#work };
    } catch (error) {
      if (!isException(error)) throw error;
      this.#outcome = { error };
    }
  }

  /** `task` has ended: tells the caller. Returns the error that nobody has asked for, if there is one. */
  settle(task: Task<void>): { readonly error: unknown } | null {
    const outcome = this.#outcome;
    if (outcome !== null && "value" in outcome) {
      this.#resolve(outcome.value);
      return null;
    }
    const isHeard = this.promise.isHeard;
    if (!isHeard) this.promise.ignore();
    if (task.cancelled()) this.#work.close();
    const error = outcome === null ? task._makeCancelledError() : outcome.error;
    this.#reject(error);
    return outcome === null || isHeard ? null : outcome;
  }
}

/** A promise that knows whether anybody wants to hear of it. */
class HeardPromise<T> extends Promise<T> {
  isHeard: boolean = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<A = T, B = never>(onFulfilled?: OnFulfilled<T, A>, onRejected?: OnRejected<B>): Promise<A | B> {
    this.isHeard = true;
    return super.then(onFulfilled, onRejected);
  }

  /** Its rejection is no unhandled one. */
  ignore(): void {
    void super.then(undefined, () => {});
  }
}

/** What links a task to `cause`, which cancels it; it returns what breaks the link. */
function linkTo(cause: AbortSignalLike | Closable | null): (task: Task<void>) => () => void {
  if (cause === null) return () => () => {};
  if ("aborted" in cause) return (task) => onAbort(cause, (message) => void task.cancel(message));
  if (typeof cause.once !== "function") {
    throw new TypeError(`cancelOn: expected an AbortSignal or an emitter with a close event, received ${repr(cause)}`);
  }
  return (task) => {
    const closed = (): void => {
      if (cause.writableFinished !== true) task.cancel("the other side has closed");
    };
    cause.once("close", closed);
    return () => void cause.removeListener("close", closed);
  };
}
