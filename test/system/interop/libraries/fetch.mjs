/** The platform's own fetch: the answer, and its body. */

import { clientChecks } from "../kit.mjs";
import { startHttp } from "../servers.mjs";

export const packages = {};

export const how =
  "One `fromPromise` for the request and its body: `fromPromise(async (signal) => (await fetch(url, { signal })).text())`.";

export async function checks(asyncio) {
  const server = await startHttp();
  const get = async (path, signal) => await (await fetch(server.url + path, { signal: signal ?? null })).text();
  const requests = clientChecks(asyncio, {
    quick: () => get("/quick"),
    gives: "quick",
    slow: (signal) => get("/slow", signal),
    knowsSignal: true,
    isHealthy: async () => (await get("/quick")) === "quick" && (await server.hasOpen(0)),
  });
  return { checks: requests, close: () => server.stop() };
}
