/** Durations and reprs. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { toSeconds } from "../../../../src/core/base/duration.ts";
import { formatError, repr } from "../../../../src/core/base/format.ts";

describe("a duration", () => {
  test.each([
    [1.5, 1.5],
    [-3, -3],
    [Infinity, Infinity],
    [{ seconds: 2 }, 2],
    [{ minutes: 1, seconds: 30 }, 90],
    [{ days: 1, hours: 1 }, 90_000],
    [{ milliseconds: 250, microseconds: 500, nanoseconds: 0 }, 0.2505],
  ])("%o is %d seconds", (duration, seconds) => {
    expect(toSeconds(duration, "delay")).toBeCloseTo(seconds, 9);
  });

  test.each([
    [NaN, RangeError, "Invalid delay: NaN (not a number)"],
    [-Infinity, RangeError, "Invalid delay: -Infinity"],
    [{ seconds: NaN }, RangeError, "Invalid delay: NaN (not a number)"],
    ["1s", TypeError, 'received "1s"'],
    [null, TypeError, "received null"],
    [undefined, TypeError, "received undefined"],
    [{}, TypeError, "received {  }"],
    [{ fortnights: 1 }, TypeError, "received { fortnights }"],
    [{ seconds: "1" }, TypeError, "received { seconds }"],
    [5n, TypeError, "received 5"],
  ])("%o is refused with the value", (duration, Type, message) => {
    const refused = (): unknown => asyncio.sleep(duration as never);
    expect(refused).toThrow(Type);
    expect(refused).toThrow(message);
  });
});

describe("repr() shows", () => {
  class Named {
    toString(): string {
      return "<Named>";
    }
  }
  const broken = {
    toString(): string {
      throw new Error("no");
    },
  };
  const circular: unknown[] = [];
  circular.push(circular);
  const cases: [unknown, string][] = [
    ["text", "'text'"],
    [5, "5"],
    [5n, "5n"],
    [null, "null"],
    [undefined, "undefined"],
    [Symbol("s"), "Symbol(s)"],
    [function work() {}, "work()"],
    [() => {}, "anonymous()"],
    [new TypeError("bad"), "TypeError('bad')"],
    [new Error("", {}), "Error()"],
    [new AggregateError([new Error("a")], "two"), "AggregateError('two', [Error('a')])"],
    [[1, "two", [3, [4]]], "[1, 'two', [3, [...]]]"],
    [[1, 2, 3, 4, 5, 6, 7], "[1, 2, 3, 4, 5, 6, ...]"],
    [{ a: 1, b: { c: { d: 1 } } }, "{ a: 1, b: { c: {...} } }"],
    [{}, "{}"],
    [new Named(), "<Named>"],
    [new Map(), "<Map>"],
    [broken, "<unprintable>"],
    [circular, "[[[...]]]"],
  ];
  test.each(cases.map(([value, text]) => ({ value, text })))("$text", ({ value, text }) => {
    expect(repr(value)).toBe(text);
  });
});

test("formatError() shows what was thrown, whatever it was", () => {
  expect(formatError("text")).toBe("'text'");
  const bare = new Error("no stack");
  delete bare.stack;
  expect(formatError(bare)).toBe("Error: no stack");
  expect(formatError(new asyncio.CancelledError())).toBe("CancelledError");
});
