/**
 * A server that runs out of file descriptors: run it under `ulimit -n`, as the test does. It has to survive and to serve again
 * when others have let go of theirs. Prints what happened as one line of JSON.
 */

import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import * as net from "node:net";
import * as asyncio from "asyncio-ts";

const CLIENTS = Number(process.env.HOSTILE_CLIENTS ?? 20);
const isForeign = process.env.HOSTILE_FOREIGN === "1";
const reports = [];
const outcomes = { escaped: 0, refused: "", served: 0, again: "" };
process.on("uncaughtException", () => outcomes.escaped++);

/** Takes every descriptor there is, but for so many. */
function takeAllBut(count) {
  const taken = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    for (const one of taken.splice(0, count)) closeSync(one);
    return taken;
  }
}

function ping(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    socket
      .on("error", (error) => resolve(error.code))
      .on("data", (data) => (text += data))
      .on("close", () => resolve(text));
    socket.end("ping");
  });
}

async function main() {
  const loop = asyncio.getRunningLoop();
  loop.setExceptionHandler((_loop, context) => void reports.push(context.message));
  const echo = async (reader, writer) => {
    for (let data = await reader.read(100); data.length > 0; data = await reader.read(100)) writer.write(data);
    writer.close();
  };
  let options = {};
  if (isForeign) {
    const sock = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
    await asyncio.fromPromise(once(sock, "listening"));
    options = { sock };
  }
  const server = await (isForeign
    ? asyncio.startServer(echo, null, null, options)
    : asyncio.startServer(echo, "127.0.0.1", 0));
  const { port } = server.sockets[0].address();
  // One descriptor for the client's end of each connection, and none for the server's.
  const taken = takeAllBut(1);
  for (let client = 0; client < CLIENTS; client++) {
    const answer = await asyncio.fromPromise(ping(port));
    if (answer === "ping") outcomes.served++;
  }
  const all = takeAllBut(0);
  try {
    await asyncio.openConnection("127.0.0.1", port);
  } catch (error) {
    outcomes.refused = error.code;
  }
  for (const one of [...taken, ...all]) closeSync(one);
  outcomes.again = await asyncio.fromPromise(ping(port));
  await server.shutdown({ grace: 0 });
}

await asyncio.run(main);
console.log(JSON.stringify({ ...outcomes, reports: [...new Set(reports)] }));
