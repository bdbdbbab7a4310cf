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

function used() {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed, external };
}

/** The answer of the server to one client more. */
async function ping(port) {
  const socket = dial(port);
  socket.write("ping");
  const [answer] = await asyncio.fromPromise(once(socket, "data"));
  socket.destroy();
  return String(answer);
}

/** What is used when everything has gone that goes by itself: sockets are freed some turns after they are closed. */
async function leastUsed() {
  let least = used();
  for (let i = 0; i < 10; i++) {
    await asyncio.sleep(0.02);
    const now = used();
    if (now.heap < least.heap) least = now;
  }
  return least;
}

async function main() {
  let received = 0;
  const serve = async (reader, writer) => {
    for (let data = await reader.read(65536); data.length > 0; data = await reader.read(65536)) {
      received += data.length;
      if (data.length === 4) writer.write(data);
    }
    writer.close();
  };
  const ssl = isSecure ? { ssl: { key: pem("key"), cert: pem("cert") } } : {};
  const server = await asyncio.startServer(serve, "127.0.0.1", 0, { backlog: 1000, ...ssl });
  const { port } = server.sockets[0].address();
  // What is made once is made now.
  for (let i = 0; i < 50; i++) await ping(port);
  while (server.statistics().connections > 0) await asyncio.sleep(0.01);
  const before = await leastUsed();
  const child = fork(new URL(import.meta.url).pathname, [String(port)]);
  await asyncio.fromPromise(once(child, "message"));
  const haveCome = () => server.statistics().connections >= CONNECTIONS && received >= CONNECTIONS * BURST;
  while (!haveCome()) await asyncio.sleep(0.01);
  const during = used();
  const { connections } = server.statistics();
  const answer = await ping(port);
  child.send("end");
  await asyncio.fromPromise(once(child, "exit"));
  while (server.statistics().connections > 0) await asyncio.sleep(0.01);
  await server.shutdown({ grace: 0 });
  const after = await leastUsed();
  const each = (name) => Math.round((during[name] - before[name]) / CONNECTIONS);
  return {
    connections,
    answer,
    bytesEach: { rss: each("rss"), heap: each("heap"), external: each("external") },
    peakRss: process.resourceUsage().maxRSS * 1024,
    heapLeftEach: Math.round((after.heap - before.heap) / CONNECTIONS),
    externalLeftEach: Math.round((after.external - before.external) / CONNECTIONS),
  };
}

if (process.argv[2] === undefined) console.log(JSON.stringify(await asyncio.run(main)));
else await clients(Number(process.argv[2]));
