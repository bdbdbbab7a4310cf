/** Echo over streams, in generator functions. @module */

import * as asyncio from "asyncio-ts";
import { tellPort, tls } from "./listening.mjs";

function* echo(reader, writer) {
  for (;;) {
    const data = yield* reader.read(65536);
    if (data.length === 0) break;
    writer.write(data);
    yield* writer.drain();
  }
  writer.close();
}

await asyncio.run(function* () {
  const server = yield* asyncio.startServer(echo, "127.0.0.1", 0, tls === null ? {} : { ssl: tls });
  tellPort(server.sockets[0]);
  yield* server.serveForever();
});
