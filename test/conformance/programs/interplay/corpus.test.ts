import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { readCorpora, testCorpora } from "../kit/corpus-suite.ts";
import { reasonFor } from "../kit/known-differences.ts";
import type { Program } from "../kit/program.ts";
import { check, traceOf } from "../kit/run.ts";
import { asyncFunctions, generators, mixed } from "./interpreters.ts";

const corpora = readCorpora(import.meta.url, ["found", "small", "medium"]);
const programs = corpora.flatMap((corpus) => corpus.programs);
const interpreters = [generators, asyncFunctions, mixed];

testCorpora(corpora, interpreters);

/** A program written by hand, without a trace. */
function byHand(program: Pick<Program, "coros" | "main">): Program {
  return { id: "by hand", trace: null, ...program };
}

describe("the corpora", () => {
  test("hold every op of the language", () => {
    const { ops } = generators.makeWorld(byHand({ coros: {}, main: [] }), new VirtualHost());
    const names = [...Object.keys(ops.instant), ...Object.keys(ops.inGenerators)];
    const text = JSON.stringify(programs);
    expect(names.filter((name) => !text.includes(`["${name}"`))).toEqual([]);
  });

  test("hold programs that CPython itself does not get through", () => {
    expect(programs.filter(({ trace }) => trace === null).length).toBeGreaterThan(30);
  });
});

describe.each(interpreters)("written with $syntax", (interpreter) => {
  test("tasks that wait for each other in a circle can be cancelled, which overflows CPython's stack", async () => {
    const circle = byHand({
      coros: {
        c0: [["await_gather", ["t1", "f0"], false]],
        c1: [["await_wait_for", "t0", null]],
      },
      main: [
        ["future", "f0"],
        ["spawn", "t0", "c0", {}],
        ["spawn", "t1", "c1", {}],
        ["sleep", 1],
        ["cancel", "t0"],
      ],
    });
    expect((await check(circle, interpreter)).difference).toBeNull();
    expect(await traceOf(circle, interpreter)).toEqual(
      expect.arrayContaining(["1 main: cancel t0 True", "end t0 cancelled", "end t1 cancelled"]),
    );
  });

  test("an op that may wait does not stand in a callback", async () => {
    const waiting = byHand({
      coros: {},
      main: [
        ["soon", "h0", [["sleep", 1]]],
        ["sleep", 0],
      ],
    });
    expect(await traceOf(waiting, interpreter)).toContain("0 -: handler Error");
  });
});

test("a task that is spawned eagerly is known to end its first step at the first await of its async function", async () => {
  const program: Program = {
    id: "by hand",
    coros: {
      c0: [
        ["hold", [["log", "holding"]]],
        ["return", 1],
      ],
    },
    main: [
      ["spawn", "t0", "c0", { eager: true }],
      ["state", "t0"],
    ],
    trace: [
      "0 t0: holding",
      "0 t0: released",
      "0 main: spawned t0",
      "0 main: state t0 returned 1",
      "end main returned None",
      "end t0 returned 1",
    ],
  };
  expect((await check(program, generators)).difference).toBeNull();
  const result = await check(program, asyncFunctions);
  expect(result.difference).toMatchObject({ kind: "trace", line: 1 });
  expect(reasonFor(result, asyncFunctions)).toMatch(/^the first step of an eager task/);
});
