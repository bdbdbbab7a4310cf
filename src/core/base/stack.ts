/** Where a call came from: V8's stack traces, as far as the library reads them. @module */

/** V8, JavaScriptCore and newer engines have it; elsewhere setting it does nothing. */
const Limited = Error as ErrorConstructor & { stackTraceLimit: number };

/** Errors made until {@link resumeStacks} carry no stack, and cost a tenth. Returns what to resume with. */
export function suspendStacks(): number {
  const limit = Limited.stackTraceLimit;
  resumeStacks(0);
  return limit;
}

export function resumeStacks(limit: number): void {
  try {
    Limited.stackTraceLimit = limit;
  } catch {
    // The intrinsics are frozen (`node --frozen-intrinsics`): errors have their stacks, at their price.
  }
}

/**
 * Has V8 write the stack of `error` now. Until it is read, V8 holds the objects of all its frames, and with them
 * what waits to be collected.
 */
export function readStack(error: unknown): void {
  try {
    void (error as { readonly stack?: unknown } | null | undefined)?.stack;
  } catch {
    // A stack that cannot be read holds nothing.
  }
}

/**
 * Where the library's own files lie; their frames say nothing about the user's program. Read off a stack, and not off
 * `import.meta`, which no transform to CommonJS can take.
 */
export const OWN_FOLDER: string | undefined = /((?:\w+:\/\/)?\/[^\s()]*\/)[^/\s()]+\/[^/\s()]+\/[^/\s()]+:\d+:\d+/
  .exec(String(new Error("here").stack))?.[1]
  ?.replace(/^file:\/\//, "");

/** This place of the program, as an error whose stack, of `depth` frames, is written only when it is read. */
export function placeOf(depth: number): Error {
  const before = Limited.stackTraceLimit;
  resumeStacks(depth);
  const place = new Error("here");
  resumeStacks(before);
  return place;
}

/** How many of the library's own frames may lie above the user's. */
const OWN_FRAMES = 11;

/** The stack of the user's code as lines `name (file:line:column)`, innermost first, at most `limit` of them. */
export function captureStack(limit: number): string[] {
  const { stack } = placeOf(limit + OWN_FRAMES) as { readonly stack?: unknown };
  if (typeof stack !== "string") return [];
  const lines = stack.split("\n").slice(1).map(withoutAt);
  const first = lines.findIndex((line) => OWN_FOLDER === undefined || !line.includes(OWN_FOLDER));
  return lines.slice(Math.max(first, 0), Math.max(first, 0) + limit);
}

/** The `file:line:column` of a line of {@link captureStack}. */
export function locationOf(line: string): string {
  return /\(([^()]*)\)$/.exec(line)?.[1] ?? line;
}

function withoutAt(line: string): string {
  return line.trim().replace(/^at /, "");
}
