/** What an independent review found, so that it stays found: each test failed once. */

import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { cert, key } from "./certificate.ts";
import { closing, dial, eventually, leavingNothing, openSockets, outcome, run, soon, until } from "./support.ts";

const certificate = { key, cert };

test("what comes in the clear while STARTTLS waits to send is not read as if it were secure", async () => {
  await run(async ({ loop }) => {
    const size = 16_000_000;
    const [started, answer] = [loop.createFuture(), loop.createFuture<unknown>()];
    const server = await asyncio.startServer(
      async (reader, writer) => {
        writer.transport.setWriteBufferLimits({ high: 2 * size });
        writer.write(new Uint8Array(size)); // the peer does not read yet
        started.setResult();
        const upgrade = await outcome(writer.startTls(certificate));
        answer.setResult(upgrade instanceof Error ? upgrade : String(await reader.readline()));
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const socket = await dial(server.port!);
    await started;
    await asyncio.sleep(0);
    socket.write("IN THE CLEAR\n");
    let received = 0;
    socket.on("data", function read(data) {
      received += data.length;
      if (received < size) return;
      socket.off("data", read);
      tls.connect({ socket, rejectUnauthorized: false }).on("error", () => {});
    });
    expect(await soon(answer)).toBeInstanceOf(Error);
    socket.destroy();
    await server.shutdown({ grace: 0 });
  });
});

test("a startTls that fails before it touches the connection loses no byte", async () => {
  await run(async ({ loop }) => {
    const lines = loop.createFuture<string[]>();
    const server = await asyncio.startServer(
      async (reader, writer) => {
        const first = String(await reader.readline());
        expect(await outcome(writer.startTls({ key: "no key", cert: "no certificate" }))).toBeInstanceOf(Error);
        lines.setResult([first, String(await reader.readline())]);
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const socket = await dial(server.port!);
    socket.write("STARTTLS\nNOOP\n");
    expect(await soon(lines)).toEqual(["STARTTLS\n", "NOOP\n"]);
    socket.destroy();
    await server.shutdown({ grace: 0 });
  });
});

test("connectionLost comes once, though the old transport is aborted at the instant of the upgrade", async () => {
  await run(async ({ loop }) => {
    const server = await asyncio.startServer(
      async (reader, writer) => {
        await outcome(writer.startTls(certificate));
        await outcome(reader.read());
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    let lost = 0;
    const makeProtocol = (): asyncio.Protocol => ({ connectionLost: () => void lost++ });
    const [transport, protocol] = await loop.createConnection(makeProtocol, "127.0.0.1", server.port);
    const checkServerIdentity = (): undefined => {
      queueMicrotask(() => transport.abort());
    };
    const ssl = { ca: cert, checkServerIdentity };
    const upgrade = await outcome(loop.startTls(transport, protocol, ssl, { serverHostname: "localhost" }));
    expect(upgrade).toBeInstanceOf(asyncio.ConnectionResetError);
    await until(() => lost > 0 && server.statistics().connections === 0);
    expect(lost).toBe(1);
    await server.shutdown({ grace: 0 });
  });
});

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

test("a socket from elsewhere is half-open, too: the end of what is received is not the end of what is sent", async () => {
  await run(async () => {
    await leavingNothing(async () => {
      const answering = net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.resume().once("end", () => socket.end());
        socket.on("data", (data) => void socket.write(data));
      });
      answering.listen(0, "127.0.0.1");
      await eventually(once(answering, "listening"));
      const sock = net.connect((answering.address() as net.AddressInfo).port, "127.0.0.1");
      await eventually(once(sock, "connect"));
      const [reader, writer] = await asyncio.openConnection(null, null, { sock });
      writer.write("question");
      writer.writeEof();
      expect(String(await soon(reader.read()))).toBe("question");
      writer.close();
      await soon(writer.waitClosed());
      answering.close();
    });
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

test.each([0.5, NaN, Infinity])("a read of %d bytes is refused", async (size) => {
  await run(async () => {
    const reader = new asyncio.StreamReader();
    expect(() => reader.read(size)).toThrow(RangeError);
    expect(() => reader.readexactly(size)).toThrow(RangeError);
  });
});
