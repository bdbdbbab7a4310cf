/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/** What CPython does and the library does not do yet. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { play, raisedBy } from "./suite.ts";

const { sleep } = asyncio;

test("staggeredRace(): an attempt that raises CancelledError of its own has failed, and the next one starts", async () => {
  await play(function* () {
    const error = new asyncio.CancelledError("of its own");
    const result = yield* asyncio.staggeredRace<unknown>(
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
    const result = yield* asyncio.staggeredRace<unknown>(
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
