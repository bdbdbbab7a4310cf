/** How a trace spells times, values and errors: as Python does. @module */

import { BaseExceptionGroup, CancelledError, InvalidStateError } from "asyncio-ts";

/** The error a program raises. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** Unwinds a coroutine of a program: its `["return", value]`. */
export class Return extends Error {
  override readonly name: string = "Return";
  readonly value: unknown;

  constructor(value: unknown) {
    super("a program returned");
    this.value = value;
  }
}

/** JavaScript's errors under the names of those that Python raises in their place. */
const pythonNames: ReadonlyMap<string, string> = new Map([["RangeError", "ValueError"]]);

/** A value or an error as a trace spells it. The messages of errors other than the program's own are not compared. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return showAll(value);
  if (value instanceof Error) return showError(value);
  return String(value);
}

function showAll(values: readonly unknown[]): string {
  return `[${values.map(show).join(", ")}]`;
}

function showError(error: Error): string {
  if (error instanceof BaseExceptionGroup) return `ExceptionGroup${showAll(error.exceptions)}`;
  if (error instanceof UserError || error instanceof CancelledError) return `${error.name}(${error.message})`;
  return pythonNames.get(error.name) ?? error.name;
}

/** Whether an error is JavaScript's own, or says that the library has mixed something up; a group, if one of its errors is. */
export function isNative(error: Error): boolean {
  if (error instanceof BaseExceptionGroup)
    return error.exceptions.some((inner) => inner instanceof Error && isNative(inner));
  return NATIVE.some((type) => error instanceof type);
}

const NATIVE = [RangeError, TypeError, ReferenceError, InvalidStateError];

/** A number in Python's `:g` format: six significant digits, no trailing zeros. */
export function formatGeneral(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", power = "0"] = value.toExponential(PRECISION - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < PRECISION) return trimZeros(value.toFixed(PRECISION - 1 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${trimZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const PRECISION = 6;

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}
