/**
 * Runs on Node.js, Bun and Deno: the suite, with a line of JSON for each result; or, given the name of a program of
 * `processes.mjs`, that program.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { argv } from "node:process";
import * as asyncio from "asyncio-ts";
import * as structured from "asyncio-ts/structured";
import * as testing from "asyncio-ts/testing";
import { executorChecks } from "./executors.mjs";
import { networkChecks } from "./network.mjs";
import { processes } from "./processes.mjs";
import { runSuite } from "./suite.mjs";

const name = argv[2];
if (name === undefined) {
  for await (const result of runSuite({ asyncio, structured, testing, AsyncLocalStorage }, [
    ...networkChecks,
    ...executorChecks,
  ]))
    console.log(JSON.stringify(result));
} else {
  await processes.find((process) => process.name === name).main(asyncio);
}
