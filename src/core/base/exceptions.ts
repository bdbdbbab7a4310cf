/**
 * Every error the library raises, under Python's names. Each says who throws it and what to do about it.
 *
 * An error carries a stable `code`, and `instanceof` works across two copies of the package in one process.
 *
 * @module
 */

import { keepName } from "./format.ts";
import { resumeStacks, suspendStacks } from "./stack.ts";

/** Of a class of errors, and of no subclass of it: the mark of its instances. */
interface Branded {
  readonly brand?: symbol;
}

/** The base of the library's errors: a `code` that never changes, and an `instanceof` that crosses copies of the package. */
export abstract class AsyncioError extends Error {
  /** A stable word for this kind of error, such as `ASYNCIO_CANCELLED`. */
  abstract readonly code: string;

  static override [Symbol.hasInstance](this: Branded & Function, value: unknown): boolean {
    if (!Object.hasOwn(this, "brand")) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && (this.brand as symbol) in value;
  }
}

/** Marks the instances of `type`, so that another copy of the package recognises them, and so that it keeps its name when minified. */
export function brand(name: string, type: { readonly prototype: object }): void {
  const mark = Symbol.for(`asyncio-ts.${name}`);
  Object.defineProperty(type, "brand", { value: mark });
  Object.defineProperty(type.prototype, mark, { value: true });
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
  keepName(name, type);
}

/**
 * The request to stop: thrown at the `await` (or `yield*`) where a task waits when it is cancelled.
 *
 * Clean up and let it pass on. In JavaScript `catch` catches this too, so begin a catch-all with
 * `rethrowIfCancelled`. It carries no stack: it says that the task was asked to stop, not where something broke,
 * and cancelling a hundred thousand tasks must not capture a hundred thousand stacks.
 *
 * CPython: `asyncio.CancelledError`.
 */
export class CancelledError extends AsyncioError {
  readonly code: string = "ASYNCIO_CANCELLED";

  /**
   * @param message what was given to `cancel(message)`; empty when nothing was.
   * @param options `cause`: why; of a task that a signal cancelled, the signal's reason.
   */
  constructor(message?: string, options?: ErrorOptions) {
    const text = message?.toString();
    const limit = suspendStacks();
    super(text, options ?? causeOf(message));
    resumeStacks(limit);
  }
}

/**
 * A deadline passed before the work was done. Raised by `timeout`, `waitFor` and their like; its `cause` is the
 * {@link CancelledError} that stopped the work.
 *
 * CPython: `TimeoutError`.
 */
export class TimeoutError extends AsyncioError {
  readonly code: string = "ASYNCIO_TIMEOUT";
}

/**
 * A future was asked for what its state does not allow: the result of a pending one, or a second result.
 *
 * CPython: `asyncio.InvalidStateError`.
 */
export class InvalidStateError extends AsyncioError {
  readonly code: string = "ASYNCIO_INVALID_STATE";
}

/**
 * The library was used in a way that cannot work: a closed loop, no running loop, a task that waits for itself. The
 * message names the cure.
 *
 * CPython: `RuntimeError`.
 */
export class RuntimeError extends AsyncioError {
  readonly code: string = "ASYNCIO_RUNTIME";
}

/**
 * Tasks still wait, and nothing is left that could wake them. Raised by `run` where CPython would hang, and where
 * Node.js alone would end the process without a word. The message draws what each task waits for.
 */
export class DeadlockError extends RuntimeError {
  override readonly code: string = "ASYNCIO_DEADLOCK";
}

/**
 * A barrier was broken or reset while a task waited at it, or is broken.
 *
 * CPython: `asyncio.BrokenBarrierError`.
 */
export class BrokenBarrierError extends RuntimeError {
  override readonly code: string = "ASYNCIO_BROKEN_BARRIER";
}

/** `getNowait` found no item. CPython: `asyncio.QueueEmpty`. */
export class QueueEmpty extends AsyncioError {
  readonly code: string = "ASYNCIO_QUEUE_EMPTY";
}

/** `putNowait` found no room. CPython: `asyncio.QueueFull`. */
export class QueueFull extends AsyncioError {
  readonly code: string = "ASYNCIO_QUEUE_FULL";
}

/** The queue was shut down: nothing more goes in, and nothing is left to come out. CPython: `asyncio.QueueShutDown`. */
export class QueueShutDown extends AsyncioError {
  readonly code: string = "ASYNCIO_QUEUE_SHUT_DOWN";
}

/**
 * The stream ended before the bytes asked for had come.
 *
 * CPython: `asyncio.IncompleteReadError`.
 */
export class IncompleteReadError extends AsyncioError {
  readonly code: string = "ASYNCIO_INCOMPLETE_READ";
  /** The bytes that came before the end. They are no longer in the reader. */
  readonly partial: Uint8Array;
  /** How many were asked for; `null` when a separator was. */
  readonly expected: number | null;

  constructor(partial: Uint8Array, expected: number | null) {
    super(`${partial.length} bytes read on a total of ${expected ?? "undefined"} expected bytes`);
    this.partial = partial;
    this.expected = expected;
  }
}

/**
 * No separator was found within the reader's limit. The bytes are still in the reader.
 *
 * CPython: `asyncio.LimitOverrunError`.
 */
export class LimitOverrunError extends AsyncioError {
  readonly code: string = "ASYNCIO_LIMIT_OVERRUN";
  /** How many bytes to take out before one can look for the separator again. */
  readonly consumed: number;

  constructor(message: string, consumed: number) {
    super(message);
    this.consumed = consumed;
  }
}

/** `sendfile` without a fallback: no platform here can send a file by itself. CPython: `asyncio.SendfileNotAvailableError`. */
export class SendfileNotAvailableError extends RuntimeError {
  override readonly code: string = "ASYNCIO_SENDFILE_NOT_AVAILABLE";
}

/** The connection was lost. Its `code` is the system's, as of an error of Node's own. CPython: `ConnectionResetError`. */
export class ConnectionResetError extends AsyncioError {
  readonly code: string = "ECONNRESET";
}

/** The connection was given up on this side, as after too long a handshake. CPython: `ConnectionAbortedError`. */
export class ConnectionAbortedError extends AsyncioError {
  readonly code: string = "ECONNABORTED";
}

/** The process is gone. CPython: `ProcessLookupError`. */
export class ProcessLookupError extends AsyncioError {
  readonly code: string = "ESRCH";
}

/**
 * The user pressed Ctrl-C. `run` cancels its main task first, and raises this when the task has ended.
 *
 * CPython: `KeyboardInterrupt`.
 */
export class KeyboardInterrupt extends AsyncioError {
  readonly code: string = "ASYNCIO_KEYBOARD_INTERRUPT";
}

/**
 * Raised in a task or a callback, it leaves the loop at once and is raised by `run`.
 *
 * CPython: `SystemExit`.
 */
export class SystemExit extends AsyncioError {
  readonly code: string = "ASYNCIO_SYSTEM_EXIT";
  /** What the process should exit with. */
  readonly exitCode: number;

  constructor(exitCode: number = 0) {
    super(String(exitCode));
    this.exitCode = exitCode;
  }
}

for (const [name, type] of Object.entries({
  AsyncioError,
  CancelledError,
  TimeoutError,
  InvalidStateError,
  RuntimeError,
  DeadlockError,
  BrokenBarrierError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  IncompleteReadError,
  LimitOverrunError,
  SendfileNotAvailableError,
  ConnectionResetError,
  ConnectionAbortedError,
  ProcessLookupError,
  KeyboardInterrupt,
  SystemExit,
})) {
  brand(name, type);
}

/**
 * The message of a request to cancel that comes of an aborted signal: a string, all along its way, that has the signal's
 * reason with it.
 */
export class AbortMessage extends String {
  readonly reason: unknown;

  constructor(message: string, reason: unknown) {
    super(message);
    this.reason = reason;
  }
}

function causeOf(message: unknown): ErrorOptions | undefined {
  return message instanceof AbortMessage ? { cause: message.reason } : undefined;
}

/** Whether `error` ends the loop at once instead of being reported. */
export function leavesTheLoop(error: unknown): error is KeyboardInterrupt | SystemExit {
  return error instanceof KeyboardInterrupt || error instanceof SystemExit;
}
