/** Errors that come from elsewhere: taken apart there, and put together here. @module */

import { OWN_FOLDER } from "../base/stack.ts";

/** An error as it travels: a structured clone would lose its name, its code and its own properties. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly cause?: PackedError;
  /** Of several in one. */
  readonly errors?: readonly PackedError[];
  /** What was thrown and is no error. */
  readonly thrown?: string;
}

const DEEPEST = 8;

/** Takes `error` apart; what it holds must be data. */
export function packError(error: unknown, depth: number = 0): PackedError {
  if (!(error instanceof Error) || depth === DEEPEST) {
    return { name: "Error", message: `thrown: ${String(error)}`, stack: "", properties: {}, thrown: String(error) };
  }
  const { name, message, stack = "", cause } = error;
  const own = Object.entries(error).filter(([key, value]) => key !== "cause" && key !== "errors" && isData(value));
  return {
    name,
    message,
    stack,
    properties: Object.fromEntries(own),
    ...(cause === undefined ? {} : { cause: packError(cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: error.errors.map((one) => packError(one, depth + 1)) } : {}),
  };
}

function isData(value: unknown): boolean {
  return ["string", "number", "boolean", "bigint"].includes(typeof value);
}

const NATIVE: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/**
 * The error again: of the native class of its name if there is one, with its name, message, code and cause; and with the
 * stack it had in `where`, above that of `here`, where the work was asked for.
 */
export function unpackError(packed: PackedError, where: string, here: Error): Error {
  const { name, message, stack, properties, cause, errors } = packed;
  const options = cause === undefined ? {} : { cause: unpackError(cause, where, here) };
  const inner = errors?.map((one) => unpackError(one, where, here));
  const error =
    inner === undefined ? new (NATIVE[name] ?? Error)(message, options) : new AggregateError(inner, message, options);
  if (error.name !== name) {
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  }
  const lines = [`${name}: ${message}`, ...framesOf(stack), `    --- ${where}, asked for ---`, ...framesOf(here.stack)];
  error.stack = lines.join("\n");
  // One of this library's is known by its mark; a cancellation of something there is none of anything here.
  if (String(properties["code"]).startsWith("ASYNCIO_") && name !== "CancelledError") {
    Object.defineProperty(error, Symbol.for(`asyncio-ts.${name}`), { value: true });
  }
  return Object.assign(error, properties);
}

/** The lines of a stack, without the library's own. */
function framesOf(stack: string = ""): string[] {
  const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.filter((line) => OWN_FOLDER === undefined || !line.includes(OWN_FOLDER));
}
