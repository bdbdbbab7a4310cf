/** The network half of CPython's test_unix_events in our words. */

import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, online, Recorder, serverTls } from "./network.ts";

const { createTask } = asyncio;

const make = (): Recorder => new Recorder();

/** A socket that is connected to nothing. */
const socket = (): net.Socket => new net.Socket();

describe("createUnixServer", () => {
  test("takes the place of a socket that a server before left behind", async () => {
    await online(async ({ loop, path }) => {
      const first = await loop.createUnixServer(make, path, { cleanupSocket: false });
      first.close();
      await first.waitClosed();
      expect(lstatSync(path).isSocket()).toBe(true);
      await using second = await loop.createUnixServer(make, path);
      const [transport, client] = await loop.createUnixConnection(make, path);
      expect([second.isServing(), client.heard]).toEqual([true, ["made"]]);
      transport.close();
      await client.lost.wait();
    });
  });

  test("does not take the place of what is no socket", async () => {
    await online(async ({ loop, path }) => {
      writeFileSync(path, "mine");
      expect(await errorOf(loop.createUnixServer(make, path))).toMatchObject({ code: "EADDRINUSE" });
      expect(readFileSync(path, "utf8")).toBe("mine");
    });
  });

  test("says what the system says of a path that cannot be", async () => {
    await online(async ({ loop, path }) => {
      expect(await errorOf(loop.createUnixServer(make, `${path}/nowhere`))).toMatchObject({
        code: expect.stringMatching(/^(ENOENT|ENOTDIR|EACCES)$/) as unknown,
      });
    });
  });

  test("refuses a path that the system would cut off", async () => {
    await online(async ({ loop, path }) => {
      const long = path + "x".repeat(200);
      const opened = createTask(async () => {
        const server = await loop.createUnixServer(make, long);
        server.close();
      });
      const code = expect.stringMatching(/^(EINVAL|ENAMETOOLONG)$/) as unknown;
      expect(await errorOf(opened)).toMatchObject({ code });
      expect(await errorOf(loop.createUnixConnection(make, long))).toMatchObject({ code });
    });
  });

  test("needs a path or a server to accept from, and not both", async () => {
    await online(async ({ loop, path }) => {
      expect(await errorOf(loop.createUnixServer(make))).toBeInstanceOf(RangeError);
      const sock = net.createServer();
      const error = await errorOf(loop.createUnixServer(make, path, { sock }));
      expect(error).toBeInstanceOf(RangeError);
      expect(String(error)).toContain("path and sock can not be specified at the same time");
    });
  });

  test("for TLS needs a key, and without TLS takes no times for it", async () => {
    await online(async ({ loop, path }) => {
      for (const ssl of [true, false]) {
        const error = await errorOf(loop.createUnixServer(make, path, { ssl: ssl as unknown as asyncio.Ssl }));
        expect(error).toBeInstanceOf(TypeError);
      }
      for (const options of [{ sslHandshakeTimeout: 1 }, { sslShutdownTimeout: 1 }]) {
        const error = await errorOf(loop.createUnixServer(make, path, options));
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain("only meaningful with ssl");
      }
      const server = await loop.createUnixServer(make, path, { ssl: serverTls, sslHandshakeTimeout: 1 });
      server.close();
    });
  });
});

describe("createUnixConnection", () => {
  test("says that nobody listens, or that there is nothing", async () => {
    await online(async ({ loop, path }) => {
      expect(await errorOf(loop.createUnixConnection(make, path))).toMatchObject({ code: "ENOENT" });
      const server = await loop.createUnixServer(make, path, { cleanupSocket: false });
      server.close();
      await server.waitClosed();
      expect(await errorOf(loop.createUnixConnection(make, path))).toMatchObject({ code: "ECONNREFUSED" });
    });
  });

  test("needs a path or a socket, and not both", async () => {
    await online(async ({ loop, path }) => {
      expect(await errorOf(loop.createUnixConnection(make))).toBeInstanceOf(RangeError);
      const sock = socket();
      const error = await errorOf(loop.createUnixConnection(make, path, { sock }));
      expect(error).toBeInstanceOf(RangeError);
      expect(String(error)).toContain("path and sock can not be specified at the same time");
    });
  });

  test("for TLS needs the name of the server, and without TLS takes none, and no times for it", async () => {
    await online(async ({ loop, path }) => {
      await using _server = await loop.createUnixServer(make, path);
      const unnamed = await errorOf(loop.createUnixConnection(make, path, { ssl: true }));
      expect(unnamed).toBeInstanceOf(RangeError);
      expect(String(unnamed)).toContain("You must set serverHostname when using ssl");
      const wrong = [{ serverHostname: "localhost" }, { sslHandshakeTimeout: 1 }, { sslShutdownTimeout: 1 }];
      for (const options of wrong) {
        const error = await errorOf(closing(loop.createUnixConnection(make, path, options)));
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain("only meaningful with ssl");
      }
    });
  });
});

/** Awaits `connecting`, and closes what should not have been opened. */
function closing(connecting: asyncio.Coroutine<[asyncio.Transport, Recorder]>): asyncio.Task<void> {
  return createTask(async () => {
    const [transport, client] = await connecting;
    transport.abort();
    await client.lost.wait();
  });
}
