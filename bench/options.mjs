/** The command line of `npm run bench`. @module */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { benchmarks, findBenchmarks } from "./benchmark.mjs";
import { isBuild } from "./builds.mjs";

const USAGE = `Usage: npm run bench -- [options]

  --quick        less work and fewer samples: minutes become seconds, and the numbers rough
  --only NAME    one benchmark, or several by the beginning of their names; may be repeated
  --against DIR  this build beside the one in DIR, the 'dist' of another checkout, without peers
  --json FILE    write the results to FILE
  --node PATH    the Node.js that runs the JavaScript subjects; this one by default
  --help         print this

Benchmarks: ${benchmarks.map(({ name }) => name).join(", ")}`;

/**
 * @typedef {object} Options
 * @property {readonly import("./benchmark.mjs").Benchmark[]} benchmarks those to run.
 * @property {"full" | "quick"} size
 * @property {number} samples of each subject.
 * @property {number} pairs of samples, where two builds are compared.
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
    benchmarks: values.only === undefined ? benchmarks : select(values.only),
    size: values.quick ? "quick" : "full",
    samples: values.quick ? 2 : 5,
    pairs: values.quick ? 4 : 5,
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
  const selected = new Set();
  for (const name of names) {
    const found = findBenchmarks(name);
    if (found.length === 0) refuse(`Unknown benchmark '${name}'`);
    for (const benchmark of found) selected.add(benchmark);
  }
  return benchmarks.filter((benchmark) => selected.has(benchmark));
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
