// A server that ends well: on Ctrl-C, and on SIGTERM, the signal of every container.
//
//   npm run build
//   node examples/graceful-server.mjs 7007
//   nc 127.0.0.1 7007
//
// After the signal nobody new is let in, and those who are there have five seconds to come to an end. The process ends with
// 130 (Ctrl-C) or 143 (SIGTERM), as a shell expects. A second signal ends it at once, after saying who still runs.

import * as asyncio from "asyncio-ts";

const GRACE_SECONDS = 5;

/** Says back, in capitals, what the client says; line by line. */
async function serveClient(/** @type {asyncio.StreamReader} */ reader, /** @type {asyncio.StreamWriter} */ writer) {
  for await (const line of reader) {
    writer.write(String(line).toUpperCase());
    await writer.drain();
  }
  writer.close();
}

async function main() {
  const port = Number(process.argv[2] ?? 7007);
  const options = { idleTimeout: 60, maxConnections: 1000, backlog: 511 };
  const server = await asyncio.startServer(serveClient, "127.0.0.1", port, options);
  console.log(`serving at port ${server.port}`);
  try {
    await asyncio.sleep(Infinity);
  } finally {
    server.close();
    console.log("no more clients");
    const left = await server.shutdown({ grace: GRACE_SECONDS });
    console.log(left === 0 ? "all have ended" : `${left} had to be ended`);
  }
}

await asyncio.run(main, { signals: ["SIGINT", "SIGTERM"] });
