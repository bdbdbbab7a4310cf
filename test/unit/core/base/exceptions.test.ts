import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

const { CancelledError, ExceptionGroup, BaseExceptionGroup } = asyncio;

test.each([
  [asyncio.CancelledError, "ASYNCIO_CANCELLED"],
  [asyncio.TimeoutError, "ASYNCIO_TIMEOUT"],
  [asyncio.InvalidStateError, "ASYNCIO_INVALID_STATE"],
  [asyncio.RuntimeError, "ASYNCIO_RUNTIME"],
  [asyncio.DeadlockError, "ASYNCIO_DEADLOCK"],
  [asyncio.KeyboardInterrupt, "ASYNCIO_KEYBOARD_INTERRUPT"],
])("%o has a stable code, Python's name, and is an Error", (Type, code) => {
  const error = new Type("message");
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(asyncio.AsyncioError);
  expect([error.code, error.name, error.message]).toEqual([code, Type.name, "message"]);
});

test("SystemExit carries the exit code", () => {
  expect([new asyncio.SystemExit().exitCode, new asyncio.SystemExit(3).exitCode]).toEqual([0, 3]);
});

test("instanceof recognises the errors of another copy of the package, and no others", () => {
  const foreign = { [Symbol.for("asyncio-ts.CancelledError")]: true };
  expect(foreign instanceof CancelledError).toBe(true);
  expect(foreign instanceof asyncio.TimeoutError).toBe(false);
  expect((new Error("plain") as unknown) instanceof CancelledError).toBe(false);
  expect((null as unknown) instanceof CancelledError).toBe(false);
  class Mine extends CancelledError {}
  expect(new Mine() instanceof CancelledError).toBe(true);
  expect(foreign instanceof Mine).toBe(false);
});

test("a CancelledError carries no stack, and leaves the stacks of others alone", () => {
  expect(new CancelledError("why").stack).toBe("CancelledError: why");
  expect(new Error("other").stack).toContain("exceptions.test.ts");
});

test("rethrowIfCancelled() throws what a catch-all must let pass", () => {
  for (const error of [new CancelledError(), new asyncio.KeyboardInterrupt(), new asyncio.SystemExit()]) {
    expect(() => asyncio.rethrowIfCancelled(error)).toThrow(error);
    expect(asyncio.isException(error)).toBe(false);
  }
  for (const error of [new Error("plain"), new asyncio.TimeoutError(), "text", undefined]) {
    expect(() => asyncio.rethrowIfCancelled(error)).not.toThrow();
    expect(asyncio.isException(error)).toBe(true);
  }
  expect([asyncio.isCancelled(new CancelledError()), asyncio.isCancelled(new Error("x"))]).toEqual([true, false]);
});

test("an ExceptionGroup is an AggregateError with Python's names", () => {
  const errors = [new TypeError("a"), new RangeError("b")];
  const group = new ExceptionGroup("two", errors, { cause: "why" });
  expect(group).toBeInstanceOf(AggregateError);
  expect([group.name, group.message, group.exceptions, group.errors, group.cause]).toEqual([
    "ExceptionGroup",
    "two",
    errors,
    errors,
    "why",
  ]);
  expect(() => new ExceptionGroup("none", [])).toThrow(RangeError);
  expect(() => new ExceptionGroup("no", [new CancelledError()])).toThrow("use BaseExceptionGroup");
  const base = new BaseExceptionGroup("base", [new CancelledError()]);
  expect([base.name, asyncio.isException(base), asyncio.isException(group)]).toEqual([
    "BaseExceptionGroup",
    false,
    true,
  ]);
});

test("split() and subgroup() select by class, by several classes and by a test, keeping the nesting", () => {
  const [type, range, syntax] = [new TypeError("t"), new RangeError("r"), new SyntaxError("s")];
  const group = new ExceptionGroup("outer", [type, new ExceptionGroup("inner", [range, syntax])]);
  const [match, rest] = group.split([TypeError, RangeError]);
  expect(match).toEqual(new ExceptionGroup("outer", [type, new ExceptionGroup("inner", [range])]));
  expect(rest).toEqual(new ExceptionGroup("outer", [new ExceptionGroup("inner", [syntax])]));
  expect(group.split(Error)).toEqual([group, null]);
  expect(group.subgroup(EvalError)).toBeNull();
  expect(group.subgroup((error) => error === type)?.exceptions).toEqual([type]);
  expect(match?.stack).toBe(group.stack);
});

test("a group with a cancellation splits into groups of the right kind", () => {
  const group = new BaseExceptionGroup("mixed", [new CancelledError(), new TypeError("t")]);
  const [cancelled, rest] = group.split(CancelledError);
  expect([cancelled?.name, rest?.name]).toEqual(["BaseExceptionGroup", "ExceptionGroup"]);
});

test("derive() keeps a subclass through split()", () => {
  class Mine extends ExceptionGroup {
    override derive(errors: readonly unknown[]): Mine {
      return new Mine(this.message, errors);
    }
  }
  const group = new Mine("mine", [new TypeError("t"), new RangeError("r")]);
  expect(group.subgroup(TypeError)).toBeInstanceOf(Mine);
});

test("a message that cannot be a string does not switch stack traces off for ever", () => {
  const before = Error.stackTraceLimit;
  try {
    expect(new asyncio.CancelledError(Symbol("message") as never).message).toBe("Symbol(message)");
    expect(Error.stackTraceLimit).toBe(before);
  } finally {
    Error.stackTraceLimit = before;
  }
});
