/** Where a call came from: V8's stack traces, as far as the library reads them. @module */

/** V8, JavaScriptCore and newer engines have it; elsewhere setting it does nothing. */
const Limited = Error as ErrorConstructor & { stackTraceLimit: number };

/** Errors made until {@link resumeStacks} carry no stack, and cost a tenth. Returns what to resume with. */
export function suspendStacks(): number {
  const limit = Limited.stackTraceLimit;
  Limited.stackTraceLimit = 0;
  return limit;
}

export function resumeStacks(limit: number): void {
  Limited.stackTraceLimit = limit;
}

/**
 * The stack of the caller as lines `name (file:line:column)`, innermost first, at most `limit` of them.
 *
 * @param skip how many innermost frames to leave out, this function's not counted.
 */
export function captureStack(skip: number, limit: number): string[] {
  const before = Limited.stackTraceLimit;
  Limited.stackTraceLimit = skip + 1 + limit;
  const stack = new Error("stack").stack ?? "";
  Limited.stackTraceLimit = before;
  return stack
    .split("\n")
    .slice(skip + 2)
    .map((line) => line.trim().replace(/^at /, ""));
}

/** The `file:line:column` of a line of {@link captureStack}. */
export function locationOf(line: string): string {
  return /\(([^()]*)\)$/.exec(line)?.[1] ?? line;
}
