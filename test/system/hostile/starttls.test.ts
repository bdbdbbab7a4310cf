/** STARTTLS against an attacker in between, and against everything that can end during the handshake. */

import type * as net from "node:net";
import * as tls from "node:tls";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { cert, key } from "./certificate.ts";
import { closing, dial, eventually, host, leavingNothing, outcome, portOf, run, soon, until } from "./support.ts";

const certificate = { key, cert };

/** A server that answers "go" to a line, and goes on under TLS; what `serve` makes of it. */
async function upgrading(
  serve: (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => Promise<void>,
  options: asyncio.ServerOptions = {},
): Promise<asyncio.Server> {
  return await asyncio.startServer(
    async (reader, writer) => {
      await reader.readline();
      writer.write("go\n");
      await serve(reader, writer);
    },
    "127.0.0.1",
    0,
    options,
  );
}

/** The client's half of the upgrade, after what it sent in the clear. */
async function upgrade(socket: net.Socket): Promise<tls.TLSSocket> {
  const secure = tls.connect({ socket, rejectUnauthorized: false });
  secure.on("error", () => {});
  return secure;
}

describe("bytes that come before the upgrade", () => {
  test.each(["before the answer", "in the segment of the first line"])(
    "fail the handshake: injected %s",
    async (when) => {
      await run(() =>
        leavingNothing(async () => {
          const read: string[] = [];
          const results: unknown[] = [];
          await using server = await upgrading(async (reader, writer) => {
            results.push(await outcome(writer.startTls(certificate)));
            const rest = await outcome(reader.read(100));
            if (rest instanceof Uint8Array) read.push(String(rest));
            writer.close();
          });
          const socket = await dial(portOf(server));
          if (when === "before the answer") {
            socket.write("STARTTLS\n");
            socket.write("RCPT TO: attacker\n");
          } else {
            socket.write("STARTTLS\nRCPT TO: attacker\n");
          }
          await eventually(new Promise((resolve) => void socket.once("data", resolve)));
          const secure = await upgrade(socket);
          await eventually(closing(secure));
          expect(read.join("")).not.toContain("attacker");
          expect(results[0]).toBeInstanceOf(Error);
        }),
      );
    },
  );

  test("are the beginning of the handshake if they are one, as from a client that does not wait for the answer", async () => {
    await run(() =>
      leavingNothing(async () => {
        const lines: string[] = [];
        await using server = await upgrading(async (reader, writer) => {
          // The client's hello is in the reader by now.
          await until(() => reader.toString().includes("bytes"));
          await soon(writer.startTls(certificate));
          lines.push(String(await soon(reader.readline())));
          writer.close();
        });
        const socket = await dial(portOf(server));
        socket.write("STARTTLS\n");
        // The answer in the clear comes before the server's hello.
        socket.once("data", () => {});
        const reader = await upgradeByHand(socket);
        reader.write("hello\n");
        await eventually(closing(reader));
        expect(lines).toEqual(["hello\n"]);
      }),
    );
  });

  test("in the clear, while STARTTLS waits to send, are not read as if they were secure", async () => {
    await run(async ({ loop }) => {
      const size = 16_000_000;
      const [started, answer] = [loop.createFuture(), loop.createFuture<unknown>()];
      const server = await asyncio.startServer(
        async (reader, writer) => {
          writer.transport.setWriteBufferLimits({ high: 2 * size });
          writer.write(new Uint8Array(size)); // the peer does not read yet
          started.setResult();
          const result = await outcome(writer.startTls(certificate));
          answer.setResult(result instanceof Error ? result : String(await reader.readline()));
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
});

/** A TLS client over `socket` whose hello leaves at once; it takes the server's "go" away before TLS sees it. */
async function upgradeByHand(socket: net.Socket): Promise<tls.TLSSocket> {
  const { Duplex } = await import("node:stream");
  let isAnswered = false;
  const plain = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => void socket.write(chunk as Buffer, () => done()),
    final: (done) => void socket.end(done),
  });
  socket.on("data", (data: Buffer) => {
    const rest = isAnswered ? data : data.subarray("go\n".length);
    isAnswered = true;
    if (rest.length > 0) plain.push(rest);
  });
  socket.on("end", () => plain.push(null)).on("close", () => plain.destroy());
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.on("error", () => {});
  secure.on("end", () => secure.end());
  secure.resume();
  return secure;
}

describe("an upgrade that fails ends the connection: nobody waits for it for ever", () => {
  const ends: [string, (socket: net.Socket) => void][] = [
    ["the peer resets", (socket) => void socket.resetAndDestroy()],
    ["the peer closes", (socket) => void socket.destroy()],
    ["the peer ends its half", (socket) => void socket.end()],
    [
      "the peer sends what is no TLS",
      (socket) => void socket.write("this is no handshake, and it is long enough\n".repeat(9)),
    ],
    [
      "the peer breaks off in the middle of a message",
      (socket) => void socket.end(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])),
    ],
  ];

  test.each(ends)("in a server: %s", async (_name, end) => {
    await run(() =>
      leavingNothing(async () => {
        const results: unknown[] = [];
        let isOver = false;
        await using server = await upgrading(async (reader, writer) => {
          results.push(await outcome(writer.startTls(certificate)));
          results.push(await outcome(reader.read(10)), await outcome(drained(writer)));
          writer.close();
          results.push(await outcome(writer.waitClosed()));
          isOver = true;
        });
        const socket = await dial(portOf(server), { allowHalfOpen: true });
        socket.write("STARTTLS\n");
        await eventually(new Promise((resolve) => void socket.once("data", resolve)));
        // Our side of a connection that allows half of it does not close by itself.
        socket.once("end", () => socket.end());
        end(socket);
        await eventually(closing(socket));
        await until(() => isOver);
        expect(results[0]).toBeInstanceOf(Error);
        expect(results.filter((result) => result instanceof asyncio.TimeoutError)).toEqual([]);
      }),
    );
  });

  test.each(ends)("in a client: %s", async (_name, end) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.once("data", () => end(socket)));
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const results = [await outcome(writer.startTls({ ca: cert }, { serverHostname: "localhost" }))];
        results.push(await outcome(reader.read(10)));
        writer.close();
        results.push(await outcome(writer.waitClosed()));
        expect(results[0]).toBeInstanceOf(Error);
        expect(results.filter((result) => result instanceof asyncio.TimeoutError)).toEqual([]);
        server.close();
      }),
    );
  });

  test("the peer's end came before the upgrade began", async () => {
    await run(() =>
      leavingNothing(async () => {
        let result: unknown;
        await using server = await upgrading(async (reader, writer) => {
          await until(() => reader.atEof());
          result = await outcome(writer.startTls(certificate));
          writer.close();
        });
        const socket = await dial(portOf(server), { allowHalfOpen: true });
        socket.end("STARTTLS\n");
        await eventually(closing(socket.resume()));
        await until(() => result !== undefined);
        expect(result).toBeInstanceOf(Error);
        expect(result).not.toBeInstanceOf(asyncio.TimeoutError);
      }),
    );
  });
});

async function drained(writer: asyncio.StreamWriter): Promise<void> {
  writer.write("x");
  await writer.drain();
}

describe("an upgrade", () => {
  test.each(["firstByteTimeout", "idleTimeout"])("works on a server with %s", async (name) => {
    await run(() =>
      leavingNothing(async () => {
        const results: unknown[] = [];
        await using server = await upgrading(
          async (reader, writer) => {
            results.push(await outcome(writer.startTls(certificate)));
            results.push(String(await outcome(reader.readline())));
            writer.close();
          },
          { [name]: 60 },
        );
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        writer.write("STARTTLS\n");
        await soon(reader.readline());
        results.push(await outcome(writer.startTls({ ca: cert }, { serverHostname: "localhost" })));
        if (results.some((one) => one instanceof Error)) (writer.getExtraInfo("socket") as net.Socket).destroy();
        else writer.write("hello\n");
        writer.close();
        await outcome(writer.waitClosed());
        await until(() => server.statistics().connections === 0);
        expect(results).toEqual([undefined, undefined, "hello\n"]);
      }),
    );
  });

  test("does not count the client twice, and the server waits for it meanwhile", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await upgrading(async (_reader, writer) => {
          await outcome(writer.startTls(certificate));
          writer.close();
        });
        const socket = await dial(portOf(server));
        socket.write("STARTTLS\n");
        await eventually(new Promise((resolve) => void socket.once("data", resolve)));
        await asyncio.sleep(0);
        server.close();
        const closed = asyncio.createTask(server.waitClosed());
        for (let turn = 0; turn < 10; turn++) await asyncio.sleep(0);
        expect([closed.done(), server.statistics().connections]).toEqual([false, 1]);
        const secure = await upgrade(socket);
        await eventually(closing(secure.resume()));
        await soon(closed);
        expect(server.statistics()).toEqual({ connections: 0, accepted: 1, refused: 0 });
      }),
    );
  });

  test("that hangs does not outlive the shutdown of its server", async () => {
    await run(() =>
      leavingNothing(async () => {
        let result: unknown;
        const server = await upgrading(async (_reader, writer) => {
          try {
            await writer.startTls(certificate);
          } catch (error) {
            result = error;
            throw error;
          }
        });
        const socket = await dial(portOf(server));
        socket.write("STARTTLS\n");
        await eventually(new Promise((resolve) => void socket.once("data", resolve)));
        await asyncio.sleep(0);
        await soon(server.shutdown({ grace: 0 }));
        await eventually(closing(socket));
        expect(result).toBeInstanceOf(asyncio.CancelledError);
      }),
    );
  });
});

describe("an upgrade that is cancelled leaves nothing open", () => {
  /** A server that takes the upgrade, in Node's own words. */
  async function peer(): Promise<net.Server> {
    return await host((socket) => {
      const secure = new tls.TLSSocket(socket, { isServer: true, key, cert });
      secure.on("error", () => {}).on("end", () => secure.end());
      secure.resume();
    });
  }

  test.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 20, 50])("after %i turns", async (turns) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await peer();
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const task = asyncio.createTask(writer.startTls({ ca: cert }, { serverHostname: "localhost" }));
        for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
        task.cancel();
        const result = await outcome(task);
        writer.close();
        expect(await outcome(writer.waitClosed())).not.toBeInstanceOf(asyncio.TimeoutError);
        expect(await outcome(reader.read())).not.toBeInstanceOf(asyncio.TimeoutError);
        expect(result === undefined || result instanceof asyncio.CancelledError).toBe(true);
        server.close();
      }),
    );
  });

  test("at the same instant as its end", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await peer();
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const task = asyncio.createTask(writer.startTls({ ca: cert }, { serverHostname: "localhost" }));
        // Cancelled in the turn in which the new transport's waiter is set: the first in which TLS is there.
        const socket = writer.getExtraInfo("socket") as net.Socket;
        socket.once("close", () => task.cancel());
        const step = (): void => {
          if (task.done()) return;
          const isSecure =
            process.getActiveResourcesInfo().length > 0 && task.toString().includes("wait_for=<Future finished");
          if (isSecure) task.cancel();
          else loop.callSoon(step);
        };
        step();
        await outcome(task);
        writer.close();
        expect(await outcome(writer.waitClosed())).not.toBeInstanceOf(asyncio.TimeoutError);
        server.close();
      }),
    );
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
    const result = await outcome(loop.startTls(transport, protocol, ssl, { serverHostname: "localhost" }));
    expect(result).toBeInstanceOf(asyncio.ConnectionResetError);
    await until(() => lost > 0 && server.statistics().connections === 0);
    expect(lost).toBe(1);
    await server.shutdown({ grace: 0 });
  });
});
