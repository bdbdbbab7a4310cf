/**
 * `node scripts/record.mjs SEED COUNT [SIZE] > FILE`: records a corpus for `npm run conformance`. Random programs, the
 * same for the same seed, run on CPython 3.14 itself: npm's `pyodide` is that interpreter, compiled to WebAssembly.
 *
 * `--only OP,OP...` makes the programs of these ops alone. (Main begins with some `spawn` in any case.)
 * `--programs FILE`, in place of the numbers, records the programs of FILE.
 *
 * Programs that lead CPython into a RuntimeError, RecursionError or AttributeError (a task that awaits itself, a circle
 * of joins) are left out: the first shows a flaw of CPython's, the second where its stack ends.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensurePyodide, startPython, versionOf } from "./pyodide.mjs";
import { must } from "./setup.mjs";

const USAGE = "usage: node scripts/record.mjs [--only OP,OP...] SEED COUNT [SIZE] > FILE, or --programs FILE > FILE";
const FILES = ["generate.py", "oracle.py", "virtual_loop.py"].map((name) => `test/conformance/programs/${name}`);

/** Set in the process that has the stack it needs. */
const RECORDER = "ASYNCIO_TS_RECORDER";

/** The generator and the oracle, as functions that JavaScript can call. */
const BRIDGE = `
import asyncio, contextlib, gc, io, json, re, sys
import generate, oracle

def generate_programs(numbers, only):
    if only:
        restrict(set(only.split(",")))
    sys.argv = ["generate.py", *numbers]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        generate.main()
    return out.getvalue().splitlines()

def restrict(names):
    class Restricted(generate.Generator):
        def op(self, depth):
            while (op := super().op(depth))[0] not in names:
                pass
            return op
    generate.Generator = Restricted

class Watched(oracle.Program):
    """A program that notices the errors which make its trace worthless, those too that another error then hides."""

    lost = False

    async def ops(self, ops):
        try:
            await super().ops(ops)
        except (RuntimeError, AttributeError) as error:
            self.lost = self.lost or not isinstance(error, asyncio.BrokenBarrierError)
            raise

def trace_of(line):
    """None if the program is to be left out."""
    program = Watched(json.loads(line))
    trace = program.run()
    lost = program.lost or any(LOST.search(event) for event in trace)
    # What is left of a program is collected before the next one begins: its coroutines are closed then, their
    # cleanup runs, and a ["cancel_self"] in it would go to the task that is the current one.
    del program
    gc.collect()
    return None if lost else json.dumps(trace)

gc.disable()
gc.freeze()

LOST = re.compile(r"\\b(Runtime|Recursion|Attribute)Error|^loop: (?!deadlock)")
`;

const { only, given, numbers } = readCommandLine();
if (process.env[RECORDER] === undefined) {
  ensurePyodide();
  startAgainWithLargeStack();
} else {
  await record();
}

function readCommandLine() {
  try {
    const options = { only: { type: "string", default: "" }, programs: { type: "string" } };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const isComplete = values.programs === undefined ? [2, 3].includes(positionals.length) : positionals.length === 0;
    if (!isComplete || !positionals.every((word) => /^\d+$/.test(word))) throw new Error("SEED and COUNT are missing");
    return { only: values.only, given: values.programs, numbers: positionals };
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
  must("sh", ["-c", script, ...program], { env: { ...process.env, [RECORDER]: "1" } });
}

async function record() {
  const python = await startPython(FILES);
  python.runPython(BRIDGE);
  const version = versionOf(python);
  const trace = python.globals.get("trace_of");
  for (const line of programs(python)) {
    const events = trace(line);
    if (typeof events !== "string") continue;
    console.log(JSON.stringify({ ...JSON.parse(line), trace: JSON.parse(events), python: version }));
  }
}

/** The programs to record, one JSON text each. */
function programs(python) {
  if (given === undefined) return python.globals.get("generate_programs")(numbers, only).toJs();
  return readFileSync(given, "utf8").split("\n").filter(Boolean);
}
