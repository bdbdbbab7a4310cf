/** CircuitBreaker. */

import * as asyncio from "asyncio-ts";
import { CircuitBreaker, CircuitOpenError } from "asyncio-ts/structured";
import { asyncTest, waitAllTasksBlocked } from "asyncio-ts/testing";
import { expect, test } from "vitest";

const { createTask, sleep } = asyncio;

const fail = async (): Promise<never> => await Promise.reject(new Error("503"));
const succeed = async (): Promise<string> => "200";

test(
  "it opens after so many failures in a row, and a success ends the row",
  asyncTest(async () => {
    const breaker = new CircuitBreaker({ failures: 2, resetAfter: 30 });
    await expect(breaker.run(fail)).rejects.toThrow("503");
    expect(await breaker.run(succeed)).toBe("200");
    for (let i = 0; i < 2; i++) await expect(breaker.run(fail)).rejects.toThrow("503");
    expect([breaker.state, String(breaker)]).toEqual(["open", "<CircuitBreaker open failures=2>"]);
    await expect(breaker.run(succeed)).rejects.toThrow(
      "the circuit is open for 30 seconds more, after 2 failures in a row",
    );
  }),
);

test(
  "after a while one call tries: it closes the circuit, or opens it again",
  asyncTest(function* () {
    const breaker = new CircuitBreaker({ failures: 1, resetAfter: 10 });
    function* failing() {
      yield* sleep(1);
      throw new Error("503");
    }
    const run = function* (body: () => Generator<never, unknown, unknown>) {
      try {
        return yield* breaker.run(body as never);
      } catch (error) {
        return error;
      }
    };
    yield* run(failing as never);
    yield* sleep(10);
    expect(breaker.state).toBe("half-open");
    const trial = createTask(() => run(failing as never));
    yield* sleep(0);
    expect(yield* run(failing as never)).toBeInstanceOf(CircuitOpenError);
    yield* trial;
    expect(breaker.state).toBe("open");
    yield* sleep(10);
    yield* breaker.run(function* () {
      yield* sleep(1);
    });
    expect(breaker.state).toBe("closed");
  }),
);

test(
  "a cancellation says nothing of the other side, and the next call may try",
  asyncTest(async () => {
    const breaker = new CircuitBreaker({ failures: 1, resetAfter: 10 });
    await expect(breaker.run(fail)).rejects.toThrow("503");
    await sleep(10);
    const trial = createTask(breaker.run(async () => await sleep(60)));
    await waitAllTasksBlocked();
    trial.cancel();
    await asyncio.wait([trial]);
    expect([trial.cancelled(), breaker.state]).toEqual([true, "half-open"]);
    expect(await breaker.run(succeed)).toBe("200");
    expect(breaker.state).toBe("closed");
  }),
);

test(
  "a call that began before the circuit opened does not close it, and other errors do not count",
  asyncTest(async () => {
    const breaker = new CircuitBreaker({
      failures: 1,
      resetAfter: 10,
      isFailure: (error) => error instanceof RangeError,
    });
    await expect(breaker.run(fail)).rejects.toThrow("503");
    expect(breaker.state).toBe("closed");
    const slow = createTask(breaker.run(async () => await sleep(5, "late")));
    await waitAllTasksBlocked();
    await expect(breaker.run(async () => await Promise.reject(new RangeError("down")))).rejects.toThrow("down");
    expect(await slow).toBe("late");
    expect(breaker.state).toBe("open");
  }),
);

test("bad options are errors at the call", () => {
  expect(() => new CircuitBreaker({ failures: 0, resetAfter: 1 })).toThrow("failures must be at least 1");
  expect(() => new CircuitBreaker({ failures: 1, resetAfter: 0 })).toThrow("resetAfter must be positive");
});
