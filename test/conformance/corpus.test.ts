import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generators } from "./interpreter.ts";
import type { Program } from "./language.ts";
import { opsOf, parseCorpus } from "./language.ts";
import { check, checkAll, describe, firstDifference, missingOps } from "./run.ts";

const corpora = ["small", "medium", "kernel"].map((name) => {
  const programs = parseCorpus(readFileSync(new URL(`./corpus/${name}.jsonl`, import.meta.url), "utf8"));
  return { name, programs, built: programs.filter((program) => missingOps(program, generators).length === 0) };
});

test.each(corpora)("programs of the $name corpus do what they do on CPython", async ({ built }) => {
  const differences: string[] = [];
  for await (const { program, difference } of checkAll(built, generators)) {
    if (difference !== null) differences.push(`${program.id}: ${describe(difference)}`);
  }
  expect(differences).toEqual([]);
});

test("so many programs of the corpus are built", () => {
  const counts = corpora.map(({ name, built, programs }) => `${name}: ${built.length} of ${programs.length}`);
  expect(counts).toEqual(["small: 11 of 372", "medium: 2 of 519", "kernel: 326 of 326"]);
});

const program: Program = {
  id: "by hand",
  coros: { c0: [["try", [["sleep", 1]], { any: [["lock", 0, [["get", 0]]], ["reraise"]] }, [["uncancel"]]]] },
  main: [["spawn", "t0", "c0"]],
  trace: [],
};

test("opsOf() finds the ops of every block, handlers included", () => {
  expect([...opsOf(program)].toSorted()).toEqual(
    ["get", "lock", "reraise", "sleep", "spawn", "try", "uncancel"].toSorted(),
  );
});

test("check() fails a program with an op that is not built", async () => {
  const nothing = { ...generators, knows: () => false };
  const { difference } = await check({ ...program, main: [["log", "w1"]], coros: {} }, nothing);
  expect(difference).toEqual({ kind: "not built", ops: ["log"] });
});

test("firstDifference() takes the end of a trace for a line", () => {
  expect(firstDifference(["a"], ["a"])).toBeNull();
  expect(firstDifference(["a", "b"], ["a"])).toMatchObject({ line: 2, expected: "b", got: "(the end of the trace)" });
  expect(firstDifference(["a"], ["b"])).toMatchObject({ line: 1, expected: "a", got: "b" });
});
