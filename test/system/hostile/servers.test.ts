/** Servers that are closed, counted and asked for TLS at the wrong moment. */

import { once } from "node:events";
import type * as net from "node:net";
import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { cert, key } from "./certificate.ts";
import { closing, dial, eventually, openSockets, outcome, run, soon, until } from "./support.ts";

const certificate = { key, cert };

test("shutdown gives clients their grace, though somebody is in serveForever", async () => {
  await run(async ({ loop }) => {
    const [asked, mayAnswer] = [loop.createFuture(), loop.createFuture()];
    const server = await asyncio.startServer(
      async (reader, writer) => {
        await reader.readline();
        asked.setResult();
        await mayAnswer;
        writer.write("answer\n");
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const serving = asyncio.createTask(() => server.serveForever());
    const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
    writer.write("question\n");
    await asked;
    const ending = asyncio.createTask(() => server.shutdown({ grace: 60 }));
    await asyncio.sleep(0);
    mayAnswer.setResult();
    expect(String(await soon(reader.read()))).toBe("answer\n");
    writer.close();
    expect(await soon(ending)).toBe(0);
    expect(await outcome(serving)).toBeInstanceOf(asyncio.CancelledError);
  });
});

test("a server closed while it begins to listen does not listen", async () => {
  const before = openSockets();
  await run(async ({ loop }) => {
    const server = await asyncio.startServer(() => {}, ["127.0.0.1", "localhost"], 0, { startServing: false });
    const starting = asyncio.createTask(() => server.startServing());
    loop.callSoon(() => server.close());
    expect(await outcome(starting)).toBeInstanceOf(asyncio.RuntimeError);
    await until(() => openSockets() <= before);
  });
});

test("Node's own count of a server's connections goes down when they are closed", async () => {
  await run(async () => {
    const server = await asyncio.startServer((_reader, writer) => writer.close(), "127.0.0.1", 0);
    const listening = server.sockets[0] as net.Server;
    for (let i = 0; i < 3; i++) {
      const socket = await dial(server.port!);
      await eventually(closing(socket.resume()));
    }
    const closed = once(listening, "close");
    await soon(server.shutdown({ grace: 1 }));
    await eventually(closed);
  });
});

test("TLS options that no client can be taken with send the client away, and are reported", async () => {
  const { reports } = await run(async () => {
    const ssl = { ...certificate, SNICallback: 5 } as unknown as asyncio.TlsOptions;
    const server = await asyncio.startServer(() => {}, "127.0.0.1", 0, { ssl });
    const socket = await dial(server.port!);
    await eventually(closing(socket.resume()));
    await server.shutdown({ grace: 0 });
  });
  expect(reports.map(({ exception }) => exception)).toEqual([expect.any(TypeError)]);
});
