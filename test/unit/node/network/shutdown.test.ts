/** The end of a server on sockets. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

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
