/**
 * `node scripts/record-traces.mjs [THEME...]`: records the golden traces. The Python programs of `test/conformance/traces`
 * run on CPython itself, and what they logged is written to `recorded/THEME.json` beside them. `git diff` tells then what
 * another CPython does differently.
 *
 * @module
 */

import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ensurePyodide, startPython, versionOf } from "./pyodide.mjs";
import { root } from "./setup.mjs";

const TRACES = "test/conformance/traces";
const TOOLS = [`${TRACES}/python/trace_loop.py`, "test/conformance/programs/kit/virtual_loop.py"];

/** The CPython of the themes that need another one than 3.14. */
const VERSIONS = { taskgroup_cancel: "3.15" };

const themes = process.argv.length > 2 ? process.argv.slice(2) : allThemes();
try {
  for (const theme of themes) await record(theme.replaceAll("-", "_"));
} catch (error) {
  console.error(error.message); // Node would print Pyodide's source, which is one long line.
  process.exitCode = 1;
}

function allThemes() {
  const files = readdirSync(join(root, TRACES, "python")).filter((name) => name.endsWith(".py"));
  return files.map((name) => basename(name, ".py")).filter((name) => name !== "trace_loop");
}

/** Each theme has an interpreter of its own, so that what one leaves behind cannot change the next. */
async function record(theme) {
  const version = VERSIONS[theme];
  ensurePyodide(version);
  const python = await startPython([...TOOLS, `${TRACES}/python/${theme}.py`], version);
  const traces = python.runPython(`import json, trace_loop, ${theme}; json.dumps(trace_loop.record(${theme}))`);
  const recording = { python: versionOf(python), traces: JSON.parse(traces) };
  const file = join(TRACES, "recorded", `${theme.replaceAll("_", "-")}.json`);
  writeFileSync(join(root, file), `${JSON.stringify(recording, null, 2)}\n`);
  console.log(`${file}: ${Object.keys(recording.traces).length} programs on CPython ${recording.python}`);
}
