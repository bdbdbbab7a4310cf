/** CPython's test_server in our words. */

import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { once } from "node:events";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, online, portOf } from "./network.ts";

const { createTask, sleep } = asyncio;

/** Answers what it is sent with the same until the client ends. */
async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for (let data = await reader.read(100); data.length > 0; data = await reader.read(100)) writer.write(data);
  writer.close();
}

/** Sends "hello" and gives what comes back. */
async function greet([reader, writer]: asyncio.Streams): Promise<string> {
  writer.write("hello");
  writer.writeEof();
  const answer = String(await reader.read());
  writer.close();
  await writer.waitClosed();
  return answer;
}

describe("a server that starts later", () => {
  const places = [
    {
      name: "TCP",
      make: () => asyncio.startServer(echo, "127.0.0.1", 0, { startServing: false }),
      open: (server: asyncio.Server, _path: string) => asyncio.openConnection("127.0.0.1", portOf(server)),
    },
    {
      name: "a Unix socket",
      make: (path: string) => asyncio.startUnixServer(echo, path, { startServing: false }),
      open: (_server: asyncio.Server, path: string) => asyncio.openUnixConnection(path),
    },
  ];

  test.each(places)("serves forever until it is cancelled, and is closed then: over $name", async ({ make, open }) => {
    const reports = await online(async ({ path }) => {
      const server = await make(path);
      expect([server.isServing(), server.sockets.length]).toEqual([false, 1]);
      const serving = createTask(server.serveForever());
      while (!server.isServing()) await sleep(0);
      await server.startServing();
      expect(await greet(await open(server, path))).toBe("hello");
      expect(String(await errorOf(server.serveForever()))).toContain("already being awaited on serveForever");
      serving.cancel();
      expect(await errorOf(serving)).toBeInstanceOf(asyncio.CancelledError);
      expect([server.isServing(), server.sockets]).toEqual([false, []]);
      const error = await errorOf(server.serveForever());
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
      expect(String(error)).toContain("is closed");
      expect(await errorOf(server.startServing())).toBeInstanceOf(asyncio.RuntimeError);
    });
    expect(reports).toEqual([]);
  });

  test("closing it ends serveForever as a cancellation does", async () => {
    await online(async () => {
      const server = await asyncio.startServer(echo, "127.0.0.1", 0);
      const serving = createTask(server.serveForever());
      await sleep(0);
      server.close();
      expect(await errorOf(serving)).toBeInstanceOf(asyncio.CancelledError);
      expect(serving.cancelled()).toBe(true);
    });
  });

  test("the end of its block closes it", async () => {
    await online(async () => {
      let server: asyncio.Server | null = null;
      {
        await using inner = await asyncio.startServer(echo, "127.0.0.1", 0);
        server = inner;
        expect(server.isServing()).toBe(true);
      }
      expect([server.isServing(), server.sockets]).toEqual([false, []]);
    });
  });
});

/** A server that serves a client as `serve` does, and a connection to it that has been accepted. */
async function withClient(
  serve: asyncio.ClientConnectedCallback,
  body: (server: asyncio.Server, streams: asyncio.Streams) => Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async () => {
    const accepted = new asyncio.Event();
    const server = await asyncio.startServer(
      (reader, writer) => {
        accepted.set();
        return serve(reader, writer);
      },
      "127.0.0.1",
      0,
    );
    const streams = await asyncio.openConnection("127.0.0.1", portOf(server));
    await accepted.wait();
    await body(server, streams);
  });
}

describe("waitClosed", () => {
  test("waits until the server is closed and its last connection is gone, and then not at all", async () => {
    const reports = await withClient(echo, async (server, [reader, writer]) => {
      const [early, late] = [createTask(server.waitClosed()), createTask(server.waitClosed())];
      await sleep(0);
      expect(early.done()).toBe(false);
      server.close();
      await sleep(0);
      await sleep(0);
      expect([early.done(), late.done()]).toEqual([false, false]);
      writer.close();
      await asyncio.gather([early, late]);
      await server.waitClosed();
      expect(String(await reader.read())).toBe("");
    });
    expect(reports).toEqual([]);
  });

  test("ends when the server and its last connection close in the same turn", async () => {
    const reports = await withClient(echo, async (server, [, writer]) => {
      const waiting = createTask(server.waitClosed());
      await sleep(0);
      const loop = asyncio.getRunningLoop();
      loop.callSoon(() => server.close());
      loop.callSoon(() => writer.close());
      await waiting;
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("a server that never had a client is closed at once", async () => {
    await online(async () => {
      const server = await asyncio.startServer(echo, "127.0.0.1", 0);
      server.close();
      server.close();
      await server.waitClosed();
    });
  });
});

describe("ending the connections of a server", () => {
  test("closeClients closes them when what was written has been sent", async () => {
    const reports = await withClient(
      async (reader, writer) => {
        writer.write("goodbye");
        await reader.read();
      },
      async (server, [reader, writer]) => {
        server.close();
        server.closeClients();
        await server.waitClosed();
        expect(server.statistics().connections).toBe(0);
        expect(String(await reader.read())).toBe("goodbye");
        writer.close();
      },
    );
    expect(reports).toEqual([]);
  });

  test("abortClients ends even those that have much to send to a client that reads nothing", async () => {
    const reports = await withClient(
      async (_reader, writer) => {
        writer.write(Buffer.alloc(50_000_000));
        await writer.drain();
      },
      async (server, [, writer]) => {
        const waiting = createTask(server.waitClosed());
        server.close();
        server.closeClients();
        await sleep(0);
        await sleep(0);
        expect(waiting.done()).toBe(false);
        server.abortClients();
        await waiting;
        writer.transport.abort();
      },
    );
    expect(reports).toEqual([]);
  });
});

describe("the file of a Unix socket", () => {
  test("is there while the server listens, and removed when it closes", async () => {
    await online(async ({ path }) => {
      const server = await asyncio.startUnixServer(echo, path);
      expect(lstatSync(path).isSocket()).toBe(true);
      server.close();
      await server.waitClosed();
      expect(existsSync(path)).toBe(false);
    });
  });

  test("is removed too when the server was given what listens there", async () => {
    await online(async ({ path }) => {
      const sock = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(path);
      await asyncio.fromPromise(once(sock, "listening"));
      const server = await asyncio.startUnixServer(echo, null, { sock });
      expect(await greet(await asyncio.openUnixConnection(path))).toBe("hello");
      server.close();
      await server.waitClosed();
      expect(existsSync(path)).toBe(false);
    });
  });

  test("may be gone when the server closes", async () => {
    const reports = await online(async ({ path }) => {
      const server = await asyncio.startUnixServer(echo, path);
      rmSync(path);
      server.close();
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("is left alone when it is somebody else's by now", async () => {
    await online(async ({ path }) => {
      const server = await asyncio.startUnixServer(echo, path);
      const other = await asyncio.startUnixServer(echo, `${path}2`, { cleanupSocket: false });
      renameSync(`${path}2`, path);
      server.close();
      await server.waitClosed();
      expect(await greet(await asyncio.openUnixConnection(path))).toBe("hello");
      other.close();
      await other.waitClosed();
    });
  });

  test("is left alone when it is no socket by now", async () => {
    await online(async ({ path }) => {
      const server = await asyncio.startUnixServer(echo, path);
      rmSync(path);
      writeFileSync(path, "mine");
      server.close();
      await server.waitClosed();
      expect(readFileSync(path, "utf8")).toBe("mine");
    });
  });

  test("stays if that was asked for", async () => {
    await online(async ({ path }) => {
      const server = await asyncio.startUnixServer(echo, path, { cleanupSocket: false });
      server.close();
      await server.waitClosed();
      expect(lstatSync(path).isSocket()).toBe(true);
      const next = await asyncio.startUnixServer(echo, path);
      expect(await greet(await asyncio.openUnixConnection(path))).toBe("hello");
      next.close();
      await next.waitClosed();
    });
  });
});
