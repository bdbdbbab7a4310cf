/**
 * Who is running: the loop, the task and the context that the present code belongs to.
 *
 * Two places know. While a callback or a step of a task runs, a variable of this file. Between the steps of an async
 * function, when promises carry it on and no step of ours is on the stack, the platform's async context, where the
 * library keeps one value: the same {@link Execution}. In a browser without async context only the first is known.
 *
 * @module
 */

import type { Context } from "./contextvars.ts";
import type { Driver } from "./driver.ts";
import type { AbstractEventLoop } from "./events.ts";
import type { Task } from "./tasks.ts";

/** What running code belongs to. Handles, tasks and the scopes of async functions are executions. */
export interface Execution {
  readonly loop: AbstractEventLoop | null;
  readonly task: Task<unknown> | null;
  readonly context: Context;
  /** Where an `await` in an async function registers what it waits for, so that it can be cancelled. */
  readonly scope: WaitScope | null;
  /** What steps the coroutine that the code belongs to, if it belongs to one. */
  readonly driver: Driver<unknown> | null;
}

/** Something that can be asked to stop waiting. */
export interface Cancellable {
  /** Asks for a `CancelledError` at the place that waits; `false` when it is too late. */
  cancel(message?: string): boolean;
  /** @internal Takes back a request that has not been delivered. */
  forgetCancel(): void;
  /** @internal The loop is closed and nobody will ever answer: ends the wait now. */
  abandon(): void;
}

/** The owner of the waits of an async function. */
export interface WaitScope {
  readonly loop: AbstractEventLoop;
  readonly task: Task<unknown> | null;
  /** What steps the coroutine that the scope is part of. */
  readonly driver: Driver<unknown> | null;
  /** @internal Takes `wait` in, here or in the nearest enclosing scope that has not ended. */
  addWait(wait: Cancellable): WaitScope;
  /** @internal */
  removeWait(wait: Cancellable): void;
}

/** What the platform offers to carry an {@link Execution}, and the user's own async context, across promises. */
export interface AsyncContext {
  getStore(): Execution | undefined;
  /** Calls `fn` with `store` as what {@link currentExecution} finds, also after each `await` in `fn`. */
  run<R>(store: Execution, fn: () => R): R;
  /** The ambient async context of this moment, the user's included, with `store` as ours. */
  capture(store: Execution): Ambient;
  /** The ambient async context of this moment, as it is. */
  captureAsIs(): Ambient;
}

/** An async context that was captured. */
export interface Ambient {
  runInAsyncScope<This, R>(fn: (this: This) => R, self: This): R;
}

let running: Execution | null = null;
let asyncContext: AsyncContext | null = null;

/** What the present code belongs to, or `null` outside of any loop. */
export function currentExecution(): Execution | null {
  return running ?? asyncContext?.getStore() ?? null;
}

/** Makes `execution` the running one and returns the one before, which the caller puts back when it is done. */
export function swapRunning(execution: Execution | null): Execution | null {
  const previous = running;
  running = execution;
  return previous;
}

/** The platform's async context; `null` where there is none. */
export function getAsyncContext(): AsyncContext | null {
  return asyncContext;
}

/** Called once, by the platform's entry point. */
export function installAsyncContext(provider: AsyncContext | null): void {
  asyncContext = provider;
}

/** Runs `fn` as `execution`, which stays the current one after each `await` in `fn`. */
export function runAs<R>(execution: Execution, fn: () => R): R {
  const previous = swapRunning(execution);
  try {
    return asyncContext === null ? fn() : asyncContext.run(execution, fn);
  } finally {
    running = previous;
  }
}
