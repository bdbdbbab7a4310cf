/** The command line of `npm run bench`. @module */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchmarks, findBenchmarks } from "./benchmark.mjs";
import { isBuild } from "./builds.mjs";
import { findOperations, operations } from "./growth/operation.mjs";

const USAGE = `Usage: npm run bench -- [options]

  --quick        less work and fewer samples: minutes become seconds, and the numbers rough
  --only NAME    one benchmark, or several by the beginning of their names; may be repeated
  --only growth  how times grow with the size, which nothing else includes; or one operation by its name
  --against DIR  this build beside the one in DIR, the 'dist' of another checkout, without peers
  --json FILE    write the results to FILE
  --node PATH    the Node.js that runs the JavaScript subjects; this one by default
  --help         print this

Benchmarks: ${benchmarks.map(({ name }) => name).join(", ")}

Operations: ${operations.map(({ name }) => name).join(", ")}`;

/**
 * @typedef {object} Options
 * @property {readonly import("./benchmark.mjs").Benchmark[]} benchmarks those to run.
 * @property {readonly import("./growth/operation.mjs").Operation[]} operations those whose growth to measure, instead.
 * @property {"full" | "quick"} size
 * @property {number} samples of each subject.
 * @property {number} growthSamples of each size.
 * @property {string | null} against the folder of the build to compare with.
 * @property {string | null} json
 * @property {string} node the program.
 * @property {string} nodeVersion
 */

/**
 * Reads the arguments. Ends the process with status 2 after saying what is wrong with them.
 *
 * @param {readonly string[]} args
 * @returns {Options}
 */
export function readOptions(args) {
  const values = parse(args);
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const node = values.node ?? process.execPath;
  return {
    ...select(values.only),
    size: values.quick ? "quick" : "full",
    samples: values.quick ? 2 : 5,
    growthSamples: values.quick ? 2 : 3,
    against: values.against === undefined ? null : findBuild(values.against),
    json: values.json ?? null,
    node,
    nodeVersion: versionOf(node),
  };
}

function parse(args) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true },
        against: { type: "string" },
        json: { type: "string" },
        node: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    return refuse(error.message);
  }
}

function select(names) {
  if (names === undefined) return { benchmarks, operations: [] };
  const selected = new Set(names.flatMap(find));
  const chosen = {
    benchmarks: benchmarks.filter((benchmark) => selected.has(benchmark)),
    operations: operations.filter((operation) => selected.has(operation)),
  };
  if (chosen.benchmarks.length > 0 && chosen.operations.length > 0) refuse("Growth is measured on its own");
  return chosen;
}

function find(name) {
  const found = [...findBenchmarks(name), ...findOperations(name)];
  return found.length > 0 ? found : refuse(`Unknown benchmark '${name}'`);
}

function findBuild(folder) {
  const dist = resolve(folder);
  return isBuild(dist) ? dist : refuse(`No build of asyncio-ts in '${dist}'`);
}

function versionOf(node) {
  const result = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (result.status !== 0) refuse(`Cannot run '${node}' as Node.js: ${result.error?.message ?? result.stderr.trim()}`);
  return result.stdout.trim();
}

/** @returns {never} */
function refuse(what) {
  console.error(`${what}\n\n${USAGE}`);
  process.exit(2);
}
