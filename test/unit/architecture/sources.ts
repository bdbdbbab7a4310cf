/** The files of `src` as text: what each imports and exports. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** One statement that takes names from another file. */
export interface Import {
  /** The path of the file inside of `src`, or the name of a package. */
  readonly target: string;
  /** The names as the other file calls them; `*` for whatever it has. */
  readonly names: readonly string[];
}

/** A file of `src`. */
export interface SourceFile {
  /** Inside of `src`. */
  readonly path: string;
  readonly text: string;
  /** The text without its comments. */
  readonly code: string;
  readonly imports: readonly Import[];
  /** The names that the file declares for others. */
  readonly exports: readonly string[];
  /** An index only passes names on. */
  readonly isIndex: boolean;
}

/** The line where a file declares a name for others. */
export const DECLARATION = /^export (?:abstract |async )?(?:class|const|function\*?|interface|type) (\w+)/;

const source = fileURLToPath(new URL("../../../src", import.meta.url));

/** All of them, sorted. */
export const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(source, path), "utf8");
    const code = text.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
    return {
      path,
      text,
      code,
      imports: importsOf(path, code),
      exports: exportsOf(code),
      isIndex: path.endsWith("index.ts"),
    };
  });

function importsOf(path: string, code: string): Import[] {
  const statements = code.matchAll(/^(?:import|export)\s(?:type\s)?(?:([^;"']*?)\sfrom\s)?["']([^"']+)["'];/gm);
  return [...statements].map(([, clause = "", specifier = ""]) => ({
    target: specifier.startsWith(".") ? relative(source, join(source, dirname(path), specifier)) : specifier,
    names: namesOf(clause, code),
  }));
}

function namesOf(clause: string, code: string): string[] {
  const all = /^\* as (\w+)$/.exec(clause)?.[1];
  const names =
    all === undefined
      ? clause.matchAll(/(?:^|[{,])\s*(?:type )?(\*|\w+)/g)
      : code.matchAll(new RegExp(String.raw`\b${all}\.(\w+)`, "g"));
  return [...names].map(([, name = ""]) => name);
}

function exportsOf(code: string): string[] {
  return [...new Set(code.split("\n").flatMap((line) => DECLARATION.exec(line)?.[1] ?? []))];
}
