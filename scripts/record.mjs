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

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { LANGUAGES } from "../test/conformance/programs/kit/load.mjs";
import { must, root } from "./setup.mjs";

const USAGE =
  "usage: node scripts/record.mjs [--language NAME] [--traced] [--only OP,OP...] SEED COUNT [SIZE] > FILE, " +
  "or --programs FILE > FILE";
const PYODIDE = "314.0.7";
const folder = join(root, "node_modules", ".cache", "asyncio-ts-pyodide");
const folderOfPrograms = join(root, "test", "conformance", "programs");

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

/** Installs the interpreter apart from the development dependencies, which do without it. */
function ensurePyodide() {
  const manifest = join(folder, "node_modules", "pyodide", "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).version === PYODIDE) return;
  console.error(`Installing pyodide ${PYODIDE} (once) …`);
  mkdirSync(folder, { recursive: true });
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  must("npm", ["install", "--prefix", folder, ...quiet, `pyodide@${PYODIDE}`], { stdio: ["ignore", 2, 2] });
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
  const python = await startPython();
  const version = python.runPython("sys.version.split()[0]");
  const trace = python.globals.get("trace_of");
  for await (const line of programs(python)) {
    const program = { ...JSON.parse(line), language, trace: JSON.parse(trace(line)), python: version };
    if (program.trace !== null || !isTraced) console.log(JSON.stringify(program));
  }
}

/** The programs to record, one JSON text each. */
function programs(python) {
  if (given === "-") return createInterface({ input: process.stdin });
  if (given === undefined) return python.globals.get("generate_programs")(numbers, only);
  return readFileSync(given, "utf8").split("\n").filter(Boolean);
}

/** CPython, with the generator and the oracle loaded. Its warnings (of coroutines never awaited) are not wanted. */
async function startPython() {
  const { loadPyodide } = await import(pathToFileURL(join(folder, "node_modules", "pyodide", "pyodide.mjs")).href);
  const python = await loadPyodide();
  python.setStderr({ batched: () => {} });
  const files = ["kit/generating.py", "kit/recording.py", `${language}/generate.py`, `${language}/oracle.py`];
  for (const file of files) python.FS.writeFile(basename(file), readFileSync(join(folderOfPrograms, file)));
  python.runPython(readFileSync(join(folderOfPrograms, "kit", "bridge.py"), "utf8"));
  return python;
}
