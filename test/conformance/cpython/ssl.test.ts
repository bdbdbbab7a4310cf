/** CPython's test_ssl and test_sslproto in our words. */

import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import * as asyncio from "asyncio-ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { cert, key } from "./certificates.ts";
import { clientTls, errorOf, logOf, online, portOf, Recorder, serverTls } from "./network.ts";

const { createTask, sleep } = asyncio;

const localhost = { ssl: clientTls, serverHostname: "localhost" };

/** Answers what it is sent with the same until the client ends. */
async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for (let data = await reader.read(); data.length > 0; data = await reader.read()) writer.write(data);
  writer.close();
}

/** A server of Node's own that does `serve` with each client, and its port. It is closed when the test ends. */
async function listen(
  serve: (socket: net.Socket) => void,
  server: net.Server = net.createServer(),
): Promise<{ readonly port: number; readonly sockets: net.Socket[] }> {
  const sockets: net.Socket[] = [];
  server.on(server instanceof tls.Server ? "secureConnection" : "connection", (socket: net.Socket) => {
    sockets.push(socket);
    // How its clients leave is not what these tests are about.
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await asyncio.fromPromise(once(server, "listening"));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, sockets };
}

/** Waits until `reader` has no more to give, for whatever reason. */
async function endOf(reader: asyncio.StreamReader): Promise<void> {
  try {
    await reader.read();
  } catch {
    // The peer may break off or say goodbye, as it likes.
  }
}

/** A TLS server of Node's own. */
const nodeTls = (): tls.Server => tls.createServer({ key, cert, allowHalfOpen: true });

/** A protocol for each side of a TLS connection, both of which have heard of it. */
async function secured(
  body: (pair: {
    readonly loop: asyncio.EventLoop;
    readonly client: Recorder;
    readonly server: Recorder;
  }) => Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async ({ loop }) => {
    const [client, server] = [new Recorder(), new Recorder()];
    const listening = await loop.createServer(() => server, "127.0.0.1", 0, { ssl: serverTls });
    await loop.createConnection(() => client, "127.0.0.1", portOf(listening), localhost);
    await server.made.wait();
    listening.close();
    await body({ loop, client, server });
    client.transport.abort();
    server.transport.abort();
    await listening.waitClosed();
  });
}

test("many clients at once send and receive what does not fit into one piece", async () => {
  const reports = await online(async () => {
    await using server = await asyncio.startServer(
      async (reader, writer) => {
        for (let size = await reader.readexactly(4); size.length > 0; size = await reader.read(4)) {
          writer.write(await reader.readexactly(Buffer.from(size).readUInt32BE()));
          await writer.drain();
        }
        writer.close();
      },
      "127.0.0.1",
      0,
      { ssl: serverTls },
    );
    const port = portOf(server);
    const clients = Array.from({ length: 10 }, (_, index) =>
      createTask(async () => {
        const [reader, writer] = await asyncio.openConnection("localhost", port, { ssl: clientTls, family: 4 });
        for (const size of [1, 16_384, 16_385, 100_000 + index]) {
          const message = Buffer.alloc(size, index);
          const length = Buffer.alloc(4);
          length.writeUInt32BE(size);
          writer.writelines([length, message]);
          expect(message.equals(await reader.readexactly(size))).toBe(true);
        }
        writer.close();
        await writer.waitClosed();
      }),
    );
    await asyncio.gather(clients);
  });
  expect(reports).toEqual([]);
});

describe("a handshake", () => {
  test("that takes too long is given up by the client, and the connection closed", async () => {
    await online(async ({ loop }) => {
      const { port, sockets } = await listen((socket) => void socket.resume());
      const connecting = loop.createConnection(() => new Recorder(), "127.0.0.1", port, {
        ...localhost,
        sslHandshakeTimeout: 0.02,
      });
      const error = await errorOf(connecting);
      expect(error).toBeInstanceOf(asyncio.ConnectionAbortedError);
      expect(String(error)).toContain("SSL handshake is taking longer than 0.02 seconds: aborting the connection");
      while (sockets[0]?.destroyed !== true) await sleep(0.001);
    });
  });

  test("that takes too long is given up by the server, and the connection closed", async () => {
    const reports = await online(async ({ loop }) => {
      await using server = await loop.createServer(() => new Recorder(), "127.0.0.1", 0, {
        ssl: serverTls,
        sslHandshakeTimeout: 0.02,
      });
      const client = new Recorder();
      await loop.createConnection(() => client, "127.0.0.1", portOf(server));
      await client.lost.wait();
      expect(client.text).toBe("");
    });
    expect(reports).toEqual([]);
  });

  test.each([0, -1])("cannot be given %i seconds", async (seconds) => {
    await online(async ({ loop, path }) => {
      const options = { ssl: serverTls, sslHandshakeTimeout: seconds };
      await using server = await asyncio.startServer(echo, "127.0.0.1", 0, { ssl: serverTls });
      const port = portOf(server);
      const make = (): Recorder => new Recorder();
      const connecting = loop.createConnection(make, "127.0.0.1", port, { ...localhost, sslHandshakeTimeout: seconds });
      expect(await errorOf(connecting)).toBeInstanceOf(RangeError);
      expect(await errorOf(loop.createServer(make, "127.0.0.1", 0, options))).toBeInstanceOf(RangeError);
      expect(await errorOf(loop.createUnixServer(make, path, options))).toBeInstanceOf(RangeError);
    });
  });

  test("with a certificate that nobody trusts fails, without a report and without a protocol that hears of it", async () => {
    const reports = await online(async ({ loop }) => {
      const [client, server] = [new Recorder(), new Recorder()];
      await using listening = await loop.createServer(() => server, "127.0.0.1", 0, { ssl: serverTls });
      const connecting = loop.createConnection(() => client, "127.0.0.1", portOf(listening), {
        ssl: true,
        serverHostname: "localhost",
      });
      expect(await errorOf(connecting)).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
      expect(client.heard).toEqual([]);
    });
    expect(reports).toEqual([]);
  });

  test("with a certificate of another name fails, unless the name is not to be checked", async () => {
    const reports = await online(async ({ loop }) => {
      await using server = await asyncio.startServer(echo, "127.0.0.1", 0, { ssl: serverTls });
      const open = (serverHostname: string): asyncio.Coroutine<[asyncio.Transport, Recorder]> =>
        loop.createConnection(() => new Recorder(), "127.0.0.1", portOf(server), { ssl: clientTls, serverHostname });
      expect(await errorOf(open("example.org"))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
      const [transport, client] = await open("");
      transport.write("hello");
      transport.close();
      await client.lost.wait();
    });
    expect(reports).toEqual([]);
  });

  test("during which the peer goes away fails, and the protocol hears of nothing", async () => {
    await online(async ({ loop }) => {
      const { port } = await listen((socket) => socket.end());
      const client = new Recorder();
      const error = await errorOf(loop.createConnection(() => client, "127.0.0.1", port, localhost));
      expect(error).toMatchObject({ code: "ECONNRESET" });
      expect(client.heard).toEqual([]);
    });
  });

  test("during which the client goes away is no error of the server's", async () => {
    const reports = await online(async ({ loop }) => {
      const protocols: Recorder[] = [];
      const makeProtocol = (): Recorder => {
        const protocol = new Recorder();
        protocols.push(protocol);
        return protocol;
      };
      await using server = await loop.createServer(makeProtocol, "127.0.0.1", 0, { ssl: serverTls });
      const [transport, client] = await loop.createConnection(() => new Recorder(), "127.0.0.1", portOf(server));
      transport.writeEof();
      await client.lost.wait();
      expect(protocols).toEqual([]);
    });
    expect(reports).toEqual([]);
  });

  test("with a peer that does not speak TLS fails", async () => {
    await online(async ({ loop }) => {
      const { port } = await listen((socket) => void socket.write("I do not speak TLS\n"));
      const error = await errorOf(loop.createConnection(() => new Recorder(), "127.0.0.1", port, localhost));
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SSL/) as unknown });
    });
  });

  test("that is cancelled closes the connection, and leaves nothing behind", async () => {
    const lines = await logOf(async () => {
      const reports = await online(async ({ loop }) => {
        const { port, sockets } = await listen((socket) => void socket.resume());
        const client = new Recorder();
        const connecting = createTask(loop.createConnection(() => client, "127.0.0.1", port, localhost));
        while (sockets.length === 0) await sleep(0.001);
        connecting.cancel();
        expect(await errorOf(connecting)).toBeInstanceOf(asyncio.CancelledError);
        while (sockets[0]?.destroyed !== true) await sleep(0.001);
        expect([client.heard, timersOf(loop)]).toEqual([[], 0]);
      });
      expect(reports).toEqual([]);
    });
    expect(lines).toEqual([]);
  });

  test("that is done leaves no timer behind, and neither does the end of the connection", async () => {
    await secured(async ({ loop, client, server }) => {
      expect(timersOf(loop)).toBe(0);
      client.transport.close();
      await client.lost.wait();
      await server.lost.wait();
      expect(timersOf(loop)).toBe(0);
    });
  });
});

/** How many timers are set. */
function timersOf(loop: asyncio.EventLoop): number {
  const { timers, cancelledTimers } = loop.statistics();
  return timers - cancelledTimers;
}

describe("connectAcceptedSocket", () => {
  test.each([
    { under: "TLS", serverOptions: { ssl: serverTls }, clientOptions: localhost },
    { under: "no TLS", serverOptions: {}, clientOptions: {} },
  ])("serves a client that was accepted elsewhere, under $under", async ({ serverOptions, clientOptions }) => {
    const reports = await online(async ({ loop }) => {
      const accepted = loop.createFuture<net.Socket>();
      const { port } = await listen(
        (socket) => accepted.setResult(socket),
        net.createServer({ pauseOnConnect: true, allowHalfOpen: true }),
      );
      const client = new Recorder();
      const connecting = createTask(loop.createConnection(() => client, "127.0.0.1", port, clientOptions));
      const server = new Recorder();
      const [transport] = await loop.connectAcceptedSocket(() => server, await accepted, serverOptions);
      await connecting;
      expect([client.heard, server.heard]).toEqual([["made"], ["made"]]);
      client.transport.write("hello");
      expect(await server.has(5)).toBe("hello");
      transport.write("world");
      expect(await client.has(5)).toBe("world");
      transport.close();
      await client.lost.wait();
      await server.lost.wait();
    });
    expect(reports).toEqual([]);
  });
});

/** A connection in the clear to a server that does `serve` with each client. */
async function inTheClear(
  serve: (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => Promise<void>,
  body: (loop: asyncio.EventLoop, transport: asyncio.Transport, client: Recorder) => Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async ({ loop }) => {
    const server = await asyncio.startServer(serve, "127.0.0.1", 0);
    const [transport, client] = await loop.createConnection(() => new Recorder(), "127.0.0.1", portOf(server));
    await body(loop, transport, client);
    server.close();
    server.abortClients();
    await server.waitClosed();
  });
}

/** Says a word in the clear, then answers one under TLS. */
async function answerUnderTls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  writer.write("now");
  await reader.readexactly(3);
  await writer.startTls(serverTls);
  writer.write(await reader.readexactly(6));
  await reader.read();
  writer.close();
}

describe("start_tls", () => {
  test("a client's protocol goes on with a new transport, and does not hear of a new connection", async () => {
    const reports = await inTheClear(answerUnderTls, async (loop, transport, client) => {
      await client.has(3);
      transport.write("yes");
      const upgraded = await loop.startTls(transport, client, clientTls, { serverHostname: "localhost" });
      expect(upgraded.getProtocol()).toBe(client);
      upgraded.write("secret");
      expect(await client.has(9)).toBe("nowsecret");
      expect(client.heard).toEqual(["made", "data"]);
      expect(upgraded.getExtraInfo("cipher")).not.toBeNull();
      upgraded.close();
      await client.lost.wait();
      expect(client.error).toBeNull();
    });
    expect(reports).toEqual([]);
  });

  test("a protocol with buffers of its own goes on under TLS", async () => {
    const reports = await inTheClear(answerUnderTls, async (loop, transport, client) => {
      await client.has(3);
      transport.write("yes");
      const memory = Buffer.alloc(4);
      const received = new asyncio.Event();
      const lost = new asyncio.Event();
      let text = "";
      const buffered: asyncio.BufferedProtocol = {
        getBuffer: () => memory,
        bufferUpdated(count) {
          text += memory.toString("latin1", 0, count);
          if (text.length === 6) received.set();
        },
        connectionLost: () => lost.set(),
      };
      const upgraded = await loop.startTls(transport, buffered, clientTls, { serverHostname: "localhost" });
      upgraded.write("secret");
      await received.wait();
      expect(text).toBe("secret");
      upgraded.close();
      await lost.wait();
    });
    expect(reports).toEqual([]);
  });

  test("a server's protocol goes on with a new transport, and does not hear of a new connection", async () => {
    const reports = await online(async ({ loop }) => {
      const server = new Recorder();
      await using listening = await loop.createServer(() => server, "127.0.0.1", 0);
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(listening));
      writer.write("clear");
      await server.has(5);
      const starting = createTask(loop.startTls(server.transport, server, serverTls, { serverSide: true }));
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      const upgraded = await starting;
      upgraded.write("from the server");
      expect(String(await reader.readexactly(15))).toBe("from the server");
      writer.write("from the client");
      expect(await server.has(20)).toBe("clearfrom the client");
      expect(server.heard).toEqual(["made", "data"]);
      upgraded.close();
      await server.lost.wait();
      writer.close();
    });
    expect(reports).toEqual([]);
  });

  test("what is no transport of the loop is refused", async () => {
    await inTheClear(echo, async (loop, transport, client) => {
      expect(await errorOf(loop.startTls({} as asyncio.Transport, client, clientTls))).toBeInstanceOf(TypeError);
      transport.close();
      await client.lost.wait();
    });
  });

  test("what are no options of TLS is refused, and the connection goes on", async () => {
    const reports = await inTheClear(echo, async (loop, transport, client) => {
      for (const ssl of [null, "tls", 1] as unknown as asyncio.Ssl[]) {
        const starting = loop.startTls(transport, client, ssl, { sslHandshakeTimeout: 0.02 });
        expect(await errorOf(starting)).toBeInstanceOf(TypeError);
      }
      transport.write("still in the clear");
      transport.writeEof();
      expect(await client.has(18)).toBe("still in the clear");
    });
    expect(reports).toEqual([]);
  });

  test("a handshake that takes too long is given up", async () => {
    await inTheClear(
      async (reader) => void (await reader.read()),
      async (loop, transport, client) => {
        const starting = loop.startTls(transport, client, clientTls, { sslHandshakeTimeout: 0.02 });
        expect(await errorOf(starting)).toBeInstanceOf(asyncio.ConnectionAbortedError);
      },
    );
  });

  test("a peer that says something else makes it fail", async () => {
    await inTheClear(
      async (reader, writer) => {
        writer.write("now");
        await reader.read(1);
        writer.write("this is not TLS at all");
        await endOf(reader);
        writer.close();
      },
      async (loop, transport, client) => {
        await client.has(3);
        const error = await errorOf(loop.startTls(transport, client, clientTls, { serverHostname: "localhost" }));
        expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SSL/) as unknown });
      },
    );
  });

  test("one that is cancelled closes the connection, and leaves no timer behind", async () => {
    const gone = new asyncio.Event();
    await inTheClear(
      async (reader) => {
        await endOf(reader);
        gone.set();
      },
      async (loop, transport, client) => {
        const starting = createTask(loop.startTls(transport, client, clientTls, { serverHostname: "localhost" }));
        while (timersOf(loop) === 0) await sleep(0);
        starting.cancel();
        expect(await errorOf(starting)).toBeInstanceOf(asyncio.CancelledError);
        await gone.wait();
        expect(timersOf(loop)).toBe(0);
      },
    );
  });

  test("TLS goes through TLS", async () => {
    const reports = await online(async () => {
      await using server = await asyncio.startServer(answerUnderTls, "127.0.0.1", 0, { ssl: serverTls });
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server), localhost);
      expect(String(await reader.readexactly(3))).toBe("now");
      writer.write("yes");
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      writer.write("secret");
      expect(String(await reader.readexactly(6))).toBe("secret");
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("TLS through TLS can be broken off", async () => {
    const reports = await online(async () => {
      const broken = new asyncio.Event();
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await writer.startTls(serverTls);
          writer.transport.abort();
          await endOf(reader);
          broken.set();
        },
        "127.0.0.1",
        0,
        { ssl: serverTls },
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server), localhost);
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      await broken.wait();
      await endOf(reader);
      writer.close();
    });
    expect(reports).toEqual([]);
  });
});

describe("the end of a TLS connection", () => {
  test("that comes before the other side knows that the handshake is done is heard by both", async () => {
    const reports = await online(async ({ loop }) => {
      const server = new Recorder();
      await using listening = await loop.createServer(() => server, "127.0.0.1", 0, { ssl: serverTls });
      const [transport, client] = await loop.createConnection(
        () => new Recorder(),
        "127.0.0.1",
        portOf(listening),
        localhost,
      );
      transport.close();
      await client.lost.wait();
      await server.lost.wait();
      expect([client.error, server.error, server.heard]).toEqual([null, null, ["made", "eof", "lost"]]);
    });
    expect(reports).toEqual([]);
  });

  test("both sides say goodbye, and neither hears of an error", async () => {
    const reports = await secured(async ({ client, server }) => {
      client.transport.write("last words");
      client.transport.close();
      await client.lost.wait();
      await server.lost.wait();
      expect([client.error, server.error, server.text]).toEqual([null, null, "last words"]);
      expect([client.heard, server.heard]).toEqual([
        ["made", "lost"],
        ["made", "data", "eof", "lost"],
      ]);
    });
    expect(reports).toEqual([]);
  });

  test("what was written before it is sent, however much it is", async () => {
    const reports = await secured(async ({ client, server }) => {
      const size = 5_000_000;
      client.transport.write(Buffer.alloc(size, "x"));
      client.transport.close();
      await server.lost.wait();
      expect([server.text.length, server.error]).toEqual([size, null]);
    });
    expect(reports).toEqual([]);
  });

  test.each([{ speed: "at once" }, { speed: "slowly" }])(
    "a peer that ends first and reads $speed still gets what we had written",
    async ({ speed }) => {
      const reports = await online(async ({ loop }) => {
        let received = 0;
        const ended = new asyncio.Event();
        const { port, sockets } = await listen(() => {}, nodeTls());
        const [transport, client] = await loop.createConnection(() => new Recorder(), "127.0.0.1", port, localhost);
        while (sockets.length === 0) await sleep(0.001);
        const [peer] = sockets;
        const size = 5_000_000;
        transport.write(Buffer.alloc(size));
        peer!.end();
        await client.ended.wait();
        peer!.on("data", (data) => {
          received += data.length;
          if (speed !== "slowly") return;
          peer!.pause();
          setImmediate(() => peer!.resume());
        });
        peer!.on("end", () => ended.set());
        await ended.wait();
        expect(received).toBe(size);
        await client.lost.wait();
        expect(client.error).toBeNull();
      });
      expect(reports).toEqual([]);
    },
  );

  test("a peer that never says goodbye is not waited for longer than it was given", async () => {
    const reports = await online(async ({ loop }) => {
      const { port } = await listen(() => {}, nodeTls());
      const [transport, client] = await loop.createConnection(() => new Recorder(), "127.0.0.1", port, {
        ...localhost,
        sslShutdownTimeout: 0.02,
      });
      transport.close();
      await client.lost.wait();
      expect(client.error).toBeInstanceOf(asyncio.TimeoutError);
      expect([String(client.error), timersOf(loop)]).toEqual([expect.stringContaining("SSL shutdown timed out"), 0]);
    });
    expect(reports).toEqual([]);
  });

  test("no timer is set when the peer has said goodbye and gone", async () => {
    await secured(async ({ loop, client, server }) => {
      server.transport.close();
      await server.lost.wait();
      await client.lost.wait();
      expect([client.error, timersOf(loop)]).toEqual([null, 0]);
    });
  });

  test("a peer that breaks off while there is much to send is an error in connectionLost", async () => {
    const reports = await online(async ({ loop }) => {
      const { port, sockets } = await listen(() => {}, nodeTls());
      const [transport, client] = await loop.createConnection(() => new Recorder(), "127.0.0.1", port, localhost);
      while (sockets.length === 0) await sleep(0.001);
      transport.write(Buffer.alloc(5_000_000));
      sockets[0]!.destroy();
      await client.lost.wait();
      expect(client.error).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
      expect(client.heard.filter((what) => what === "lost")).toEqual(["lost"]);
    });
    expect(reports).toEqual([]);
  });
});

describe("a TLS transport", () => {
  test("knows its certificate and its cipher, and what it knows when it is closed is no error", async () => {
    await secured(async ({ client: { transport, lost }, server }) => {
      expect(transport.getExtraInfo("peercert")).toMatchObject({ subject: { CN: "localhost" } });
      expect(transport.getExtraInfo("cipher")).toMatchObject({ version: "TLSv1.3" });
      expect(transport.getExtraInfo("peername")).toEqual(server.transport.getExtraInfo("sockname"));
      expect(transport.getExtraInfo("sslcontext")).not.toBeNull();
      transport.abort();
      await lost.wait();
      expect(() =>
        ["peercert", "cipher", "peername", "socket", "unknown"].map((name) => transport.getExtraInfo(name)),
      ).not.toThrow();
      expect(transport.getExtraInfo("unknown", 42)).toBe(42);
    });
  });

  test("may get another protocol, which then hears what comes", async () => {
    await secured(async ({ client, server }) => {
      const second = new Recorder();
      client.transport.setProtocol(second);
      expect(client.transport.getProtocol()).toBe(second);
      server.transport.write("hello");
      expect(await second.has(5)).toBe("hello");
      server.transport.close();
      await second.lost.wait();
      expect(client.heard).toEqual(["made"]);
    });
  });

  test("that is closing gives its protocol no more data", async () => {
    await secured(async ({ client, server }) => {
      server.transport.write("too late");
      client.transport.close();
      await client.lost.wait();
      expect(client.heard).toEqual(["made", "lost"]);
    });
  });

  test("that is closing takes no more data", async () => {
    const reports = await secured(async ({ client, server }) => {
      client.transport.write("in time");
      client.transport.close();
      client.transport.write("too late");
      await server.lost.wait();
      expect(server.text).toBe("in time");
    });
    expect(reports).toEqual([]);
  });

  test("cannot end one direction alone: eofReceived changes nothing", async () => {
    await secured(async ({ client, server }) => {
      expect(client.transport.canWriteEof()).toBe(false);
      expect(() => client.transport.writeEof()).toThrow(asyncio.RuntimeError);
      server.eofReceived = () => true;
      client.transport.close();
      await server.lost.wait();
    });
  });

  test("pauses its protocol above 512 KiB", async () => {
    await secured(async ({ client: { transport } }) => {
      expect(transport.getWriteBufferLimits()).toEqual({ low: 131_072, high: 524_288 });
    });
  });
});
