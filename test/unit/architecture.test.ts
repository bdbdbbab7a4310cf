/** The rules of the folders: imports point down, nothing goes in a circle, files stay readable. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/** From the bottom up: a folder imports itself and those before it. */
const FOLDERS = ["core", "testing", "node"];

/** A file longer than this is reported, so that somebody looks at it. */
const LONG_FILE = 400;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly target: string; readonly typeOnly: boolean }[];
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(source, path), "utf8");
    return { path, text, imports: importsOf(path, text) };
  });

function importsOf(path: string, text: string): SourceFile["imports"] {
  const statements = text.matchAll(/^(?:import|export)\s(type\s)?(?:[^;"']*?\sfrom\s)?["']([^"']+)["'];/gms);
  return [...statements].map(([, typeOnly, specifier = ""]) => ({
    typeOnly: typeOnly !== undefined,
    target: specifier.startsWith(".") ? relative(source, join(source, dirname(path), specifier)) : specifier,
  }));
}

function folderOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
}

test("every folder of src is in the list of layers", () => {
  expect([...new Set(files.map((file) => folderOf(file.path)))].toSorted()).toEqual(FOLDERS.toSorted());
});

test("imports go to the same folder or to one below", () => {
  const upward = files.flatMap((file) =>
    file.imports
      .filter(({ target }) => FOLDERS.includes(folderOf(target)))
      .filter(({ target }) => FOLDERS.indexOf(folderOf(target)) > FOLDERS.indexOf(folderOf(file.path)))
      .map(({ target }) => `${file.path} imports ${target}`),
  );
  expect(upward).toEqual([]);
});

test("core and testing import nothing but core and themselves", () => {
  const foreign = files
    .filter((file) => folderOf(file.path) !== "node")
    .flatMap((file) => file.imports.filter(({ target }) => !FOLDERS.includes(folderOf(target))));
  expect(foreign).toEqual([]);
});

test("no file imports itself through others at run time", () => {
  const targets = new Map(
    files.map((file) => [file.path, file.imports.filter((i) => !i.typeOnly).map((i) => i.target)] as const),
  );
  const circles: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (trail.includes(path) || finished.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test("an index only re-exports", () => {
  const codeOf = (text: string): string =>
    text.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/^(import|export)[^;]*;/gm, "");
  const withCode = files.filter((file) => file.path.endsWith("index.ts") && codeOf(file.text).trim() !== "");
  expect(withCode.map((file) => file.path)).toEqual([]);
});

test("every file begins with a comment that says what it is", () => {
  const silent = files.filter((file) => !/^(\/\/\/ <reference[^\n]*\n)?\/\*\*.*?@module.*?\*\//s.test(file.text));
  expect(silent.map((file) => file.path)).toEqual([]);
});

test("private platform APIs stay in node/platform/microtasks.ts", () => {
  const elsewhere = files.filter(
    (file) => file.path !== "node/platform/microtasks.ts" && file.text.includes("_tickCallback"),
  );
  expect(elsewhere.map((file) => file.path)).toEqual([]);
});

test("long files are reported", () => {
  const long = files
    .map((file) => ({ path: file.path, lines: file.text.split("\n").length }))
    .filter(({ lines }) => lines > LONG_FILE);
  for (const { path, lines } of long) console.warn(`${path} has ${lines} lines: does it hold more than one idea?`);
});
