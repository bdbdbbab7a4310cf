/**
 * `npm run bench -- [--quick] [--only NAME] [--against DIR] [--json FILE] [--node PATH]`: builds the library, measures
 * it against native promises, its peers and CPython, or against another build, or how it grows, and prints a table; see
 * `bench/README.md`.
 *
 * @module
 */

import { compareBuilds } from "../bench/compare.mjs";
import { measureGrowth } from "../bench/growth/run.mjs";
import { readOptions } from "../bench/options.mjs";
import { installPeers } from "../bench/peers.mjs";
import { runBenchmarks } from "../bench/run.mjs";
import { ensureBuilt } from "./setup.mjs";

const options = readOptions(process.argv.slice(2));
ensureBuilt();
if (options.operations.length > 0) {
  measureGrowth(options);
} else if (options.against !== null) {
  compareBuilds(options);
} else {
  installPeers();
  runBenchmarks(options);
}
