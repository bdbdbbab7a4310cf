// A server on node:http whose requests are tasks: a client who goes away stops the work that was done for him, and the
// server ends in good order.
//
//   npm run build
//   node examples/http-server.mjs 8080
//   curl 'http://127.0.0.1:8080/orders?seconds=10'        # and press Ctrl-C, here or there
//   curl -d hello http://127.0.0.1:8080/shout
//
// `createServer` calls its listener from outside of the loop. `loop.createTask` may be called from there: it is the
// bridge. On Ctrl-C or SIGTERM no more requests are taken, those under way may take ten seconds to finish, and are
// cancelled then.

import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import * as asyncio from "asyncio-ts";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/**
 * Stands for a database: takes its time, and says when it was stopped.
 *
 * @param {string} question
 * @param {number} seconds
 */
async function query(question, seconds) {
  console.log(`query ${question}: begins`);
  try {
    await asyncio.sleep(seconds);
    return `${question}: 42`;
  } catch (error) {
    if (asyncio.isCancelled(error)) console.log(`query ${question}: cancelled`);
    throw error;
  }
}

/**
 * Two queries at once. When this request is cancelled, or one of them fails, so is what is left of them.
 *
 * @param {URL} url
 */
async function orders(url) {
  const seconds = Number(url.searchParams.get("seconds") ?? 0.1);
  const tasks = await asyncio.taskGroup(async (group) => [
    group.createTask(() => query("open orders", seconds)),
    group.createTask(() => query("old orders", seconds)),
  ]);
  return tasks.map((task) => `${task.result()}\n`).join("");
}

/** @param {Request} request */
async function shout(request) {
  console.log("shout: begins");
  return (await bodyOf(request)).toUpperCase();
}

/**
 * What the client sent. A promise of Node's cannot be interrupted; `fromPromise` lets us stop waiting for it.
 *
 * @param {Request} request
 */
async function bodyOf(request) {
  return await asyncio.fromPromise(async (signal) => {
    try {
      return await text(request);
    } catch (error) {
      // When the client goes away, this fails as well. It is the cancellation that counts.
      throw signal.aborted ? signal.reason : error;
    }
  });
}

/**
 * The answer to a request: a status and a text.
 *
 * @param {Request} request
 * @returns {Promise<[number, string]>}
 */
async function answerTo(request) {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/orders") return [200, await orders(url)];
  if (url.pathname === "/shout") return [200, await shout(request)];
  return [404, "no such page\n"];
}

/**
 * One request, from its arrival to its answer: a task.
 *
 * @param {Request} request
 * @param {Response} response
 */
async function handle(request, response) {
  try {
    const [status, body] = await answerTo(request);
    response.writeHead(status).end(body);
  } catch (error) {
    const isCancelled = asyncio.isCancelled(error);
    if (!isCancelled) console.error(error);
    // Cancelled at the end of the server, there is somebody to be told; if the client has gone, this goes nowhere.
    response.writeHead(isCancelled ? 503 : 500).end("sorry\n");
    if (isCancelled) throw error;
  }
}

/**
 * @param {number} port
 * @param {number} grace in seconds
 */
async function main(port, grace) {
  const loop = asyncio.getRunningLoop();
  /** The requests under way: the task that answers each. @type {Map<Response, asyncio.Task<void>>} */
  const tasks = new Map();

  const server = createServer((request, response) => {
    const task = loop.createTask(() => handle(request, response));
    tasks.set(response, task);
    task.addDoneCallback(() => tasks.delete(response));
    response.on("close", () => {
      if (!response.writableEnded) task.cancel("the client has gone");
    });
  });

  const listening = loop.createFuture();
  server.once("error", (error) => listening.setException(error));
  server.listen(port, "127.0.0.1", () => listening.setResult(undefined));
  await listening;
  console.log(`listening at port ${server.address().port}`);

  try {
    await loop.createFuture(); // nobody completes it: Ctrl-C or SIGTERM cancels the wait
  } finally {
    const closed = loop.createFuture();
    server.close(() => closed.setResult(undefined)); // no new connections, and an end to those that are idle
    console.log("stopping");
    await endOf(tasks, grace);
    await asyncio.wait([closed], { timeout: 1 }); // the last answers leave
    server.closeAllConnections();
    console.log("stopped");
  }
}

/**
 * Waits for the requests as long as `grace` allows, then cancels what is left and waits until it has cleaned up.
 *
 * @param {Map<Response, asyncio.Task<void>>} tasks
 * @param {number} grace in seconds
 */
async function endOf(tasks, grace) {
  // No further request is to come on a connection that has one under way.
  for (const response of tasks.keys()) if (!response.headersSent) response.setHeader("connection", "close");
  if (tasks.size > 0) await asyncio.wait([...tasks.values()], { timeout: grace });
  for (const task of tasks.values()) task.cancel("the server stops");
  if (tasks.size > 0) await asyncio.wait([...tasks.values()]);
}

const terminated = new AbortController();
process.once("SIGTERM", () => terminated.abort());
const [port = "8080", grace = "10"] = process.argv.slice(2);
try {
  await asyncio.run(() => main(Number(port), Number(grace)), { signal: terminated.signal });
} catch (error) {
  const isOurEnd = error instanceof asyncio.KeyboardInterrupt || asyncio.isCancelled(error);
  if (!isOurEnd) throw error;
}
