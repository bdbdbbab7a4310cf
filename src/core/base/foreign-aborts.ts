/** What foreign code makes of a request to cancel, when we tell it by a signal: errors of its own, with ours as the cause. @module */

import { CancelledError } from "./exceptions.ts";

/** The requests to cancel that were told to foreign code, as the reason of a signal's abort. */
const told: WeakSet<object> = new WeakSet();

/** A request to cancel as foreign code gets it: the errors that it makes of it are known by {@link cancellationOf}. */
export function tellCancellation(message: string | undefined): CancelledError {
  const error = new CancelledError(message);
  told.add(error);
  return error;
}

/** How far the causes of an error are followed. */
const MOST_CAUSES = 8;

/**
 * The request to cancel that `error` comes of, or `null`: the request itself; what foreign code made of it when we aborted
 * its signal (Node's `AbortError`), whose `cause` or `reason` it is; all errors of `Promise.any`; both of `await using`.
 *
 * @param wasTold a signal of ours was aborted where the error comes from: one that only says that it was aborted, without
 * a cause (axios' `CanceledError`), is the answer to that.
 */
export function cancellationOf(error: unknown, wasTold: boolean = false): CancelledError | null {
  if (error instanceof CancelledError) return error;
  try {
    const isAnswer = answered(error, 0) || (wasTold && saysAborted(error));
    return isAnswer ? new CancelledError((error as Error).message, { cause: error }) : null;
  } catch {
    // An error that cannot be looked at.
    return null;
  }
}

/** The names and codes of errors that say so: the platform's, and axios'. */
const ABORTED: ReadonlySet<unknown> = new Set(["AbortError", "ABORT_ERR", "CanceledError", "ERR_CANCELED"]);

/** Where an error may hold others: an `AggregateError`, a `SuppressedError`, one of Node's. */
interface Foreign {
  readonly cause?: unknown;
  readonly reason?: unknown;
  readonly errors?: unknown;
  readonly error?: unknown;
  readonly suppressed?: unknown;
}

function saysAborted(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown };
  return cause === undefined && (ABORTED.has(name) || ABORTED.has(code));
}

function answered(error: unknown, depth: number): boolean {
  if (typeof error !== "object" || error === null || depth === MOST_CAUSES) return false;
  if (told.has(error)) return true;
  const { cause, reason, errors, suppressed } = error as Foreign;
  if (answered(cause, depth + 1) || answered(reason, depth + 1)) return true;
  // Of several errors of our own making, such as a group's, some may be none. With `await using` the request may come twice.
  const any = error.constructor === AggregateError ? errors : suppressed && [suppressed, (error as Foreign).error];
  return Array.isArray(any) && any.length > 0 && any.every(isCancelled);
}

/** Whether `error` is a request to cancel, or what foreign code made of one: an `AbortError` whose cause it is. */
export function isCancelled(error: unknown): error is Error {
  return cancellationOf(error) !== null;
}
