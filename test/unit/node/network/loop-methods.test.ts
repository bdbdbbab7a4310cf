/** A subclass of Node's loop is asked: by streams, by child processes, and for the addresses of names. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

type Loop = asyncio.EventLoop;

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) writer.write(line);
  writer.close();
}

async function ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<string> {
  writer.write("hello\n");
  const answer = String(await reader.readline());
  writer.close();
  await writer.waitClosed();
  return answer;
}

function on<T>(loop: Loop, main: () => Promise<T>): Promise<T> {
  return asyncio.run(main, { loopFactory: () => loop });
}

test("openConnection() goes where the loop's createConnection sends it", async () => {
  class Redirecting extends asyncio.EventLoop {
    readonly asked: unknown[] = [];
    target: number | null = null;

    override createConnection<P extends asyncio.StreamingProtocol>(
      makeProtocol: () => P,
      host: string | null = null,
      port: number | string | null = null,
      options: asyncio.ConnectionOptions = {},
    ): asyncio.Coroutine<[asyncio.Transport, P]> {
      this.asked.push([host, port, options]);
      return super.createConnection(makeProtocol, "127.0.0.1", this.target, options);
    }
  }
  const loop = new Redirecting();
  await on(loop, async () => {
    await using server = await asyncio.startServer(echo, "127.0.0.1", 0);
    loop.target = server.port;
    const streams = await asyncio.openConnection("db.internal", 5432, { limit: 1000 });
    expect(await ask(...streams)).toBe("hello\n");
  });
  expect(loop.asked).toEqual([["db.internal", 5432, { limit: 1000 }]]);
});

test("startServer() listens where the loop's createServer does", async () => {
  class Local extends asyncio.EventLoop {
    readonly asked: unknown[] = [];

    override createServer(
      makeProtocol: () => asyncio.StreamingProtocol,
      host: string | null | readonly string[] = null,
      port: number | string | null = null,
      options: asyncio.ServerOptions = {},
    ): asyncio.Coroutine<asyncio.Server> {
      this.asked.push([host, port]);
      return super.createServer(makeProtocol, "127.0.0.1", 0, options);
    }
  }
  const loop = new Local();
  await on(loop, async () => {
    await using server = await asyncio.startServer(echo, "0.0.0.0", 80);
    expect(server.addresses).toEqual([{ host: "127.0.0.1", port: server.port, family: 4 }]);
    expect(await ask(...(await asyncio.openConnection("127.0.0.1", server.port)))).toBe("hello\n");
  });
  expect(loop.asked).toEqual([["0.0.0.0", 80]]);
});

test("openUnixConnection() and startUnixServer() use the paths of the loop's methods", async () => {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-test-"));
  class Moved extends asyncio.EventLoop {
    override createUnixConnection<P extends asyncio.StreamingProtocol>(
      makeProtocol: () => P,
      path: string | null = null,
      options: asyncio.UnixConnectionOptions = {},
    ): asyncio.Coroutine<[asyncio.Transport, P]> {
      return super.createUnixConnection(makeProtocol, join(folder, path ?? ""), options);
    }

    override createUnixServer(
      makeProtocol: () => asyncio.StreamingProtocol,
      path: string | null = null,
      options: asyncio.UnixServerOptions = {},
    ): asyncio.Coroutine<asyncio.Server> {
      return super.createUnixServer(makeProtocol, join(folder, path ?? ""), options);
    }
  }
  try {
    await on(new Moved(), async () => {
      await using server = await asyncio.startUnixServer(echo, "socket");
      expect(server.addresses).toEqual([join(folder, "socket")]);
      expect(await ask(...(await asyncio.openUnixConnection("socket")))).toBe("hello\n");
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("StreamWriter.startTls() asks the loop's startTls, at both ends", async () => {
  class NoTls extends asyncio.EventLoop {
    readonly asked: unknown[] = [];

    override startTls(...[transport, protocol, ssl, options]: Parameters<Loop["startTls"]>): never {
      this.asked.push([transport.getProtocol() === protocol, ssl, options]);
      throw new asyncio.RuntimeError("not here");
    }
  }
  const loop = new NoTls();
  await on(loop, async () => {
    const serve = async (_reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> => {
      await expect(Promise.resolve(writer.startTls({ ciphers: "server's" }))).rejects.toThrow("not here");
      writer.close();
    };
    await using server = await asyncio.startServer(serve, "127.0.0.1", 0);
    const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
    await reader.read();
    await expect(Promise.resolve(writer.startTls({}, { serverHostname: "name" }))).rejects.toThrow("not here");
    writer.close();
  });
  expect(loop.asked).toEqual([
    [true, { ciphers: "server's" }, { serverSide: true }],
    [true, {}, { serverHostname: "name", serverSide: false }],
  ]);
});

test("createConnection and createServer ask the loop's getaddrinfo for the addresses of a name, and of no number", async () => {
  class Names extends asyncio.EventLoop {
    readonly asked: unknown[] = [];

    override getaddrinfo(
      host: string | null,
      port: number | string,
      options: asyncio.AddressOptions = {},
    ): asyncio.Coroutine<asyncio.SocketAddress[]> {
      this.asked.push([host, options]);
      return asyncio.coroutine(async () =>
        host === "nowhere.internal" ? [] : [{ host: "127.0.0.1", port: Number(port), family: 4 as const }],
      )();
    }
  }
  const loop = new Names();
  await on(loop, async () => {
    await using server = await asyncio.startServer(echo, "server.internal", 0);
    expect(server.addresses).toEqual([{ host: "127.0.0.1", port: server.port, family: 4 }]);
    expect(await ask(...(await asyncio.openConnection("db.internal", server.port, { family: 4 })))).toBe("hello\n");
    expect(await ask(...(await asyncio.openConnection("127.0.0.1", server.port)))).toBe("hello\n");
    const connecting = Promise.resolve(asyncio.openConnection("nowhere.internal", 1));
    await expect(connecting).rejects.toMatchObject({ code: "ENOTFOUND", hostname: "nowhere.internal" });
    const [transport] = await loop.createDatagramEndpoint(() => ({}), {
      remoteAddr: { host: "peer.internal", port: 9 },
    });
    expect(transport.getExtraInfo("peername")).toEqual({ host: "127.0.0.1", port: 9, family: 4 });
    transport.close();
  });
  expect(loop.asked).toEqual([
    ["server.internal", { family: 0 }],
    ["db.internal", { family: 4 }],
    ["nowhere.internal", { family: 0 }],
    ["peer.internal", { family: 0 }],
  ]);
});

test("createSubprocessExec() and createSubprocessShell() run what the loop's methods run", async () => {
  class Renaming extends asyncio.EventLoop {
    readonly asked: unknown[] = [];

    override subprocessExec<P extends asyncio.SubprocessProtocol>(
      makeProtocol: () => P,
      program: string,
      args: readonly string[] = [],
      options: asyncio.SubprocessOptions = {},
    ): asyncio.Coroutine<[asyncio.SubprocessTransport, P]> {
      this.asked.push([program, args, options]);
      return super.subprocessExec(makeProtocol, process.execPath, args, options);
    }

    override subprocessShell<P extends asyncio.SubprocessProtocol>(
      makeProtocol: () => P,
      command: string,
      options: asyncio.SubprocessOptions = {},
    ): asyncio.Coroutine<[asyncio.SubprocessTransport, P]> {
      this.asked.push([command, options]);
      return super.subprocessShell(makeProtocol, `"${process.execPath}" ${command}`, options);
    }
  }
  const loop = new Renaming();
  await on(loop, async () => {
    const pipe = { stdout: asyncio.PIPE };
    const child = await asyncio.createSubprocessExec("node", ["--version"], pipe);
    expect(String((await child.communicate()).stdout).trim()).toBe(process.version);
    const shell = await asyncio.createSubprocessShell("--version", pipe);
    expect(String((await shell.communicate()).stdout).trim()).toBe(process.version);
    expect([child.returncode, shell.returncode, child.stdin, child.stderr]).toEqual([0, 0, null, null]);
  });
  const streams = { stdin: null, stdout: asyncio.PIPE, stderr: null };
  expect(loop.asked).toEqual([
    ["node", ["--version"], streams],
    ["--version", streams],
  ]);
});
