/** The end of a server on sockets. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { cert, key } from "../../../conformance/cpython/certificates.ts";

test("shutdown lets the tasks it cancels say goodbye to their clients", async () => {
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
    const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
    const ended = asyncio.createTask(server.shutdown({ grace: 0.001 }));
    expect(String(await reader.read())).toBe("goodbye\n");
    writer.close();
    expect(await ended).toBe(1);
    expect(failures).toEqual([]);
  });
});

test.each([false, true])("G3: a connection that is idle is closed at once; TLS: %s", async (secure) => {
  await asyncio.run(async () => {
    const server = await asyncio.startServer(
      async (reader, writer) => {
        let line: Uint8Array;
        while ((line = await writer.whileIdle(reader.readline())).length > 0) writer.write(line);
        writer.close();
      },
      "127.0.0.1",
      0,
      secure ? { ssl: { key, cert } } : {},
    );
    const options = secure ? { ssl: { ca: cert }, serverHostname: "localhost" } : {};
    const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port, options);
    writer.write("hello\n");
    expect(String(await reader.readline())).toBe("hello\n");
    expect(await server.shutdown({ grace: 3600 })).toBe(0);
    expect(await reader.read()).toHaveLength(0);
    writer.close();
  });
});
