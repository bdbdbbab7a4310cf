/**
 * Many connections one after the other, a few at a time, and what each of them leaves on the heap. HOSTILE_CONNECTIONS
 * says how many, 100000 in full size; HOSTILE_TLS=1 puts them under TLS; HOSTILE_CANCEL=1 cancels every second one in the
 * middle. Prints one line of JSON.
 */

import { readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";
import { bytesHeld, measureUntil, objectsHeld, settledObjects } from "./held.mjs";

const CONNECTIONS = Number(process.env.HOSTILE_CONNECTIONS ?? 500);
const AT_A_TIME = 20;
const isSecure = process.env.HOSTILE_TLS === "1";
const cancels = process.env.HOSTILE_CANCEL === "1";

function pem(name) {
  const text = readFileSync(new URL("certificate.ts", import.meta.url), "utf8");
  return new RegExp(`export const ${name} = \`([^\`]*)\``).exec(text)[1];
}

const reports = new Set();

async function serve(reader, writer) {
  const line = await reader.readline();
  writer.write(line);
  await writer.drain();
  writer.close();
}

const clientSsl = isSecure ? { ssl: { rejectUnauthorized: false }, serverHostname: "localhost" } : {};

/** One connection. Its address changes, so that the ports suffice. */
async function talk(port, number) {
  const localAddr = { host: `127.0.0.${2 + (number % 200)}` };
  const [reader, writer] = await asyncio.openConnection("127.0.0.1", port, { localAddr, ...clientSsl });
  try {
    writer.write("hello\n");
    await reader.readline();
  } finally {
    writer.transport.abort();
  }
}

async function one(port, number) {
  if (!cancels || number % 2 === 0) return await talk(port, number);
  const task = asyncio.createTask(() => talk(port, number));
  for (let turns = number % 40; turns > 0; turns--) await asyncio.sleep(0);
  task.cancel();
  await asyncio.gather([task], { returnExceptions: true });
}

async function many(port, from, count) {
  let next = from;
  const worker = async () => {
    while (next < from + count) await one(port, next++);
  };
  await asyncio.gather(Array.from({ length: AT_A_TIME }, () => asyncio.createTask(worker)));
}

async function main() {
  const loop = asyncio.getRunningLoop();
  loop.setExceptionHandler((_loop, context) => void reports.add(`${context.message}: ${String(context.exception)}`));
  const ssl = isSecure ? { ssl: { key: pem("key"), cert: pem("cert") } } : {};
  const server = await asyncio.startServer(serve, "127.0.0.1", 0, { backlog: 1000, ...ssl });
  const { port } = server.sockets[0].address();
  const left = () => {
    const { tasks, timers, cancelledTimers } = loop.statistics();
    const sockets = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    return {
      connections: server.statistics().connections,
      tasks: tasks - 1,
      timers: timers - cancelledTimers,
      sockets,
    };
  };
  const settle = () => measureUntil((now) => now.connections === 0 && now.tasks === 0 && now.sockets === 0, left);
  await many(port, 0, Math.min(2000, CONNECTIONS));
  await settle();
  const before = { objects: await settledObjects(), ...bytesHeld() };
  await many(port, 0, CONNECTIONS);
  await settle();
  const objects = await measureUntil((held) => held - before.objects < CONNECTIONS / 2, objectsHeld);
  const after = bytesHeld();
  const leftAtTheEnd = left();
  server.close();
  return {
    connections: CONNECTIONS,
    objectsLeft: objects - before.objects,
    heapLeftEach: Math.round((after.heap - before.heap) / CONNECTIONS),
    externalLeftEach: Math.round((after.external - before.external) / CONNECTIONS),
    peakRss: process.resourceUsage().maxRSS * 1024,
    left: leftAtTheEnd,
    reports: [...reports],
  };
}

console.log(JSON.stringify(await asyncio.run(main)));
