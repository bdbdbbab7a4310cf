/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** CPython's test_staggered in our words. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { failAfter, play, raisedBy } from "./suite.ts";

const { sleep, staggeredRace } = asyncio;
const cancelled = expect.any(asyncio.CancelledError) as unknown;

test("without attempts nobody wins", async () => {
  await play(function* () {
    expect(yield* staggeredRace([], null)).toEqual({ winner: undefined, index: null, exceptions: [] });
  });
});

test("the first succeeds: the second is never started", async () => {
  await play(async () => {
    const started: number[] = [];
    const attempt = (index: number) => async () => {
      started.push(index);
      await sleep(0);
      return `Res: ${index}`;
    };
    expect(await staggeredRace([attempt(0), attempt(1)], null)).toEqual({
      winner: "Res: 0",
      index: 0,
      exceptions: [null],
    });
    expect(started).toEqual([0]);
  });
});

test("the first fails: the second is started at once, delay or not", async () => {
  await play(function* ({ loop }) {
    for (const delay of [null, 100]) {
      const before = loop.time();
      const result = yield* staggeredRace<unknown>(
        [() => failAfter(0, new RangeError("0")), () => sleep(1, "Res: 1")],
        delay,
      );
      expect(result).toEqual({ winner: "Res: 1", index: 1, exceptions: [new RangeError("0"), null] });
      expect(loop.time() - before).toBe(1);
    }
  });
});

test("the first takes longer than the delay: the second is started and wins, the first is cancelled", async () => {
  await play(function* ({ loop }) {
    const result = yield* staggeredRace([() => sleep(10, "slow"), () => sleep(0, "fast")], 1);
    expect(result).toEqual({ winner: "fast", index: 1, exceptions: [cancelled, null] });
    expect(loop.time()).toBe(1);
  });
});

test("all fail: no winner, and every error", async () => {
  await play(async () => {
    const result = await staggeredRace(
      [() => failAfter(0, new RangeError("0")), () => failAfter(0, new TypeError("1"))],
      null,
    );
    expect(result).toEqual({
      winner: undefined,
      index: null,
      exceptions: [new RangeError("0"), new TypeError("1")],
    });
  });
});

test("two could end in the same turn: the first of them wins, everybody else is cancelled", async () => {
  await play(function* () {
    const event = new asyncio.Event();
    const attempt = (index: number) =>
      function* (): asyncio.CoroutineGenerator<unknown> {
        yield* event.wait();
        return index;
      };
    const result = yield* staggeredRace<unknown>(
      [
        attempt(0),
        attempt(1),
        function* () {
          event.set();
          yield* new asyncio.Event().wait();
        },
      ],
      0.1,
    );
    expect(result).toEqual({ winner: 0, index: 0, exceptions: [null, cancelled, cancelled] });
  });
});

test("cancelled from outside twice: the attempt hears both, then the race is cancelled", async () => {
  const record: string[] = [];
  await play(function* () {
    const task = asyncio.createTask(function* () {
      const attempt = function* () {
        for (const time of ["first", "second"]) {
          try {
            yield* sleep(100);
          } catch (error) {
            record.push(`${time} ${(error as Error).message}`);
          }
        }
      };
      try {
        yield* staggeredRace([attempt], null);
      } catch (error) {
        record.push(`race ${(error as Error).name}`);
        throw error;
      }
    });
    yield* sleep(1);
    task.cancel("a");
    yield* sleep(1);
    task.cancel("b");
    yield* asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
  expect(record).toEqual(["first a", "second b", "race CancelledError"]);
});

test("staggeredRace(): an attempt that raises CancelledError of its own has failed, and the next one starts", async () => {
  await play(function* () {
    const error = new asyncio.CancelledError("of its own");
    const result = yield* staggeredRace<unknown>(
      [
        function* (): asyncio.CoroutineGenerator<never> {
          throw error;
        },
        () => sleep(1, "second"),
      ],
      null,
    );
    expect(result).toEqual({ winner: "second", index: 1, exceptions: [error, null] });
  });
});

test("staggeredRace(): one that swallows its cancellation and returns late does not replace the winner", async () => {
  await play(function* () {
    const result = yield* staggeredRace<unknown>(
      [
        function* () {
          yield* raisedBy(sleep(100));
          return "stubborn";
        },
        () => sleep(1, "first"),
      ],
      1,
    );
    expect([result.winner, result.index]).toEqual(["first", 1]);
  });
});
