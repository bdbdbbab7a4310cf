/** The end of the stream and a reset, in every state of a connection. */

import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { cert, key } from "./certificate.ts";
import {
  closing,
  dial,
  eventually,
  everything,
  host,
  leavingNothing,
  outcome,
  portOf,
  run,
  soon,
  until,
} from "./support.ts";

const certificate = { key, cert };

/** Keeps what happened to it. */
class Diary implements asyncio.Protocol {
  readonly entries: string[] = [];
  transport: asyncio.Transport | null = null;
  error: unknown = null;

  connectionMade(transport: asyncio.Transport): void {
    this.transport = transport;
    this.entries.push("made");
  }

  dataReceived(data: Uint8Array): void {
    const text = Buffer.from(data).toString("latin1");
    if (this.entries.at(-1)?.startsWith("data ") === true) this.entries[this.entries.length - 1] += text;
    else this.entries.push(`data ${text}`);
  }

  eofReceived(): boolean | void {
    this.entries.push("eof");
  }

  connectionLost(error: unknown): void {
    this.error = error;
    this.entries.push(error === null ? "lost" : "broken");
  }

  get isOver(): boolean {
    return this.entries.includes("lost") || this.entries.includes("broken");
  }
}

/** One client of a server, which does `act`; what the server's protocol saw. */
async function meet(
  loop: asyncio.EventLoop,
  act: (socket: net.Socket, diary: Diary) => Promise<void> | void,
  prepare: (diary: Diary) => void = () => {},
): Promise<Diary> {
  const diary = new Diary();
  prepare(diary);
  await using server = await loop.createServer(() => diary, "127.0.0.1", 0);
  const socket = await dial(portOf(server), { allowHalfOpen: true });
  await act(socket, diary);
  await until(() => diary.isOver);
  socket.destroy();
  return diary;
}

const reset = (socket: net.Socket): void => void socket.resetAndDestroy();

describe("the end of a plain connection", () => {
  test("by a reset before the server took the client", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, reset);
        expect([diary.entries[0], diary.isOver]).toEqual(["made", true]);
      }),
    );
  });

  test("by a reset while nothing goes on: connectionLost has the error", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, { entries }) => {
          await until(() => entries.length > 0);
          reset(socket);
        });
        expect(diary.entries).toEqual(["made", "broken"]);
        expect(diary.error).toMatchObject({ code: "ECONNRESET" });
      }),
    );
  });

  test("by a reset that only a write finds, and a close in the same turn: connectionLost has the error", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.pauseReading();
          reset(socket);
          await eventually(closing(socket));
          seen.transport!.write("refused");
          seen.transport!.close();
        });
        expect(diary.entries).toEqual(["made", "broken"]);
        expect((diary.error as NodeJS.ErrnoException).code).toMatch(/^(ECONNRESET|EPIPE)$/);
      }),
    );
  });

  test("with data, an end, and then a reset: the data is not lost", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(
          loop,
          async (socket, { entries }) => {
            await until(() => entries.length > 0);
            await eventually(new Promise<void>((resolve) => void socket.end("last words", () => resolve())));
            reset(socket);
          },
          (made) => Object.assign(made, { eofReceived: () => void made.entries.push("eof") }),
        );
        expect(diary.entries.slice(0, 2)).toEqual(["made", "data last words"]);
      }),
    );
  });

  test("by a peer that closes with bytes unread: its last words arrive before the reset", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        // Closing a socket whose bytes nobody has read sends a reset right behind the data.
        const server = await host((socket) => {
          socket.pause();
          setImmediate(() => void socket.write("413 too large", () => void socket.destroy()));
        });
        const diary = new Diary();
        const [transport] = await soon(loop.createConnection(() => diary, "127.0.0.1", portOf(server)));
        transport.write(Buffer.alloc(100_000, "x"));
        await until(() => diary.isOver);
        expect(diary.entries.slice(0, 2)).toEqual(["made", "data 413 too large"]);
        server.close();
      }),
    );
  });

  test("by an end: half-open, the protocol may still write", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        let answer = "";
        const diary = await meet(
          loop,
          async (socket) => {
            socket.end("question");
            answer = await everything(socket);
          },
          (made) => {
            made.eofReceived = (): boolean => {
              made.entries.push("eof");
              queueMicrotask(() => {
                made.transport!.write("answer");
                made.transport!.close();
              });
              return true;
            };
          },
        );
        expect([diary.entries, answer]).toEqual([["made", "data question", "eof", "lost"], "answer"]);
      }),
    );
  });

  test("by an end, and a reset while half-open", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(
          loop,
          async (socket, seen) => {
            socket.end();
            await until(() => seen.entries.includes("eof"));
            reset(socket);
            // Nothing is read any more: the reset shows when something is written.
            const transport = seen.transport!;
            await until(() => {
              if (!transport.isClosing()) transport.write("x");
              return transport.isClosing();
            });
          },
          (made) => {
            made.eofReceived = (): boolean => {
              made.entries.push("eof");
              return true;
            };
          },
        );
        expect(diary.entries).toEqual(["made", "eof", "broken"]);
      }),
    );
  });

  test("by a reset while reading is paused: it shows when something is written", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.pauseReading();
          reset(socket);
          await until(() => {
            if (!seen.transport!.isClosing()) seen.transport!.write("x");
            return seen.transport!.isClosing();
          });
        });
        expect(diary.entries).toEqual(["made", "broken"]);
      }),
    );
  });

  test("by an end while reading is paused: it comes after the data, when reading goes on", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.pauseReading();
          socket.end("late");
          for (let turn = 0; turn < 50; turn++) await asyncio.sleep(0);
          expect(seen.entries).toEqual(["made"]);
          seen.transport!.resumeReading();
          socket.resume();
        });
        expect(diary.entries).toEqual(["made", "data late", "eof", "lost"]);
      }),
    );
  });

  test.each(["close", "abort"] as const)("by a reset after the server's own %s, with much to send", async (how) => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.write(Buffer.alloc(16 << 20));
          seen.transport![how]();
          reset(socket);
        });
        expect(diary.entries).toEqual(["made", how === "abort" ? "lost" : "broken"]);
      }),
    );
  });

  test("by a reset after the server's end of its half", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.writeEof();
          reset(socket);
        });
        expect(diary.entries).toEqual(["made", "broken"]);
      }),
    );
  });

  test("from both ends at once: each sees the other's end, and closes", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = await meet(loop, async (socket, seen) => {
          await until(() => seen.transport !== null);
          seen.transport!.writeEof();
          socket.end();
          await eventually(closing(socket.resume()));
        });
        expect(diary.entries).toEqual(["made", "eof", "lost"]);
      }),
    );
  });

  test("by the protocol, in connectionMade: nothing is read, and it is lost", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        for (const how of ["close", "abort"] as const) {
          const diary = await meet(
            loop,
            async (socket) => {
              socket.end("data");
              await eventually(closing(socket.resume()));
            },
            (made) => {
              made.connectionMade = (transport): void => {
                made.entries.push("made");
                transport[how]();
              };
            },
          );
          expect(diary.entries).toEqual(["made", "lost"]);
        }
      }),
    );
  });
});

describe("those who wait when the connection ends", () => {
  type Work = (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => asyncio.Waitable<unknown>;
  const waits: [string, Work][] = [
    ["read", (reader) => reader.read(10)],
    ["read to the end", (reader) => reader.read()],
    ["readline", (reader) => reader.readline()],
    ["readexactly", (reader) => reader.readexactly(10)],
    ["readuntil", (reader) => reader.readuntil("!")],
    ["waitClosed", (_reader, writer) => writer.waitClosed()],
    [
      "drain",
      (_reader, writer) => {
        writer.write(Buffer.alloc(16 << 20));
        return writer.drain();
      },
    ],
  ];

  test.each(waits)("by a reset have its error: %s", async (_name, work) => {
    await run(() =>
      leavingNothing(async () => {
        const peers: net.Socket[] = [];
        const server = await host((socket) => void peers.push(socket.pause()));
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        await until(() => peers.length === 1);
        const task = asyncio.createTask(() => work(reader, writer) as asyncio.Coroutine<unknown>);
        for (let turn = 0; turn < 5; turn++) await asyncio.sleep(0);
        reset(peers[0]!);
        expect(await outcome(task)).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
        expect(await outcome(reader.read(1))).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
        expect(await outcome(writer.drain())).toBeInstanceOf(Error);
        server.close();
      }),
    );
  });

  test.each(waits)("by abort come back: %s", async (_name, work) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.pause());
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const task = asyncio.createTask(() => work(reader, writer) as asyncio.Coroutine<unknown>);
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        writer.transport.abort();
        expect(await outcome(task)).not.toBeInstanceOf(asyncio.TimeoutError);
        server.close();
      }),
    );
  });
});

describe("the end during a TLS handshake", () => {
  const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]);
  const ends: [string, (socket: net.Socket) => void][] = [
    ["an end at once", (socket) => void socket.end()],
    ["an end within the hello", (socket) => void socket.end(hello)],
    ["a reset at once", reset],
    ["a reset within the hello", (socket) => void socket.write(hello, () => reset(socket))],
    ["plain text", (socket) => void socket.write("GET / HTTP/1.1\r\n\r\n")],
  ];

  test.each(ends)("closes the connection of the server, which goes on: %s", async (_name, end) => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        const diary = new Diary();
        await using server = await loop.createServer(() => diary, "127.0.0.1", 0, { ssl: certificate });
        const socket = await dial(portOf(server));
        end(socket);
        await eventually(closing(socket.resume()));
        expect(diary.entries).toEqual([]);
        await until(() => server.statistics().connections === 0);
      }),
    );
    expect(reports).toEqual([]);
  });

  test.each(ends)("is an error of the client: %s", async (_name, end) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host(end);
        const result = await outcome(asyncio.openConnection("127.0.0.1", portOf(server), { ssl: true }));
        expect(result).toBeInstanceOf(Error);
        expect(result).not.toBeInstanceOf(asyncio.TimeoutError);
        server.close();
      }),
    );
  });
});

const untilClosed = asyncio.coroutine(async (socket: net.Socket) => await eventually(closing(socket)));

const untilEmpty = asyncio.coroutine(async (server: asyncio.Server) => {
  await until(() => server.statistics().connections === 0);
});

describe("the end right after a TLS handshake", () => {
  const versions: tls.SecureVersion[] = ["TLSv1.2", "TLSv1.3"];
  const ends: [string, (socket: tls.TLSSocket, raw: net.Socket) => void][] = [
    ["in good order", (socket) => void socket.end()],
    ["with data", (socket) => void socket.end("data")],
    ["by closing the socket below", (_socket, raw) => void raw.destroy()],
    ["by a reset", (_socket, raw) => reset(raw)],
  ];
  const cases = versions.flatMap((version) => ends.map(([name, end]) => ({ version, name, end })));

  test.each(cases)("is heard of by the server: $name, $version", async ({ version, end, name }) => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const diaries: Diary[] = [];
        const made = (): Diary => {
          const diary = new Diary();
          diaries.push(diary);
          return diary;
        };
        const server = await loop.createServer(made, "127.0.0.1", 0, { ssl: certificate });
        for (let client = 0; client < 5; client++) {
          const raw = await dial(portOf(server));
          const socket = tls.connect({
            socket: raw,
            rejectUnauthorized: false,
            minVersion: version,
            maxVersion: version,
          });
          socket.on("error", () => {}).once("secureConnect", () => end(socket, raw));
          socket.resume();
          await outcome(untilClosed(raw));
        }
        // What comes to its end by itself does so without a word of the server's.
        await outcome(untilEmpty(server));
        const isOver = await outcome(server.shutdown({ grace: 0 }));
        expect(isOver, "connections that had to be ended").toBe(0);
        expect(diaries.filter((diary) => !diary.isOver)).toEqual([]);
        if (name === "with data")
          expect(new Set(diaries.map((diary) => diary.entries[1]))).toEqual(new Set(["data data"]));
      }),
    );
  });

  test.each(cases)("is heard of by the client: $name, $version", async ({ version, end }) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((raw) => {
          const socket = new tls.TLSSocket(raw, {
            isServer: true,
            ...certificate,
            minVersion: version,
            maxVersion: version,
          });
          socket.on("error", () => {}).once("secure", () => end(socket, raw));
          socket.on("end", () => socket.end()).resume();
        });
        for (let client = 0; client < 5; client++) {
          const options = { ssl: { ca: cert }, serverHostname: "localhost" };
          const streams = await outcome(asyncio.openConnection("127.0.0.1", portOf(server), options));
          expect(streams).not.toBeInstanceOf(asyncio.TimeoutError);
          if (!Array.isArray(streams)) continue;
          const [reader, writer] = streams as asyncio.Streams;
          expect(await outcome(reader.read())).not.toBeInstanceOf(asyncio.TimeoutError);
          writer.close();
          expect(await outcome(writer.waitClosed())).not.toBeInstanceOf(asyncio.TimeoutError);
        }
        server.close();
      }),
    );
  });

  test("by a server that does not like the client's certificate is heard of", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = tls.createServer({ ...certificate, requestCert: true, rejectUnauthorized: true });
        server.on("tlsClientError", () => {}).listen(0, "127.0.0.1");
        await eventually(once(server, "listening"));
        const options = { ssl: { ca: cert }, serverHostname: "localhost" };
        const streams = await outcome(asyncio.openConnection("127.0.0.1", portOf(server), options));
        if (Array.isArray(streams)) {
          const [reader, writer] = streams as asyncio.Streams;
          expect(await outcome(reader.read())).toBeInstanceOf(Error);
          writer.close();
          await outcome(writer.waitClosed());
        }
        expect(streams).not.toBeInstanceOf(asyncio.TimeoutError);
        server.close();
      }),
    );
  });

  test("of a TLS connection whose peer never says goodbye: the shutdown is given up", async () => {
    await run(() =>
      leavingNothing(async () => {
        const raws: net.Socket[] = [];
        const server = await host((raw) => {
          raws.push(raw);
          const socket = new tls.TLSSocket(raw, { isServer: true, ...certificate });
          // It neither reads nor answers after the handshake.
          socket.on("error", () => {}).once("secure", () => void raw.pause());
        });
        const options = { ssl: { ca: cert }, serverHostname: "localhost", sslShutdownTimeout: 0.01 };
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server), options));
        writer.close();
        expect(await outcome(writer.waitClosed())).toMatchObject({ message: "SSL shutdown timed out" });
        for (const raw of raws) raw.destroy();
        server.close();
      }),
    );
  });
});

describe("a socket that was there before", () => {
  test("and has bytes in its buffer already: they are not lost", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const sockets: net.Socket[] = [];
        const server = net.createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
        await eventually(once(server, "listening"));
        const client = await dial(portOf(server));
        client.write("early ");
        await until(() => (sockets[0]?.readableLength ?? 0) > 0);
        const diary = new Diary();
        const [transport] = await soon(loop.connectAcceptedSocket(() => diary, sockets[0]!));
        client.end("late");
        await until(() => diary.isOver || diary.entries.includes("data early late"));
        transport.close();
        expect(diary.entries.slice(0, 2)).toEqual(["made", "data early late"]);
        await eventually(closing(client.resume()));
        server.close();
      }),
    );
  });

  test.each(["createConnection", "connectAcceptedSocket"] as const)("and is gone: %s tells of it", async (name) => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.resume());
        const sock = await dial(portOf(server));
        sock.destroy();
        await eventually(closing(sock));
        const diary = new Diary();
        const work =
          name === "createConnection"
            ? loop.createConnection(() => diary, null, null, { sock })
            : loop.connectAcceptedSocket(() => diary, sock);
        const result = await outcome(work);
        if (!(result instanceof Error)) {
          diary.transport!.write("x");
          await until(() => diary.isOver);
        }
        expect(result).not.toBeInstanceOf(asyncio.TimeoutError);
        server.close();
      }),
    );
  });

  test("of a server that does not pause its clients, with a limit of Node's own: clients that left make room", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const sock = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
        sock.maxConnections = 2;
        sock.listen(0, "127.0.0.1");
        await eventually(once(sock, "listening"));
        await using server = await loop.createServer(() => new Diary(), null, null, { sock });
        for (let client = 0; client < 5; client++) {
          const socket = await dial(portOf(sock));
          socket.end();
          await eventually(closing(socket.resume()));
          await until(() => server.statistics().connections === 0);
        }
        expect(server.statistics().accepted).toBe(5);
      }),
    );
  });

  test.each(["its own", "one made elsewhere"])(
    "whose accept fails, as without descriptors, is reported: %s",
    async (whose) => {
      const { reports } = await run(({ loop }) =>
        leavingNothing(async () => {
          const sock = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
          await eventually(once(sock, "listening"));
          const made = (): Diary => new Diary();
          await using server =
            whose === "its own"
              ? await loop.createServer(made, "127.0.0.1", 0)
              : await loop.createServer(made, null, null, { sock });
          // Node reports a failing accept so; only some systems can be brought to it.
          const emit = (): boolean => (server.sockets[0] as net.Server).emit("error", new Error("accept ENFILE"));
          setImmediate(emit);
          await eventually(new Promise((resolve) => setImmediate(() => setImmediate(resolve))));
          sock.close();
        }),
      );
      expect(reports.map((report) => report.message)).toEqual(["socket.accept() out of system resource"]);
    },
  );
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
