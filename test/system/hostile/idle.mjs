/**
 * Many idle connections to one server; the clients are a process of their own. HOSTILE_CONNECTIONS says how many, 10000
 * in full size; HOSTILE_TLS=1 puts them under TLS; HOSTILE_BURST has each send so many bytes first. Prints, as one line of
 * JSON, how many there were, what each costs in bytes, whether the server still answers, and what is left afterwards.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as net from "node:net";
import * as tls from "node:tls";
import * as asyncio from "asyncio-ts";
import { bytesHeld, measureUntil, objectsHeld, settledObjects } from "./held.mjs";

const CONNECTIONS = Number(process.env.HOSTILE_CONNECTIONS ?? 500);
const BURST = Number(process.env.HOSTILE_BURST ?? 0);
const isSecure = process.env.HOSTILE_TLS === "1";

/** The certificate of the tests, out of their TypeScript. */
function pem(name) {
  const text = readFileSync(new URL("certificate.ts", import.meta.url), "utf8");
  return new RegExp(`export const ${name} = \`([^\`]*)\``).exec(text)[1];
}

function dial(port) {
  return isSecure
    ? tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false })
    : net.connect(port, "127.0.0.1");
}

async function clients(port) {
  const sockets = [];
  while (sockets.length < CONNECTIONS) {
    const some = Array.from({ length: Math.min(100, CONNECTIONS - sockets.length) }, () => dial(port));
    await Promise.all(some.map((socket) => once(socket, isSecure ? "secureConnect" : "connect")));
    if (BURST > 0) for (const socket of some) socket.write(Buffer.alloc(BURST));
    sockets.push(...some);
  }
  process.send("ready");
  await once(process, "message");
  for (const socket of sockets) socket.destroy();
  process.disconnect();
}

/** The answer of the server to one client more. */
async function ping(port) {
  const socket = dial(port);
  socket.write("ping");
  const [answer] = await asyncio.fromPromise(once(socket, "data"));
  socket.destroy();
  return String(answer);
}

async function main() {
  let received = 0;
  const serve = async (reader, writer) => {
    // Nothing that was read is held here while the next read waits: what is measured is what the library holds.
    const serveOne = async () => {
      const data = await reader.read(65536);
      received += data.length;
      if (data.length === 4) writer.write(data);
      return data.length > 0;
    };
    while (await serveOne());
    writer.close();
  };
  const ssl = isSecure ? { ssl: { key: pem("key"), cert: pem("cert") } } : {};
  const server = await asyncio.startServer(serve, "127.0.0.1", 0, { backlog: 1000, ...ssl });
  const { port } = server.sockets[0].address();
  // What is made once is made now.
  for (let i = 0; i < 50; i++) await ping(port);
  while (server.statistics().connections > 0) await asyncio.sleep(0.01);
  const before = { objects: await settledObjects(), ...bytesHeld() };
  const child = fork(new URL(import.meta.url).pathname, [String(port)]);
  await asyncio.fromPromise(once(child, "message"));
  const haveCome = () => server.statistics().connections >= CONNECTIONS && received >= CONNECTIONS * BURST;
  while (!haveCome()) await asyncio.sleep(0.01);
  const during = await measureUntil(({ external }) => external - before.external < CONNECTIONS * 128 * 1024, bytesHeld);
  const { connections } = server.statistics();
  const answer = await ping(port);
  child.send("end");
  await asyncio.fromPromise(once(child, "exit"));
  while (server.statistics().connections > 0) await asyncio.sleep(0.01);
  await server.shutdown({ grace: 0 });
  const objects = await measureUntil((held) => held - before.objects < CONNECTIONS / 2, objectsHeld);
  const after = bytesHeld();
  const each = (name) => Math.round((during[name] - before[name]) / CONNECTIONS);
  return {
    connections,
    answer,
    bytesEach: { rss: each("rss"), heap: each("heap"), external: each("external") },
    peakRss: process.resourceUsage().maxRSS * 1024,
    objectsLeft: objects - before.objects,
    heapLeftEach: Math.round((after.heap - before.heap) / CONNECTIONS),
    externalLeftEach: Math.round((after.external - before.external) / CONNECTIONS),
  };
}

if (process.argv[2] === undefined) console.log(JSON.stringify(await asyncio.run(main)));
else await clients(Number(process.argv[2]));
