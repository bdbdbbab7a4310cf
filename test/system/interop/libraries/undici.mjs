/** HTTP by undici: the signal of a request, on the way to the answer and in the middle of its body. */

import { clientChecks } from "../kit.mjs";
import { startHttp } from "../servers.mjs";

export const packages = { undici: "7.16.0" };

export const how = "It takes a signal: `fromPromise((signal) => ...)`, or `currentTask().signal` for a bare `await`.";

export async function checks(asyncio, load) {
  const undici = await load("undici");
  const server = await startHttp();
  const get = async (url, signal) => await (await undici.request(url, { signal })).body.text();
  const requests = clientChecks(asyncio, {
    quick: () => get(server.url + "/quick"),
    gives: "quick",
    slow: (signal) => get(server.url + "/slow", signal),
    knowsSignal: true,
    isHealthy: async () => (await get(server.url + "/quick")) === "quick" && (await server.hasOpen(0)),
  });
  return { checks: requests, close: () => server.stop() };
}
