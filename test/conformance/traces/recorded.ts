/** What `scripts/record-traces.mjs` recorded: the traces of CPython, by the names of their programs. */

import { readdirSync, readFileSync } from "node:fs";

/** A file of `recorded/`. */
interface Recording {
  /** The version of CPython. */
  readonly python: string;
  readonly traces: Readonly<Record<string, readonly string[]>>;
}

const folder = new URL("recorded/", import.meta.url);
const traces = new Map(readdirSync(folder).flatMap((file) => Object.entries(read(file).traces)));

function read(file: string): Recording {
  return JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Recording;
}

/** The lines that CPython printed. */
export function recordedTrace(name: string): readonly string[] {
  const trace = traces.get(name);
  if (trace === undefined) throw new Error(`No trace of ${name} is recorded: add it to python/ and record it`);
  return trace;
}

/** The names of the programs that are recorded. */
export function recordedNames(): string[] {
  return [...traces.keys()];
}
