/** Echo by a `BufferedProtocol`, which has a buffer of its own and sends copies out of it. @module */

import * as asyncio from "asyncio-ts";
import { tellPort, tls } from "./listening.mjs";

class Echo {
  #transport = null;
  #buffer = Buffer.allocUnsafeSlow(256 * 1024);

  connectionMade(transport) {
    this.#transport = transport;
  }

  getBuffer() {
    return this.#buffer;
  }

  bufferUpdated(count) {
    this.#transport.write(Buffer.from(this.#buffer.subarray(0, count)));
  }
}

await asyncio.run(async () => {
  const loop = asyncio.getRunningLoop();
  const server = await loop.createServer(() => new Echo(), "127.0.0.1", 0, tls === null ? {} : { ssl: tls });
  tellPort(server.sockets[0]);
  await server.serveForever();
});
