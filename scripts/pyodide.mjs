/**
 * CPython without an installation of Python: npm's `pyodide` is that interpreter, compiled to WebAssembly.
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { must, root } from "./setup.mjs";

/** The release of pyodide that is a version of CPython. */
const RELEASES = { 3.14: "314.0.7", 3.15: "315.0.0-alpha.2" };

/** Installs the interpreter apart from the development dependencies, which do without it. */
export function ensurePyodide(version = "3.14") {
  const release = RELEASES[version];
  const folder = folderOf(version);
  const manifest = join(folder, "node_modules", "pyodide", "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === release) return;
  console.error(`Installing pyodide ${release} (once) …`);
  mkdirSync(folder, { recursive: true });
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  must("npm", ["install", "--prefix", folder, ...quiet, `pyodide@${release}`], { stdio: ["ignore", 2, 2] });
}

/**
 * Starts an installed interpreter that can import `files`, Python modules given by their paths in the project. What it
 * writes to its standard error (warnings of coroutines never awaited) is dropped.
 */
export async function startPython(files, version = "3.14") {
  const module = join(folderOf(version), "node_modules", "pyodide", "pyodide.mjs");
  const { loadPyodide } = await import(pathToFileURL(module).href);
  const python = await loadPyodide();
  python.setStderr({ batched: () => {} });
  for (const file of files) python.FS.writeFile(basename(file), readFileSync(join(root, file)));
  // The running loop is one of Pyodide's own.
  python.runPython('import asyncio, sys; asyncio._set_running_loop(None); sys.path.insert(0, "")');
  return python;
}

/** The whole version of a started interpreter, such as `3.14.2`. */
export function versionOf(python) {
  return python.runPython("sys.version.split()[0]");
}

function folderOf(version) {
  return join(root, "node_modules", ".cache", "asyncio-ts-pyodide", version);
}
