/** Echo over streams, in async functions. @module */

import * as asyncio from "asyncio-ts";
import { tellPort, tls } from "./listening.mjs";

async function echo(reader, writer) {
  for (;;) {
    const data = await reader.read(65536);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

await asyncio.run(async () => {
  const server = await asyncio.startServer(echo, "127.0.0.1", 0, tls === null ? {} : { ssl: tls });
  tellPort(server.sockets[0]);
  await server.serveForever();
});
