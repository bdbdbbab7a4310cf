// A port scanner: which ports of a machine are open? A hundred are tried at a time, each for a second at most.
//
//   npm run build
//   node examples/port-scanner.mjs 127.0.0.1 1-1024
//
// It shows a semaphore that bounds how much is under way, a deadline for each attempt, and a group that ends with its
// last task, or with the first error that means something is wrong (a name that does not exist, no network).
// Scan machines that are yours.

import * as asyncio from "asyncio-ts";

const AT_ONCE = 100;

/**
 * What is at one port.
 *
 * @param {string} host
 * @param {number} port
 * @param {number} seconds how long to wait for an answer
 */
async function probe(host, port, seconds) {
  try {
    const [, writer] = await asyncio.waitFor(asyncio.openConnection(host, port), seconds);
    writer.close(); // nothing was written, so there is nothing to wait for
    return "open";
  } catch (error) {
    asyncio.rethrowIfCancelled(error);
    if (error instanceof asyncio.TimeoutError) return "no answer";
    // Reset: it was closed while we were in its line.
    if (error.code === "ECONNREFUSED" || error.code === "ECONNRESET") return "refused";
    throw error;
  }
}

/**
 * What is at each of `ports`.
 *
 * @param {string} host
 * @param {number[]} ports
 * @param {number} seconds
 */
async function scan(host, ports, seconds) {
  const semaphore = new asyncio.Semaphore(AT_ONCE);
  const tasks = await asyncio.taskGroup(async (group) =>
    // Each port is a task from the start; the semaphore lets a hundred of them go on.
    ports.map((port) => group.createTask(() => semaphore.hold(() => probe(host, port, seconds)))),
  );
  return tasks.map((task, i) => ({ port: ports[i], state: task.result() }));
}

/**
 * The ports that `text` names: `80`, or `1-1024`.
 *
 * @param {string} text
 */
function portsOf(text) {
  const [first, last = first] = text.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const [host = "127.0.0.1", range = "1-1024", seconds = "1"] = process.argv.slice(2);
const results = await asyncio.run(() => scan(host, portsOf(range), Number(seconds)));
for (const { port, state } of results) if (state !== "refused") console.log(`${port} ${state}`);
console.log(`${results.filter(({ state }) => state === "open").length} of ${results.length} ports of ${host} are open`);
