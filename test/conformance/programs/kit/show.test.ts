import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { formatGeneral, show, UserError } from "./show.ts";
import { namesOf } from "./world.ts";

describe("show() spells values as Python does", () => {
  test.each([
    [null, "None"],
    [undefined, "None"],
    [true, "True"],
    [false, "False"],
    [0, "0"],
    [7, "7"],
    ["w1", "w1"],
    [[], "[]"],
    [[1, null, ["t0", true]], "[1, None, [t0, True]]"],
  ])("%j is %s", (value, expected) => {
    expect(show(value)).toBe(expected);
  });
});

describe("show() spells errors as Python does", () => {
  test("the program's own errors and cancellations carry their message", () => {
    expect(show(new UserError("w1"))).toBe("UserError(w1)");
    expect(show(new asyncio.CancelledError("w2"))).toBe("CancelledError(w2)");
    expect(show(new asyncio.CancelledError())).toBe("CancelledError()");
  });

  test("other errors are named alone, by their Python name", () => {
    expect(show(new asyncio.TimeoutError("late"))).toBe("TimeoutError");
    expect(show(new asyncio.InvalidStateError("again"))).toBe("InvalidStateError");
    expect(show(new RangeError("too often"))).toBe("ValueError");
    expect(show(new TypeError("no"))).toBe("TypeError");
  });

  test("groups list what is in them, nested ones too", () => {
    const inner = new asyncio.ExceptionGroup("inner", [new UserError("a")]);
    const outer = new asyncio.BaseExceptionGroup("outer", [inner, new asyncio.CancelledError()]);
    expect(show(outer)).toBe("ExceptionGroup[ExceptionGroup[UserError(a)], CancelledError()]");
    expect(show([new UserError("a")])).toBe("[UserError(a)]");
  });
});

describe("formatGeneral() is Python's :g", () => {
  test.each([
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-2.5, "-2.5"],
    [1000, "1000"],
    [100_000, "100000"],
    [1_000_000, "1e+06"],
    [999_999.5, "1e+06"],
    [123_456.7, "123457"],
    [1234.5678, "1234.57"],
    [0.1 + 0.2, "0.3"],
    [0.0001, "0.0001"],
    [0.00001234, "1.234e-05"],
    [1.5e300, "1.5e+300"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [Number.NaN, "nan"],
  ])("%d is %s", (value, expected) => {
    expect(formatGeneral(value)).toBe(expected);
  });
});

test("namesOf() sorts names, and knows tasks without one and bare futures", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  const [t1, t0, unnamed] = ["t1", "t0", undefined].map((name) =>
    loop.createTask(() => asyncio.sleep(0), name === undefined ? {} : { name }),
  );
  expect(namesOf([t1!, unnamed!, loop.createFuture(), t0!])).toEqual(["anonymous", "future", "t0", "t1"]);
  await loop.runUntilComplete(unnamed!);
  loop.close();
});
