/** What writing the examples and the guide brought to light. */

import type { AddressInfo, Server } from "node:net";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { cert, key } from "../../conformance/cpython/certificates.ts";

function portOf(server: asyncio.Server): number {
  return ((server.sockets[0] as Server).address() as AddressInfo).port;
}

describe("Server.shutdown", () => {
  test("lets the tasks it cancels say goodbye to their clients", async () => {
    await asyncio.run(async () => {
      const failures: unknown[] = [];
      const server = await asyncio.startServer(
        async (reader, writer) => {
          try {
            await reader.readline();
          } finally {
            writer.write("goodbye\n");
            try {
              await writer.drain();
            } catch (error) {
              failures.push(error);
            }
            writer.close();
          }
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      const ended = asyncio.createTask(server.shutdown({ grace: 0.001 }));
      expect(String(await reader.read())).toBe("goodbye\n");
      writer.close();
      expect(await ended).toBe(1);
      expect(failures).toEqual([]);
    });
  });
});

describe("StreamWriter.startTls", () => {
  test.skipIf(process.platform === "darwin")(
    "without a name demands a certificate for the host it connected to",
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
        const [reader, writer] = await asyncio.openConnection("127.0.0.2", portOf(server));
        writer.write("STARTTLS\n");
        await reader.readline();
        await expect((async () => await writer.startTls({ ca: cert }))()).rejects.toThrow(/does not match certificate/);
        writer.close();
        await server.shutdown({ grace: 0 });
      });
    },
  );
});
