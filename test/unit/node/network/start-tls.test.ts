/** The upgrade of a connection to TLS: which name its certificate must have. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { cert, key } from "../../../conformance/cpython/certificates.ts";

test.skipIf(process.platform === "darwin")(
  "startTls without a name demands a certificate for the host it connected to",
  async () => {
    await asyncio.run(async () => {
      const server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.readline();
          writer.write("ready\n");
          await writer.startTls({ key, cert }); // for localhost and 127.0.0.1
        },
        "127.0.0.2",
        0,
      );
      asyncio.getRunningLoop().setExceptionHandler(() => {}); // the server's side of the handshake fails
      const [reader, writer] = await asyncio.openConnection("127.0.0.2", server.port);
      writer.write("STARTTLS\n");
      await reader.readline();
      await expect((async () => await writer.startTls({ ca: cert }))()).rejects.toThrow(/does not match certificate/);
      writer.close();
      await server.shutdown({ grace: 0 });
    });
  },
);
