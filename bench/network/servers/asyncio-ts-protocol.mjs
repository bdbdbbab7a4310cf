/** Echo by a `Protocol`. @module */

import * as asyncio from "asyncio-ts";
import { tellPort, tls } from "./listening.mjs";

class Echo {
  #transport = null;

  connectionMade(transport) {
    this.#transport = transport;
  }

  dataReceived(data) {
    this.#transport.write(data);
  }
}

await asyncio.run(async () => {
  const loop = asyncio.getRunningLoop();
  const server = await loop.createServer(() => new Echo(), "127.0.0.1", 0, tls === null ? {} : { ssl: tls });
  tellPort(server.sockets[0]);
  await server.serveForever();
});
