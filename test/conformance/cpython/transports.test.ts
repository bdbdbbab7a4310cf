/** CPython's test_transports in our words, and what the reference says of transports (2.17). */

import type { Socket } from "node:net";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, logOf, online, portOf, Recorder } from "./network.ts";

const { createTask, sleep } = asyncio;

interface Pair {
  readonly loop: asyncio.EventLoop;
  readonly client: Recorder;
  readonly server: Recorder;
}

/** A connection over TCP, both ends of which are written down. */
async function connected(
  body: (pair: Pair) => Promise<void>,
  ends: { readonly client?: Recorder; readonly server?: Recorder } = {},
): Promise<asyncio.ExceptionContext[]> {
  return await online(async ({ loop }) => {
    const server = ends.server ?? new Recorder();
    const listening = await loop.createServer(() => server, "127.0.0.1", 0);
    const client = ends.client ?? new Recorder();
    await loop.createConnection(() => client, "127.0.0.1", portOf(listening));
    await server.made.wait();
    listening.close();
    await body({ loop, client, server });
    client.transport.abort();
    server.transport.abort();
    await listening.waitClosed();
  });
}

describe("getExtraInfo", () => {
  test("a name that a transport does not know is null, or what one says instead", async () => {
    await connected(async ({ client: { transport } }) => {
      expect(transport.getExtraInfo("unknown")).toBeNull();
      expect(transport.getExtraInfo("unknown", 42)).toBe(42);
    });
  });

  test("a socket knows itself and both its addresses, also when it is closed", async () => {
    await connected(async ({ client, server }) => {
      const [peer, own] = ["peername", "sockname"].map((name) => client.transport.getExtraInfo(name, "unknown"));
      expect(peer).toMatchObject({ host: "127.0.0.1", family: 4 });
      expect([server.transport.getExtraInfo("sockname"), server.transport.getExtraInfo("peername")]).toEqual([
        peer,
        own,
      ]);
      expect(client.transport.getExtraInfo("socket")).not.toBeNull();
      client.transport.abort();
      await client.lost.wait();
      expect(client.transport.getExtraInfo("peername")).toEqual(peer);
    });
  });
});

describe("writing", () => {
  test("writelines sends all pieces, in order, text and bytes alike", async () => {
    await connected(async ({ client, server }) => {
      client.transport.writelines(["one", Buffer.from("two"), "", new TextEncoder().encode("three")]);
      expect(await server.has(11)).toBe("onetwothree");
    });
  });

  test("writes arrive in the order they were made", async () => {
    await connected(async ({ client, server }) => {
      for (let i = 0; i < 100; i++) client.transport.write(`${i} `);
      const all = Array.from({ length: 100 }, (_, i) => `${i} `).join("");
      expect(await server.has(all.length)).toBe(all);
    });
  });

  test("what is neither bytes nor text is refused, and nothing of it sent", async () => {
    await connected(async ({ client, server }) => {
      const { transport } = client;
      for (const wrong of [1, null, undefined, ["text"], {}]) {
        expect(() => transport.write(wrong as unknown as string)).toThrow(TypeError);
      }
      expect(() => transport.writelines(["fine", 1 as unknown as string])).toThrow(TypeError);
      transport.write("");
      transport.write("x");
      transport.writeEof();
      await server.ended.wait();
      expect(server.text).toBe("x");
    });
  });

  test("after writeEof nothing can be written, and what comes is still received", async () => {
    await connected(
      async ({ client, server }) => {
        expect(client.transport.canWriteEof()).toBe(true);
        client.transport.write("question");
        client.transport.writeEof();
        client.transport.writeEof();
        expect(() => client.transport.write("more")).toThrow(asyncio.RuntimeError);
        expect(() => client.transport.writelines(["more"])).toThrow(asyncio.RuntimeError);
        await server.ended.wait();
        server.transport.write("answer");
        expect(await client.has(6)).toBe("answer");
        expect(server.text).toBe("question");
      },
      { server: new Recorder(true) },
    );
  });

  test("writing to a connection that is lost does nothing, and is warned of when it goes on", async () => {
    const lines = await logOf(() =>
      connected(async ({ client }) => {
        client.transport.abort();
        await client.lost.wait();
        for (let i = 0; i < 5; i++) client.transport.write("x");
      }),
    );
    expect(lines).toEqual([expect.stringContaining("connection that is lost")]);
  });
});

describe("the limits of what waits to be sent", () => {
  test("are 64 KiB and a quarter of it by default, and follow one from the other", async () => {
    await connected(async ({ client: { transport } }) => {
      expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
      transport.setWriteBufferLimits({ high: 1024 });
      expect(transport.getWriteBufferLimits()).toEqual({ low: 256, high: 1024 });
      transport.setWriteBufferLimits({ low: 1024 });
      expect(transport.getWriteBufferLimits()).toEqual({ low: 1024, high: 4096 });
      transport.setWriteBufferLimits({ high: 1024, low: 128 });
      expect(transport.getWriteBufferLimits()).toEqual({ low: 128, high: 1024 });
      transport.setWriteBufferLimits({ high: 0 });
      expect(transport.getWriteBufferLimits()).toEqual({ low: 0, high: 0 });
      transport.setWriteBufferLimits();
      expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
    });
  });

  test("high must be at least low, and low at least zero", async () => {
    await connected(async ({ client: { transport } }) => {
      expect(() => transport.setWriteBufferLimits({ high: 256, low: 512 })).toThrow(/must be >=/);
      expect(() => transport.setWriteBufferLimits({ high: 1024, low: -1 })).toThrow(RangeError);
      expect(() => transport.setWriteBufferLimits({ high: -1 })).toThrow(RangeError);
      expect(() => transport.setWriteBufferLimits({ high: Number.NaN })).toThrow(RangeError);
      expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
    });
  });

  test("above high the protocol pauses before write returns, at low it goes on", async () => {
    await connected(async ({ client, server }) => {
      const size = 20_000_000;
      server.transport.pauseReading();
      client.transport.write(Buffer.alloc(size, "x"));
      expect(client.heard).toEqual(["made", "pause"]);
      expect(client.transport.getWriteBufferSize()).toBeGreaterThan(65_536);
      server.transport.resumeReading();
      await client.hears("resume");
      expect(client.heard).toEqual(["made", "pause", "resume"]);
      await server.has(size);
      expect(client.transport.getWriteBufferSize()).toBeLessThanOrEqual(16_384);
    });
  });

  test("lowering the limit below what waits pauses the protocol at once", async () => {
    await connected(async ({ client, server }) => {
      server.transport.pauseReading();
      client.transport.setWriteBufferLimits({ high: 100_000_000 });
      client.transport.write(Buffer.alloc(20_000_000));
      expect(client.heard).toEqual(["made"]);
      client.transport.setWriteBufferLimits({ high: 1024 });
      expect(client.heard).toEqual(["made", "pause"]);
    });
  });
});

describe("reading", () => {
  test("nothing is received while it is paused; pausing and resuming twice does nothing", async () => {
    await connected(async ({ client, server }) => {
      expect(server.transport.isReading()).toBe(true);
      server.transport.pauseReading();
      server.transport.pauseReading();
      expect(server.transport.isReading()).toBe(false);
      client.transport.write("hello");
      server.transport.write("come on");
      await client.has(7);
      expect(server.text).toBe("");
      server.transport.resumeReading();
      server.transport.resumeReading();
      expect(server.transport.isReading()).toBe(true);
      expect(await server.has(5)).toBe("hello");
    });
  });

  test("a protocol may pause in connectionMade", async () => {
    class Pausing extends Recorder {
      override connectionMade(transport: asyncio.Transport): void {
        super.connectionMade(transport);
        transport.pauseReading();
      }
    }
    await connected(
      async ({ client, server }) => {
        client.transport.write("hello");
        server.transport.write("come on");
        await client.has(7);
        expect(server.text).toBe("");
        server.transport.resumeReading();
        expect(await server.has(5)).toBe("hello");
      },
      { server: new Pausing() },
    );
  });

  test("a transport that is closing does not read, and cannot be made to", async () => {
    await connected(async ({ client: { transport } }) => {
      transport.close();
      expect(transport.isReading()).toBe(false);
      transport.pauseReading();
      transport.resumeReading();
      expect(transport.isReading()).toBe(false);
    });
  });

  test("another protocol may take over: what comes then is its", async () => {
    await connected(async ({ client, server }) => {
      client.transport.write("first");
      await server.has(5);
      const second = new Recorder();
      server.transport.setProtocol(second);
      expect(server.transport.getProtocol()).toBe(second);
      client.transport.write("second");
      expect(await second.has(6)).toBe("second");
      client.transport.close();
      await second.lost.wait();
      expect([server.heard, second.heard]).toEqual([
        ["made", "data"],
        ["data", "eof", "lost"],
      ]);
    });
  });
});

describe("the end of a connection", () => {
  test("close sends what was written; connectionLost is the last call, once, and in a later turn", async () => {
    await connected(async ({ client, server }) => {
      const size = 20_000_000;
      client.transport.write(Buffer.alloc(size, "x"));
      client.transport.close();
      client.transport.close();
      expect([client.transport.isClosing(), client.heard]).toEqual([true, ["made", "pause"]]);
      await server.lost.wait();
      await client.lost.wait();
      expect([server.text.length, server.heard, server.error]).toEqual([size, ["made", "data", "eof", "lost"], null]);
      expect([client.heard.at(-1), client.error]).toEqual(["lost", null]);
    });
  });

  test("abort drops what waits, without an error on this side", async () => {
    await connected(async ({ client, server }) => {
      server.transport.pauseReading();
      client.transport.write(Buffer.alloc(20_000_000));
      client.transport.abort();
      expect(client.heard).toEqual(["made", "pause"]);
      await client.lost.wait();
      expect([client.error, client.transport.getWriteBufferSize()]).toEqual([null, 0]);
    });
  });

  test("a peer that ends closes the transport, unless eofReceived says otherwise", async () => {
    await connected(async ({ client, server }) => {
      client.transport.writeEof();
      await server.lost.wait();
      await client.lost.wait();
      expect([server.heard, client.heard]).toEqual([
        ["made", "eof", "lost"],
        ["made", "eof", "lost"],
      ]);
    });
    await connected(
      async ({ client, server }) => {
        client.transport.writeEof();
        await server.ended.wait();
        await sleep(0);
        expect([server.transport.isClosing(), server.heard]).toEqual([false, ["made", "eof"]]);
      },
      { server: new Recorder(true) },
    );
  });

  test("a peer that breaks off is an error in connectionLost, and no report", async () => {
    const reports = await connected(async ({ client, server }) => {
      (client.transport.getExtraInfo("socket") as Socket).resetAndDestroy();
      await server.lost.wait();
      expect(server.error).toMatchObject({ code: "ECONNRESET" });
      expect(server.heard).toEqual(["made", "lost"]);
    });
    expect(reports).toEqual([]);
  });
});

describe("a protocol that fails", () => {
  test.each([
    { method: "dataReceived", provoke: (peer: asyncio.Transport) => peer.write("x") },
    { method: "eofReceived", provoke: (peer: asyncio.Transport) => peer.writeEof() },
  ] as const)("in $method is reported, and loses the connection with its error", async ({ method, provoke }) => {
    const mistake = new Error("my mistake");
    const server = new Recorder();
    server[method] = () => {
      throw mistake;
    };
    const reports = await connected(
      async ({ client }) => {
        provoke(client.transport);
        await server.lost.wait();
        expect(server.error).toBe(mistake);
      },
      { server },
    );
    expect(reports).toMatchObject([
      { message: `Fatal error: protocol.${method}() call failed.`, exception: mistake, protocol: server },
    ]);
  });

  test("in pauseWriting or resumeWriting is reported, and the connection goes on", async () => {
    const mistake = new Error("my mistake");
    const client = new Recorder();
    client.pauseWriting = () => {
      throw mistake;
    };
    const resumed = new asyncio.Event();
    client.resumeWriting = () => {
      resumed.set();
      throw mistake;
    };
    const reports = await connected(
      async ({ server }) => {
        client.transport.write(Buffer.alloc(20_000_000));
        await resumed.wait();
        await server.has(20_000_000);
        expect(client.transport.isClosing()).toBe(false);
      },
      { client },
    );
    expect(reports).toMatchObject([
      { message: "protocol.pauseWriting() failed", exception: mistake },
      { message: "protocol.resumeWriting() failed", exception: mistake },
    ]);
  });
});

test("connectionMade comes before the connection is given to the one who asked for it", async () => {
  await connected(async ({ client }) => {
    expect(client.heard).toEqual(["made"]);
    expect(String(client.transport)).toContain("open");
  });
});

test("a protocol that cannot be made fails the connection, and closes it", async () => {
  const mistake = new Error("my mistake");
  await online(async ({ loop }) => {
    const server = new Recorder();
    await using listening = await loop.createServer(() => server, "127.0.0.1", 0);
    const connecting = loop.createConnection(
      () => {
        throw mistake;
      },
      "127.0.0.1",
      portOf(listening),
    );
    expect(await errorOf(createTask(connecting))).toBe(mistake);
    await server.lost.wait();
  });
});
