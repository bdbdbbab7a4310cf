/** What a test or a search can fail with, besides the errors of the program itself. @module */

import { AsyncioError, brand } from "../../core/base/exceptions.ts";

/**
 * What a test claims of its program does not hold: `always` found it broken after a step, `eventually` never saw it, or a body
 * of `assertSwitches` did not wait.
 */
export class InvariantError extends AsyncioError {
  readonly code: string = "ASYNCIO_INVARIANT";
}

/** The program does not come to an end: it took more than `maxSteps` steps. */
export class EndlessError extends AsyncioError {
  readonly code: string = "ASYNCIO_ENDLESS";
}

/** Something was reported to the loop's exception handler; what was raised is the `cause`. */
export class ReportedError extends AsyncioError {
  readonly code: string = "ASYNCIO_REPORTED";
}

/** The program calls what a search cannot control: a real timer, the real clock, real randomness, the network. */
export class UncontrolledError extends AsyncioError {
  readonly code: string = "ASYNCIO_UNCONTROLLED";
}

/** The program took two different courses though the same was chosen at each point: it depends on something else. */
export class NondeterminismError extends AsyncioError {
  readonly code: string = "ASYNCIO_NONDETERMINISM";
}

/** A test is over, and something that it started is not. The message says what, and where it was made. */
export class LeftoverError extends AsyncioError {
  readonly code: string = "ASYNCIO_LEFTOVER";
}

for (const [name, type] of Object.entries({
  EndlessError,
  InvariantError,
  LeftoverError,
  NondeterminismError,
  ReportedError,
  UncontrolledError,
})) {
  brand(name, type);
}
