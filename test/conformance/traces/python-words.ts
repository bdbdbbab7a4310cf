/** Python's words, for programs that stay close to the originals: its errors, its `except`, its `print`. */

import * as asyncio from "asyncio-ts";

/** An exception with Python's `args`. */
class PythonError extends Error {
  readonly args: readonly unknown[];

  constructor(...args: readonly unknown[]) {
    super(args.map(str).join(", "));
    this.args = args;
  }
}

/** Python's `ValueError(value)`. */
export class ValueError extends PythonError {
  override readonly name: string = "ValueError";
}

/** Python's `KeyError(key)`. */
export class KeyError extends PythonError {
  override readonly name: string = "KeyError";
}

/** Python's `current_task()`, inside of a task. */
export function me(): asyncio.Task<unknown> {
  const task = asyncio.currentTask();
  if (task === null) throw new Error("no task is running");
  return task;
}

/** Python's `except type as error`: at the head of a `catch`, it throws on what is of another type. */
export function except<E extends Error>(type: abstract new (...args: never[]) => E, error: unknown): E {
  if (error instanceof type) return error;
  throw error;
}

/** Python's `except* type as group`: at the head of a `catch`, it throws on what is no group of such errors alone. */
export function exceptStar(type: abstract new (...args: never[]) => Error, error: unknown): asyncio.BaseExceptionGroup {
  const [match, rest] = except(asyncio.BaseExceptionGroup, error).split(type);
  if (match === null || rest !== null) throw error;
  return match;
}

/** Python's `error.args`, as it is printed. */
export function argsOf(error: Error): string {
  return error.message === "" || error instanceof asyncio.TimeoutError ? "()" : `(${repr(error.message)},)`;
}

/** A number as Python prints a `float`. */
export function float(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** The first words of a message of ours, which may go on to say the cure after a colon. */
export function beforeColon(error: Error): string {
  return error.message.replace(/:.*$/s, "");
}

/** `value` as Python's `str` writes it. */
export function str(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Error ? value.message : repr(value);
}

/** `value` as Python's `repr` writes it. */
export function repr(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (value instanceof PythonError) return `${value.name}(${value.args.map(repr).join(", ")})`;
  if (value instanceof asyncio.BaseExceptionGroup) {
    return `${value.name}(${repr(value.message)}, ${repr(value.exceptions)})`;
  }
  if (value instanceof asyncio.TimeoutError) return "TimeoutError()"; // ours say how long it was
  if (value instanceof Error) return `${value.name}(${value.message === "" ? "" : repr(value.message)})`;
  return String(value);
}
