/** The table of CPython's methods in test/README.md is complete, and points at tests that exist. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** Module, class, methods: from CPython 3.14. */
type Methods = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

interface Row {
  readonly method: string;
  readonly ours: string;
}

const methods = JSON.parse(read("conformance/cpython/methods.json")) as Methods;
const readme = read("README.md");
const rows = readRows(readme);

/** The rows of all tables, with the module from the heading above. */
function readRows(markdown: string): Row[] {
  const found: Row[] = [];
  let module = "";
  for (const line of markdown.split("\n")) {
    module = /^### (\w+)$/.exec(line)?.[1] ?? module;
    const row = /^\| (\w+) +\| `(\w+)` +\| (.*?) +\|$/.exec(line);
    if (row !== null) found.push({ method: `${module} ${row[1]} ${row[2]}`, ours: row[3]! });
  }
  return found;
}

/** The titles of a file's tests and groups of tests. */
function titlesOf(path: string): Set<string> {
  const titles = read(path).matchAll(/\(\s*"((?:[^"\\]|\\.)+)",/g);
  return new Set([...titles].map((match) => match[1]!.replaceAll('\\"', '"')));
}

test("every method stands in the table once", () => {
  const expected = Object.entries(methods).flatMap(([module, classes]) =>
    Object.entries(classes).flatMap(([type, names]) => names.map((name) => `${module} ${type} ${name}`)),
  );
  expect(rows.map(({ method }) => method)).toEqual(expected);
});

test("every test that the table points at exists", () => {
  const known = new Map<string, Set<string>>();
  const missing: string[] = [];
  for (const { method, ours } of rows) {
    const pointers = [...ours.matchAll(/\[[^\]]+\]\(([^)]+)\): “([^”]+)”/g)];
    for (const [, path, title] of pointers) {
      if (!known.has(path!)) known.set(path!, titlesOf(path!));
      if (!known.get(path!)!.has(title!)) missing.push(`${method}: ${path} has no “${title}”`);
    }
    const reason = /^reason (\d+)$/.exec(ours);
    if (reason !== null && !readme.includes(`\n${reason[1]}. `)) missing.push(`${method}: no reason ${reason[1]}`);
    if (pointers.length === 0 && reason === null && ours !== "not yet") missing.push(`${method}: ${ours}`);
  }
  expect(missing).toEqual([]);
});

test("what has no test yet is counted", () => {
  const open = rows.filter(({ ours }) => ours === "not yet").length;
  console.log(`${rows.length} methods of CPython's suite, ${open} without a test or a reason`);
});
