/** A schedule as a word: whatever goes in comes out. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromToken, toToken } from "../../../../src/testing/explore/token.ts";

const recordings = fc.record({
  order: fc.constantFrom("legal" as const, "any" as const),
  seed: fc.nat(),
  cancels: fc.nat({ max: 3 }),
  lateTimers: fc.nat({ max: 3 }),
  tape: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 1000 }))),
});

const NO_FAULTS = { order: "any", cancels: 0, lateTimers: 0 } as const;

test("a recording comes back from its token, without the first options at its end", () => {
  fc.assert(
    fc.property(recordings, (recording) => {
      const end = recording.tape.findLastIndex((pick) => pick !== 0) + 1;
      expect(fromToken(toToken(recording))).toEqual({ ...recording, tape: recording.tape.slice(0, end) });
    }),
  );
});

test("a token is short: what repeats counts once", () => {
  const tape = Array.from({ length: 5000 }, (_, i) => (i < 2500 ? 0 : 1));
  expect(toToken({ ...NO_FAULTS, seed: 1, tape }).length).toBeLessThan(24);
});

test("a token with one letter changed is refused", () => {
  const token = toToken({ ...NO_FAULTS, seed: 5, tape: [0, 2, 1, 0, 7] });
  for (let i = 0; i < token.length; i++) {
    const other = token.slice(0, i) + (token[i] === "b" ? "c" : "b") + token.slice(i + 1);
    expect(() => fromToken(other)).toThrow(TypeError);
  }
});
