/**
 * `table.json` names every method of the test modules of CPython 3.14 that it covers, in CPython's order and without the
 * prefix `test_`; beside each method are the tests that stand for it here, or the number of the reason why it has none.
 *
 * What CPython has was counted and hashed once, from its sources: that is `recorded`. So a method that is left out,
 * renamed, moved or written twice here does not go unnoticed.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Table {
  /** By number. */
  readonly reasons: Readonly<Record<string, string>>;
  /** By CPython's name of the module. */
  readonly modules: Readonly<Record<string, Module>>;
}

interface Module {
  /** How many methods CPython's module has, and the hash of their names: see {@link hashOf}. */
  readonly recorded: { readonly methods: number; readonly sha256: string };
  /** By class, then by method. */
  readonly classes: Readonly<Record<string, Readonly<Record<string, Answer>>>>;
}

/** The tests that stand for a method, or the number of a reason. */
type Answer = readonly Pointer[] | number;

interface Pointer {
  /** Relative to `test/`. */
  readonly file: string;
  /** The title as it is written in the file: of a test, or of a group of tests. */
  readonly title: string;
}

const MODULES = 26;
const METHODS = 1127;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const text = read("conformance/cpython/table.json");
const table = JSON.parse(text) as Table;
const modules = Object.entries(table.modules).map(([name, module]) => ({ name, module, methods: methodsOf(module) }));
const all = modules.flatMap(({ methods }) => methods);

test("every module of CPython's that is covered stands in the table", () => {
  expect(modules).toHaveLength(MODULES);
  expect(all).toHaveLength(METHODS);
});

test.each(modules)("$name: each of CPython's methods stands in the table once and in order", ({ module, methods }) => {
  expect({ methods: methods.length, sha256: hashOf(methods) }).toEqual(module.recorded);
});

test("no key stands in the table twice, of which JSON would keep the last one", () => {
  expect(text).toBe(`${JSON.stringify(table, null, 2)}\n`);
});

describe("the answers", () => {
  test("each method has a test or a reason", () => {
    const open = all.filter(({ answer }) => typeof answer !== "number" && answer.length === 0);
    expect(open).toEqual([]);
  });

  test("every test that the table points at exists", () => {
    const titles = new Map<string, Set<string>>();
    const missing: string[] = [];
    for (const { type, method, answer } of all) {
      for (const { file, title } of typeof answer === "number" ? [] : answer) {
        if (!titles.has(file)) titles.set(file, titlesOf(file));
        if (!titles.get(file)!.has(title)) missing.push(`${type} ${method}: ${file} has no “${title}”`);
      }
    }
    expect(missing).toEqual([]);
  });

  test("every reason that the table names exists, and every reason is named", () => {
    const named = new Set(all.flatMap(({ answer }) => (typeof answer === "number" ? [answer] : [])));
    expect([...named].toSorted((a, b) => a - b)).toEqual(Object.keys(table.reasons).map(Number));
  });
});

interface Method {
  readonly type: string;
  readonly method: string;
  readonly answer: Answer;
}

/** The methods of a module, in order. */
function methodsOf({ classes }: Module): Method[] {
  return Object.entries(classes).flatMap(([type, methods]) =>
    Object.entries(methods).map(([method, answer]) => ({ type, method, answer })),
  );
}

/** The hash of the lines "class method". */
function hashOf(methods: readonly Method[]): string {
  const lines = methods.map(({ type, method }) => `${type} ${method}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/** The titles of a file's tests and groups of tests. */
function titlesOf(path: string): Set<string> {
  const titles = read(path).matchAll(/\(\s*"((?:[^"\\]|\\.)+)",/g);
  return new Set([...titles].map((match) => match[1]!.replaceAll('\\"', '"')));
}
