/** Where a loop's reports go: to the user's exception handler, or to the log in CPython's form. @module */

import type { AbstractEventLoop, ExceptionContext, ExceptionHandler } from "../kernel/events.ts";
import { Handle } from "../kernel/handles.ts";
import { leavesTheLoop } from "../base/exceptions.ts";
import { formatError, repr } from "../base/format.ts";
import { isFuture } from "../kernel/futures.ts";
import { getLogger } from "../base/log.ts";
import type { Neglect, Neglectable } from "../kernel/neglect.ts";
import { currentExecution, swapRunning } from "../kernel/running.ts";

/** The reports of one loop. No report throws, whatever the handler or the log does with it. */
export class Reports {
  readonly #loop: AbstractEventLoop;
  #handler: ExceptionHandler | null = null;

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  get handler(): ExceptionHandler | null {
    return this.#handler;
  }

  set handler(handler: ExceptionHandler | null) {
    if (handler !== null && typeof handler !== "function") {
      throw new TypeError(`A callable object or null is expected: received ${repr(handler)}`);
    }
    this.#handler = handler;
  }

  /** Gives `context` to the handler; to the log if there is none, or if it throws. */
  report(context: ExceptionContext): void {
    const full = this.#withHandleTraceback(context);
    if (this.#handler === null) {
      this.#log(full, "Exception in default exception handler");
      return;
    }
    const owner = context.task ?? context.handle;
    const previous = swapRunning(
      owner === undefined
        ? null
        : { loop: this.#loop, task: null, scope: null, driver: null, context: owner.getContext() },
    );
    try {
      this.#handler(this.#loop, full);
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#log(
        { message: "Unhandled error in exception handler", exception: error, context: context.message },
        "Exception in default exception handler while handling an unexpected error in custom exception handler",
      );
    } finally {
      swapRunning(previous);
    }
  }

  /** Reports what was neglected; `item` is `null` when the object itself is gone. */
  reportNeglect(neglect: Neglect, item: Neglectable | null): void {
    const failure =
      "exception" in neglect
        ? { exception: neglect.exception, future: isFuture(item) ? item : neglect.description }
        : {};
    const made = neglect.sourceTraceback ? { sourceTraceback: neglect.sourceTraceback } : {};
    this.report({ message: neglect.message, ...failure, ...made });
  }

  /** In debug mode, where the callback was scheduled in which it happened. */
  #withHandleTraceback(context: ExceptionContext): ExceptionContext {
    const handle = currentExecution();
    if (context.sourceTraceback !== undefined || !(handle instanceof Handle) || handle._sourceTraceback === null) {
      return context;
    }
    return { ...context, handleTraceback: handle._sourceTraceback };
  }

  #log(context: ExceptionContext, failure: string): void {
    try {
      this.#loop.defaultExceptionHandler(context);
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
      this.#lastResort(`${failure}\n${formatError(error)}`);
    }
  }

  #lastResort(text: string): void {
    try {
      getLogger().error(text);
    } catch (error) {
      if (leavesTheLoop(error)) throw error;
    }
  }
}

/** `context` as text: the message, a line for each further key, where things were made, the error with its stack. */
export function formatReport(context: ExceptionContext): string {
  const { message, exception, sourceTraceback, handleTraceback, ...rest } = context;
  const lines = [message === "" || message === undefined ? "Unhandled exception in event loop" : message];
  for (const key of Object.keys(rest).toSorted()) {
    const value = rest[key];
    if (value !== undefined) lines.push(`${key}: ${typeof value === "string" ? value : repr(value)}`);
  }
  if (sourceTraceback) lines.push("Object created at (most recent call first):", ...sourceTraceback.map(indented));
  if (handleTraceback) lines.push("Handle created at (most recent call first):", ...handleTraceback.map(indented));
  if ("exception" in context) lines.push(formatError(exception));
  return lines.join("\n");
}

function indented(line: string): string {
  return `  ${line}`;
}
