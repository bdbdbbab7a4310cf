import { describe, expect, test } from "vitest";
import { readCorpora, testCorpora } from "../kit/corpus-suite.ts";
import { reasonFor } from "../kit/known-differences.ts";
import type { Interpreter } from "../kit/run.ts";
import { check, checkAll, traceOf } from "../kit/run.ts";
import { asyncFunctions, generators, mixed } from "./interpreters.ts";
import type { Program } from "./language.ts";

const corpora = readCorpora(import.meta.url, ["small", "medium", "kernel"]);
const all = corpora.flatMap(({ programs }) => programs);

testCorpora(corpora, [generators, asyncFunctions, mixed]);

describe("the known differences", () => {
  /** The programs that differ, those with eager tasks left out, since most of them do in async functions. */
  const differing = async (interpreter: Interpreter): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { program, difference } of checkAll(all, interpreter)) {
      if (difference !== null && program.eager !== true) ids.push(program.id);
    }
    return ids;
  };

  test("hold for the programs that they name, and a program that no longer differs is taken off the table", async () => {
    expect(await differing(generators)).toEqual(["21-16", "21-319", "22-25", "22-46"]);
    expect(await differing(asyncFunctions)).toEqual(["21-16", "21-319", "22-25", "22-46"]);
  });

  const circles = all.filter(({ id }) => ["22-25", "22-46"].includes(id));

  test.each(circles)("CPython overflows its stack on the circle of $id", ({ trace }) => {
    expect(trace?.at(-1)).toMatch(/^loop: (maximum recursion depth exceeded|Stack overflow)/);
  });

  const runs = circles.flatMap((program) =>
    [generators, asyncFunctions].map((interpreter) => ({ program, interpreter })),
  );

  for (const { program, interpreter } of runs) {
    test(`here the circle of ${program.id} is broken (${interpreter.syntax})`, async () => {
      const trace = await traceOf(program, interpreter);
      expect(trace.filter((line) => line.startsWith("loop: "))).toEqual([]);
      expect(trace).toContain("end t0 cancelled");
      expect(trace).toContain("end t1 cancelled");
      expect(trace.filter((line) => line.endsWith(" pending"))).toEqual([]);
    });
  }

  test("the first step of an eager task ends at the first await of an async function", async () => {
    const program: Program = {
      id: "by hand",
      objects: { locks: 1 },
      eager: true,
      coros: {
        c0: [
          ["log", "first"],
          ["lock", 0, [["log", "holding"]]],
        ],
        c1: [["return", 1]],
      },
      main: [
        ["spawn", "t0", "c0"],
        ["spawn", "t1", "c1"],
        ["state", "t1"],
        ["sleep", 0],
        ["state", "t1"],
      ],
      trace: [
        "0 t0: first",
        "0 t0: locked 0",
        "0 t0: holding",
        "0 t0: unlocked 0",
        "0 main: spawned t0",
        "0 main: spawned t1",
        "0 main: state t1 done - 0",
        "0 main: state t1 done - 0",
        "end main returned None",
        "end t0 returned None",
        "end t1 returned 1",
      ],
    };
    expect(await traceOf(program, generators)).toEqual(program.trace);
    expect(await traceOf(program, asyncFunctions)).toEqual([
      "0 t0: first",
      "0 main: spawned t0",
      "0 main: spawned t1",
      "0 main: state t1 pending - 0",
      "0 t0: locked 0",
      "0 t0: holding",
      "0 t0: unlocked 0",
      "0 main: state t1 done - 0",
      "end main returned None",
      "end t0 returned None",
      "end t1 returned 1",
    ]);
    expect(reasonFor(await check(program, asyncFunctions), asyncFunctions)).toMatch(/^the first step of an eager task/);
  });
});

test.each([generators, asyncFunctions])(
  "a program with an op that does not exist fails ($syntax)",
  async (interpreter) => {
    const main = [["jump"]] as const;
    const { difference } = await check(
      { id: "by hand", coros: {}, main, trace: ["end main returned None"] },
      interpreter,
    );
    expect(difference).toMatchObject({ kind: "trace", got: "end main raised Error" });
  },
);
