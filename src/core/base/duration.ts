/** Times as the API takes them: seconds, or an object that names its units. @module */

/**
 * A length of time: a number of **seconds** as in Python, or an object with named units, which are added up. A
 * `Temporal.Duration` has this shape.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   await asyncio.sleep(0.001);
 *   await asyncio.sleep({ milliseconds: 1 });
 * });
 * ```
 */
export type Duration = number | DurationLike;

/** A length of time in named units; those left out count nothing. */
export interface DurationLike {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
  readonly microseconds?: number;
  readonly nanoseconds?: number;
}

const SECONDS_IN: Readonly<Record<keyof DurationLike, number>> = {
  days: 86_400,
  hours: 3_600,
  minutes: 60,
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
  nanoseconds: 1e-9,
};

const UNITS = Object.keys(SECONDS_IN) as (keyof DurationLike)[];

/**
 * `value` in seconds. Infinity is a duration too (never); `what` names the value in errors.
 *
 * @throws {TypeError} if `value` is neither a number nor an object with units.
 * @throws {RangeError} if it is not a number of seconds: `NaN` or minus infinity.
 */
export function toSeconds(value: Duration, what: string): number {
  const seconds = typeof value === "number" ? value : sumOfUnits(value, what);
  if (Number.isNaN(seconds)) throw new RangeError(`Invalid ${what}: NaN (not a number)`);
  if (seconds === -Infinity) throw new RangeError(`Invalid ${what}: -Infinity`);
  return seconds;
}

/** What a deadline `seconds` from its beginning says when it has passed. */
export function timedOut(seconds: number): string {
  return `timed out after ${seconds} ${seconds === 1 ? "second" : "seconds"}`;
}

function sumOfUnits(value: DurationLike, what: string): number {
  let seconds = 0;
  let named = false;
  if (typeof value === "object" && value !== null) {
    for (const unit of UNITS) {
      const amount = value[unit];
      if (amount === undefined) continue;
      if (typeof amount !== "number") throw notADuration(value, what);
      named = true;
      seconds += amount * SECONDS_IN[unit];
    }
  }
  if (!named) throw notADuration(value, what);
  return seconds;
}

function notADuration(value: unknown, what: string): TypeError {
  const received = typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : describe(value);
  return new TypeError(
    `Invalid ${what}: expected seconds or an object such as { milliseconds: 250 }, received ${received}`,
  );
}

function describe(value: unknown): string {
  if (typeof value !== "object") return String(value);
  return `{ ${Object.keys(value as object).join(", ")} }`;
}
