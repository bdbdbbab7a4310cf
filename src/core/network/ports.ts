/** Ports, as numbers or as text. @module */

import { repr } from "../base/format.ts";

/** @throws {RangeError} unless it is a number from 0 to 65535, or one as a string. */
export function toPort(port: number | string): number {
  const number = typeof port === "string" && /^\d+$/.test(port) ? Number(port) : port;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new RangeError(`port: expected a whole number from 0 to 65535, received ${repr(port)}`);
}
