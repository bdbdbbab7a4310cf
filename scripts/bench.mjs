/**
 * `npm run bench -- [--quick] [--only NAME] [--json FILE] [--node PATH]`: builds the library, measures it against
 * native promises, its peers and CPython, and prints a table; see `bench/README.md`.
 *
 * @module
 */

import { readOptions } from "../bench/options.mjs";
import { installPeers } from "../bench/peers.mjs";
import { runBenchmarks } from "../bench/run.mjs";
import { ensureBuilt } from "./setup.mjs";

const options = readOptions(process.argv.slice(2));
ensureBuilt();
installPeers();
runBenchmarks(options);
