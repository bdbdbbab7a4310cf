/** Runs in a browser, in a page or in a worker: the suite on the core, each result sent to the server. @module */

import * as asyncio from "../../../dist/core/index.js";
import * as structured from "../../../dist/structured/index.js";
import * as testing from "../../../dist/testing/index.js";
import { runSuite } from "./suite.mjs";

const unhandled = [];
globalThis.addEventListener("unhandledrejection", (event) => void unhandled.push(String(event.reason)));
globalThis.addEventListener("error", (event) => void unhandled.push(event.message));

async function send(result) {
  await fetch("/result", { method: "POST", body: JSON.stringify(result) });
}

for await (const result of runSuite({ asyncio, structured, testing, AsyncLocalStorage: null })) await send(result);
await send({ name: "no unhandled rejection, no error outside of a promise", failure: unhandled.join("\n") || null });
await send(null);
