/** Where the library's reports go when no handler takes them: the console, or a logger of yours. @module */

/** What the library writes its reports to. Each method takes a text of one or more lines. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}

declare const console: { error(message: string): void };

const silent = (): void => {};
const toStderr = (message: string): void => console.error(message);

const consoleLogger: Logger = { debug: silent, info: silent, warning: toStderr, error: toStderr };

let current: Logger = consoleLogger;

/** The logger in use. By default warnings and errors go to standard error, and the rest is dropped. */
export function getLogger(): Logger {
  return current;
}

/**
 * Sends the library's reports to `logger`, or back to the console when it is `null`.
 *
 * ```ts
 * const lines: string[] = [];
 * const keep = (message: string) => void lines.push(message);
 * asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
 * asyncio.setLogger(null);
 * ```
 *
 * CPython: the logger named `asyncio`.
 */
export function setLogger(logger: Logger | null): void {
  current = logger ?? consoleLogger;
}
