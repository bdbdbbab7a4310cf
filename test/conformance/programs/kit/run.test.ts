import { CancelledError, sleep } from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { commonOps, coroutine } from "./generators.ts";
import { commonInstantOps } from "./instant-ops.ts";
import type { Block } from "./program.ts";
import type { Interpreter } from "./run.ts";
import { check, firstDifference } from "./run.ts";
import { World } from "./world.ts";

function spin(world: World): void {
  world.loop.callSoon(spin, world);
}

/** The ops of every language, and some that do harm. */
const instant = {
  ...commonInstantOps,
  spin,
  swallow: (world: World) => void world.start(swallowing(), "stubborn"),
  mistake: (world: World) => {
    world.loop.callSoon(() => {
      throw new RangeError("out of range");
    });
  },
};

function* swallowing(): ReturnType<typeof coroutine> {
  for (;;) {
    try {
      yield* sleep(10);
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    }
  }
}

const interpreter: Interpreter = {
  syntax: "generators",
  knownDifferences: [],
  makeWorld: (program, host) =>
    new World(program, { instant, inGenerators: commonOps, inAsyncFunctions: {}, coroutine }, host),
};

async function outcome(main: Block, trace: readonly string[] | null): Promise<string> {
  const { difference } = await check({ id: "by hand", coros: {}, main, trace }, interpreter);
  if (difference === null) return "passed";
  return difference.kind === "failure" ? String(difference.error) : `line ${difference.line}`;
}

describe("check()", () => {
  test("a program whose trace is CPython's passes", async () => {
    expect(await outcome([["log", "w1"]], ["0 main: w1", "end main returned None"])).toBe("passed");
    expect(await outcome([["log", "w1"]], ["0 main: w2", "end main returned None"])).toBe("line 1");
  });

  test("a program without a trace need only end", async () => {
    expect(await outcome([["raise", "w1"]], null)).toBe("passed");
  });

  test("a loop that spins is ended", async () => {
    const spinning: Block = [["spin"], ["sleep", 1]];
    expect(await outcome(spinning, null)).toMatch(/^TooManyTurns: the program has not ended after 10000 turns/);
  });

  test("a task that cannot be ended is a failure", async () => {
    expect(await outcome([["swallow"]], null)).toBe(
      "TooManyTurns: the program has not ended after 10000 turns of the loop",
    );
  });

  test("an error of the library's own is a failure, though the trace may be right", async () => {
    const mistaken: Block = [["mistake"], ["sleep", 0]];
    const trace = ["0 -: handler ValueError", "end main returned None"];
    expect(await outcome(mistaken, trace)).toMatch(/^Unhealthy: an error of the library's own: RangeError/);
  });
});

test("firstDifference() takes the end of a trace for a line", () => {
  expect(firstDifference(["a"], ["a"])).toBeNull();
  expect(firstDifference(["a", "b"], ["a"])).toMatchObject({ line: 2, expected: "b", got: "(the end of the trace)" });
  expect(firstDifference(["a"], ["b"])).toMatchObject({ line: 1, expected: "a", got: "b" });
});
