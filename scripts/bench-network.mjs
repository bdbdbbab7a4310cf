/**
 * `npm run bench:network -- [--help]`: builds the library, measures its echo servers against those of Node's `net`,
 * CPython, uvloop and Go, and prints a table; see `bench/network/README.md`.
 *
 * @module
 */

import { ensureBuilt } from "./setup.mjs";

ensureBuilt();
await import("../bench/network/run.mjs");
