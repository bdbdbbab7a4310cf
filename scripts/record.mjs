/**
 * `node scripts/record.mjs [--language NAME] SEED COUNT [SIZE] > FILE`: records a corpus for `npm run conformance`.
 * Random programs of one of the languages in `test/conformance/programs`, the same for the same seed, run on CPython 3.14
 * itself: npm's `pyodide` is that interpreter, compiled to WebAssembly.
 *
 * `--only OP,OP...` makes the programs of these ops alone. (Main begins with some `spawn` in any case.)
 * `--programs FILE`, in place of the numbers, records the programs of FILE; `-` those of the standard input, each as it comes.
 *
 * Programs that lead CPython into a RuntimeError, RecursionError or AttributeError (a task that awaits itself, a circle
 * of waits) have the trace `null`: the first shows a flaw of CPython's, the second where its stack ends. Here they need
 * only end and leave nothing behind. `--traced` leaves them out.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LANGUAGES } from "../test/conformance/programs/kit/load.mjs";
import { ensurePyodide, startPython, versionOf } from "./pyodide.mjs";
import { must } from "./setup.mjs";

const USAGE =
  "usage: node scripts/record.mjs [--language NAME] [--traced] [--only OP,OP...] SEED COUNT [SIZE] > FILE, " +
  "or --programs FILE > FILE";
const PROGRAMS = "test/conformance/programs";
const KIT = `${PROGRAMS}/kit`;

/** Set in the process that has the stack it needs. */
const RECORDER = "ASYNCIO_TS_RECORDER";

const { language, only, given, isTraced, numbers } = readCommandLine();
if (process.env[RECORDER] === undefined) {
  ensurePyodide();
  startAgainWithLargeStack();
} else {
  await record();
}

function readCommandLine() {
  try {
    const options = {
      language: { type: "string", default: "primitives" },
      only: { type: "string", default: "" },
      programs: { type: "string" },
      traced: { type: "boolean", default: false },
    };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const isComplete = values.programs === undefined ? [2, 3].includes(positionals.length) : positionals.length === 0;
    if (!isComplete || !positionals.every((word) => /^\d+$/.test(word))) throw new Error("SEED and COUNT are missing");
    if (!LANGUAGES.includes(values.language)) throw new Error(`no such language: ${values.language}`);
    return {
      language: values.language,
      only: values.only,
      given: values.programs,
      isTraced: values.traced,
      numbers: positionals,
    };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return process.exit(2);
  }
}

/**
 * The interpreter's own calls nest deep in JavaScript's stack, of which the shell has to allow more before V8 may use
 * it: 250 MB of which V8 gets four fifths, or as much as the system allows.
 */
function startAgainWithLargeStack() {
  const script = `
    ulimit -s 250000 2>/dev/null || ulimit -s "$(ulimit -H -s)"
    limit=$(ulimit -s)
    if [ "$limit" = unlimited ]; then limit=250000; fi
    exec "$0" --stack-size=$((limit * 4 / 5)) "$@"`;
  const program = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  must("sh", ["-c", script, ...program], { cwd: process.cwd(), env: { ...process.env, [RECORDER]: "1" } });
}

async function record() {
  const files = [`${KIT}/generating.py`, `${KIT}/recording.py`, `${KIT}/virtual_loop.py`, `${KIT}/bridge.py`];
  const python = await startPython([
    ...files,
    `${PROGRAMS}/${language}/generate.py`,
    `${PROGRAMS}/${language}/oracle.py`,
  ]);
  const version = versionOf(python);
  const { trace_of: trace } = python.pyimport("bridge");
  for await (const line of programs(python)) {
    const program = { ...JSON.parse(line), language, trace: JSON.parse(trace(line)), python: version };
    if (program.trace !== null || !isTraced) console.log(JSON.stringify(program));
  }
}

/** The programs to record, one JSON text each. */
function programs(python) {
  if (given === "-") return createInterface({ input: process.stdin });
  if (given === undefined) return python.pyimport("bridge").generate_programs(numbers, only);
  return readFileSync(given, "utf8").split("\n").filter(Boolean);
}
