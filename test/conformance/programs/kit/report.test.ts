import { expect, test } from "vitest";
import { asyncFunctions, generators } from "../primitives/interpreters.ts";
import { reasonFor } from "./known-differences.ts";
import type { Program } from "./program.ts";
import { Report } from "./report.ts";
import { check } from "./run.ts";

const overflow = "loop: maximum recursion depth exceeded";

function program(id: string, trace: readonly string[], rest: Partial<Program> = {}): Program {
  return { id, coros: {}, main: [["log", "w1"]], trace, ...rest };
}

test("a report counts each program once a syntax, and lists known differences apart", async () => {
  const lines: string[] = [];
  const report = new Report((line) => lines.push(line));
  const programs = [
    program("right", ["0 main: w1", "end main returned None"]),
    program("wrong", ["0 main: w2", "end main returned None"]),
    program("22-25", ["0 main: w1", overflow]),
    program("eager", [], { eager: true }),
  ];
  await report.check(programs, [generators, asyncFunctions]);
  report.end();
  expect(lines).toEqual([
    "FAILED wrong (generators): line 1 differs\n  expected  0 main: w2\n  got       0 main: w1",
    "FAILED eager (generators): line 1 differs\n  expected  (the end of the trace)\n  got       0 main: w1",
    "FAILED wrong (async): line 1 differs\n  expected  0 main: w2\n  got       0 main: w1",
    expect.stringMatching(
      /^known to differ, not counted: 22-25 \(generators\), 22-25 \(async\)\n {2}CPython overflows/,
    ),
    expect.stringMatching(/^known to differ, not counted: eager \(async\)\n {2}the first step of an eager task/),
    "2 passed, 3 failed",
  ]);
});

test("only the programs that the table names are known to run out of CPython's stack", async () => {
  const lines: string[] = [];
  const report = new Report((line) => lines.push(line));
  await report.check([program("22-26", [overflow]), program("22-46", ["0 main: w2"])], [generators]);
  report.end();
  expect(report.failing.map((failing) => failing.program.id)).toEqual(["22-26", "22-46"]);
  expect(lines.at(-1)).toBe("0 passed, 2 failed");
});

test("a program that could not be run to its end fails, whatever is known of it", async () => {
  const eager = program("eager", [], { eager: true });
  const noHost = (): never => {
    throw new Error("no host");
  };
  const result = await check(eager, asyncFunctions, noHost);
  expect(result.difference).toMatchObject({ kind: "failure" });
  expect(reasonFor(result, asyncFunctions)).toBeNull();
  expect(reasonFor(await check(eager, asyncFunctions), asyncFunctions)).not.toBeNull();
});
