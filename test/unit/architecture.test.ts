/** The rules of the house. The test reads text and compiles nothing; its data is in `architecture/`. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BORDERS } from "./architecture/borders.ts";
import { REFUSED, underscoreNamesIn, underscoreNamesOf, USED } from "./architecture/private-apis.ts";
import type { Room } from "./architecture/rooms.ts";
import { roomOf, ROOMS, UPWARD } from "./architecture/rooms.ts";
import { DECLARATION, files } from "./architecture/sources.ts";

/** A file longer than this is reported, so that somebody looks at it. */
const LONG_FILE = 400;

/** A worker and `run FILE` import what they are told to; the other has a line of code that is run elsewhere. */
const LOADERS: ReadonlySet<string> = new Set([
  "node/executors/worker-side.ts",
  "cli/blocked-stack.ts",
  "cli/run-file.ts",
]);

describe("rooms", () => {
  test("every file is in a room of the list, and every room has files", () => {
    expect(new Set(files.map((file) => roomOf(file.path)))).toEqual(new Set(ROOMS));
  });

  test("imports go to the same room or to one before it", () => {
    const rank = (path: string): number => ROOMS.indexOf(roomOf(path) as Room);
    const upward = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => rank(target) > rank(file.path))
        .map(({ target }) => `${file.path} imports ${target}`),
    );
    expect(upward).toEqual([]);
  });

  test("node and cli import the platform's own modules, bullmq also the package, and the others nothing foreign at all", () => {
    const mayImport = (path: string, target: string): boolean =>
      (/^(node|bullmq|cli)\//.test(path) && target.startsWith("node:")) ||
      (path.startsWith("bullmq/") && target === "bullmq");
    const foreign = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => roomOf(target) === undefined)
        .filter(({ target }) => !mayImport(file.path, target))
        .map(({ target }) => `${file.path} imports ${target}`),
    );
    expect(foreign).toEqual([]);
  });

  test("no file imports itself through others, for types neither", () => {
    const targetsOf = new Map(
      files.map((file) => [
        file.path,
        file.imports.map(({ target }) => target).filter((t) => !(file.path === UPWARD.path && t === UPWARD.target)),
      ]),
    );
    const circles: string[] = [];
    const finished = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      if (trail.includes(path) || finished.has(path)) return;
      for (const target of targetsOf.get(path) ?? []) visit(target, [...trail, path]);
      finished.add(path);
    };
    for (const path of targetsOf.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });

  test("the one import that closes a circle takes one type", () => {
    const file = files.find(({ path }) => path === UPWARD.path);
    expect(file?.imports.filter(({ target }) => target === UPWARD.target)).toHaveLength(1);
    expect(file?.text).toContain(`\n${UPWARD.statement}\n`);
  });
});

describe("borders", () => {
  test.each(ROOMS)("%s hands out these names to other rooms", (room) => {
    const taken = new Map<string, Set<string>>();
    for (const file of files.filter(({ path, isIndex }) => roomOf(path) !== room && !isIndex)) {
      for (const { target, names } of file.imports.filter((taking) => roomOf(taking.target) === room)) {
        const path = target.slice(room.length + 1);
        taken.set(path, new Set([...(taken.get(path) ?? []), ...names]));
      }
    }
    const table = [...taken].map(([path, names]) => [path, [...names].toSorted()] as const);
    expect(Object.entries(BORDERS[room])).toEqual(table.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });

  test("every exported name is imported by another file", () => {
    const taken = new Set(files.flatMap((f) => f.imports.flatMap((i) => i.names.map((name) => `${i.target} ${name}`))));
    const unused = files.flatMap((file) =>
      taken.has(`${file.path} *`) ? [] : file.exports.map((name) => `${file.path} ${name}`),
    );
    expect(unused.filter((name) => !taken.has(name))).toEqual([]);
  });

  test("a file exports what it declares, one name at a time, and imports in statements", () => {
    const hidden = files.flatMap(({ path, code, isIndex }) => {
      const exported = isIndex ? [] : (code.match(/^export .*/gm) ?? []);
      if (LOADERS.has(path)) return [];
      const odd = exported.filter((line) => !DECLARATION.test(line));
      return [...odd, ...(code.match(/\b(?:import|require)\(.*/g) ?? [])].map((line) => `${path}: ${line}`);
    });
    expect(hidden).toEqual([]);
  });
});

describe("private APIs of the platforms", () => {
  test.each(USED)("$name is used in $home alone", ({ pattern, home }) => {
    expect(files.filter(({ code }) => pattern.test(code)).map(({ path }) => path)).toEqual([home]);
  });

  test.each(REFUSED)("$name: nothing uses it", ({ pattern }) => {
    expect(files.filter(({ code }) => pattern.test(code)).map(({ path }) => path)).toEqual([]);
  });

  test("names with a leading underscore are ours", () => {
    const ours = new Set(files.flatMap(({ code }) => underscoreNamesOf(code)));
    const others = files.flatMap(({ path, code }) => {
      const known = USED.filter(({ home }) => home === path);
      return underscoreNamesIn(code)
        .filter((name) => !ours.has(name) && !known.some(({ pattern }) => pattern.test(name)))
        .map((name) => `${path}: ${name}`);
    });
    expect(others).toEqual([]);
  });

  test.each([
    "process._getActiveHandles()",
    "stream?._readableState",
    'Reflect.get(stream, "_readableState")',
    'stream["_readableState"]',
    'socket.on("_tlsError", fail)',
    "const { _readableState } = stream",
    "const { destroyed, _readableState: state } = stream",
    "stream as { readonly _readableState?: object }",
  ])("%s reaches for such a name", (code) => {
    expect(underscoreNamesIn(code)).toHaveLength(1);
  });

  test.each(["(_error: unknown): void => {}", "write(chunk: Uint8Array, _encoding) {", 'return "_GatheringFuture"'])(
    "%s does not",
    (code) => {
      expect(underscoreNamesIn(code)).toEqual([]);
    },
  );
});

describe("the map in docs/architecture.md", () => {
  const lines = linesOfTheMap();

  test("it has every file", () => {
    const paths = files.filter(({ isIndex }) => !isIndex).map(({ path }) => path);
    expect([...lines.keys()].toSorted()).toEqual(paths);
  });

  test("in its room, a file imports those of its own line or below", () => {
    const upward = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => roomOf(target) === roomOf(path) && lines.get(target)! < lines.get(path)!)
        .map(({ target }) => `${path} imports ${target}`),
    );
    expect(upward).toEqual([`${UPWARD.path} imports ${UPWARD.target}`]);
  });
});

describe("files", () => {
  test("an index only re-exports", () => {
    const codeOf = (code: string): string => code.replaceAll(/^(import|export)[^;]*;/gm, "");
    const withCode = files.filter((file) => file.isIndex && codeOf(file.code).trim() !== "");
    expect(withCode.map((file) => file.path)).toEqual([]);
  });

  test("every file begins with a comment that says what it is", () => {
    const silent = files.filter((file) => !/^(\/\/\/ <reference[^\n]*\n)?\/\*\*.*?@module.*?\*\//s.test(file.text));
    expect(silent.map((file) => file.path)).toEqual([]);
  });

  test("long files are reported", () => {
    const long = files
      .map((file) => ({ path: file.path, lines: file.text.split("\n").length }))
      .filter(({ lines }) => lines > LONG_FILE);
    for (const { path, lines } of long) console.warn(`${path} has ${lines} lines: does it hold more than one idea?`);
  });
});

/** The files on the map, and the line that each is on: the name of a room, then lines of names that are indented. */
function linesOfTheMap(): Map<string, number> {
  const page = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");
  const lines = new Map<string, number>();
  let room: Room | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    const isIndented = line.startsWith("    ");
    if (!isIndented) room = ROOMS.find((name) => line.startsWith(`${name}  `));
    else if (room !== undefined) for (const name of line.trim().split(/ +/)) lines.set(`${room}/${name}.ts`, index);
  }
  return lines;
}
