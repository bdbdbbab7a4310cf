/** Peers that are slow on purpose, that never read, that hang, and that are too many. */

import type * as net from "node:net";
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
const MEBIBYTE = 1 << 20;

describe("a peer that never reads", () => {
  type Write = (writer: asyncio.StreamWriter, piece: Uint8Array) => void;
  const writes: [string, Write][] = [
    ["write", (writer, piece) => writer.write(piece)],
    ["write of a string", (writer, piece) => writer.write("x".repeat(piece.length))],
    ["writelines", (writer, piece) => writer.writelines([piece.subarray(0, 1000), piece.subarray(1000)])],
    [
      "writelines of a generator",
      (writer, piece) =>
        writer.writelines(
          (function* () {
            for (let at = 0; at < piece.length; at += 8192) yield piece.subarray(at, at + 8192);
          })(),
        ),
    ],
  ];
  const kinds = ["plain", "TLS"] as const;
  const cases = kinds.flatMap((kind) => writes.map(([name, write]) => ({ kind, name, write })));

  /** Writes and drains as one should, for as long as it may. */
  function* pour(
    writer: asyncio.StreamWriter,
    write: Write,
    count: { written: number },
  ): asyncio.CoroutineGenerator<void> {
    const piece = Buffer.alloc(64 * 1024);
    for (;;) {
      write(writer, piece);
      count.written += piece.length;
      yield* writer.drain();
    }
  }

  test.each(cases)("stops those who drain, so that memory stays bounded: $name, $kind", async ({ kind, write }) => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((raw) => {
          if (kind === "plain") raw.pause();
          else {
            const secure = new tls.TLSSocket(raw, { isServer: true, ...certificate }).on("error", () => {});
            secure.once("secure", () => void raw.pause());
          }
        });
        const options = kind === "plain" ? {} : { ssl: { ca: cert }, serverHostname: "localhost" };
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server), options));
        const count = { written: 0 };
        const pouring = asyncio.createTask(() => pour(writer, write, count));
        // It stands still when nothing more was written for many turns.
        for (let turns = 0, before = -1; turns < 200; turns++) {
          if (count.written !== before) turns = 0;
          before = count.written;
          await asyncio.sleep(0);
        }
        const { high } = writer.transport.getWriteBufferLimits();
        expect(writer.transport.getWriteBufferSize()).toBeLessThanOrEqual(high + MEBIBYTE);
        expect(pouring.done()).toBe(false);
        pouring.cancel();
        await outcome(pouring);
        writer.transport.abort();
        await outcome(writer.waitClosed());
        server.close();
      }),
    );
  });

  test("and a reader whose owner never reads: the peer is stopped, and what is held is bounded", async () => {
    await run(() =>
      leavingNothing(async () => {
        const readers: asyncio.StreamReader[] = [];
        await using server = await asyncio.startServer(
          async (reader, writer) => {
            readers.push(reader);
            await asyncio.fromPromise(finished);
            writer.close();
          },
          "127.0.0.1",
          0,
          { limit: 1000 },
        );
        let finish = (): void => {};
        const finished = new Promise<void>((resolve) => (finish = resolve));
        const socket = await dial(portOf(server));
        const piece = Buffer.alloc(MEBIBYTE);
        let isStopped = false;
        while (!isStopped) {
          isStopped = socket.writableLength > 8 * MEBIBYTE;
          socket.write(piece);
          await asyncio.sleep(0);
        }
        const held = (): number => Number(/(\d+) bytes/.exec(String(readers[0]))?.[1] ?? 0);
        for (let turns = 0, before = 0; turns < 200 || before === 0; turns++) {
          if (held() !== before) turns = 0;
          before = held();
          await asyncio.sleep(0);
        }
        expect(held()).toBeLessThan(MEBIBYTE);
        finish();
        await eventually(closing(socket));
      }),
    );
  });

  test("does not keep a connection open that was closed, if the server has an idleTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(
          async (_reader, writer) => {
            writer.write(Buffer.alloc(16 * MEBIBYTE));
            writer.close();
          },
          "127.0.0.1",
          0,
          { idleTimeout: 0.05 },
        );
        const socket = await dial(portOf(server));
        await until(() => server.statistics().accepted === 1);
        server.close();
        const result = await outcome(server.waitClosed());
        socket.destroy();
        server.abortClients();
        expect(result).toBeUndefined();
      }),
    );
  });
});

describe("a server with patience of its own", () => {
  async function timesOut(options: asyncio.ServerOptions, act: (socket: net.Socket) => void): Promise<unknown[]> {
    const errors: unknown[] = [];
    const server = await asyncio.startServer(
      async (reader, writer) => {
        try {
          for (let data = await reader.read(100); data.length > 0; data = await reader.read(100)) writer.write(data);
        } catch (error) {
          errors.push(error);
        }
        writer.close();
      },
      "127.0.0.1",
      0,
      options,
    );
    const socket = await dial(portOf(server));
    act(socket);
    await eventually(closing(socket.resume()));
    await until(() => server.statistics().connections === 0);
    server.close();
    await soon(server.waitClosed());
    return errors;
  }

  test("gives up on a client that sends nothing: firstByteTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        expect(await timesOut({ firstByteTimeout: 0.02 }, () => {})).toEqual([expect.any(asyncio.TimeoutError)]);
      }),
    );
  });

  test("gives up on a client that falls silent: idleTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        const act = (socket: net.Socket): void => void socket.write("hello");
        expect(await timesOut({ firstByteTimeout: 60, idleTimeout: 0.02 }, act)).toEqual([
          expect.any(asyncio.TimeoutError),
        ]);
      }),
    );
  });

  test("gives up on a client that ended its half and is not answered: idleTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        const errors: unknown[] = [];
        const server = await asyncio.startServer(
          async (reader, writer) => {
            await outcome(reader.read()); // on a busy machine the end may come too late already
            errors.push(await outcome(writer.waitClosed()));
          },
          "127.0.0.1",
          0,
          { idleTimeout: 0.02 },
        );
        const socket = await dial(portOf(server));
        socket.end();
        await eventually(closing(socket.resume()));
        await until(() => errors.length > 0);
        expect(errors).toEqual([expect.any(asyncio.TimeoutError)]);
        server.close();
      }),
    );
  });

  test("gives up on a client that does not finish its handshake: sslHandshakeTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        const options = { ssl: certificate, sslHandshakeTimeout: 0.02 };
        expect(await timesOut(options, (socket) => void socket.write(Buffer.from([0x16, 0x03])))).toEqual([]);
      }),
    );
  });

  test("a client gives up on a server that does not finish its handshake: sslHandshakeTimeout", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.resume());
        const options = { ssl: true, sslHandshakeTimeout: 0.02 };
        const result = await outcome(asyncio.openConnection("127.0.0.1", portOf(server), options));
        expect(result).toBeInstanceOf(asyncio.ConnectionAbortedError);
        server.close();
      }),
    );
  });

  test("leaves no timer behind", async () => {
    await run(async ({ loop }) => {
      const patience = { firstByteTimeout: 1000, idleTimeout: 1000 };
      await using server = await asyncio.startServer(
        async (_reader, writer) => writer.close(),
        "127.0.0.1",
        0,
        patience,
      );
      for (let client = 0; client < 5; client++) await everything(await dial(portOf(server)));
      await until(() => server.statistics().connections === 0);
      const { timers, cancelledTimers } = loop.statistics();
      expect(timers - cancelledTimers).toBe(0);
    });
  });
});

describe("maxConnections", () => {
  test("refuses those above it, and takes others when there is room", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(async (reader) => void (await reader.read()), "127.0.0.1", 0, {
          maxConnections: 2,
        });
        const kept = [await dial(portOf(server)), await dial(portOf(server))];
        await until(() => server.statistics().connections === 2);
        for (let client = 0; client < 3; client++) await everything(await dial(portOf(server)));
        expect(server.statistics()).toEqual({ connections: 2, accepted: 2, refused: 3 });
        for (const socket of kept) socket.destroy();
        server.abortClients();
        await until(() => server.statistics().connections === 0);
        const late = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        late.destroy();
        await soon(server.shutdown({ grace: 0 }));
      }),
    );
  });

  test("counts those that are in their handshake: nobody gets round it by not speaking TLS", async () => {
    await run(() =>
      leavingNothing(async () => {
        const options = { ssl: certificate, maxConnections: 2 };
        const server = await asyncio.startServer(async () => {}, "127.0.0.1", 0, options);
        const sockets: net.Socket[] = [];
        for (let client = 0; client < 10; client++) sockets.push(await dial(portOf(server)));
        await until(() => sockets.some((socket) => socket.destroyed || !socket.readable)).catch(() => {});
        expect(server.statistics().refused).toBe(8);
        for (const socket of sockets) socket.destroy();
        await soon(server.shutdown({ grace: 0 }));
      }),
    );
  });
});

describe("the end of a server", () => {
  test.each(["close and waitClosed", "shutdown"])(
    "during a TLS handshake leaves no client hanging: %s",
    async (how) => {
      await run(() =>
        leavingNothing(async () => {
          const server = await asyncio.startServer(async () => {}, "127.0.0.1", 0, { ssl: certificate });
          const socket = await dial(portOf(server));
          socket.write(Buffer.from([0x16, 0x03]));
          for (let turn = 0; turn < 20; turn++) await asyncio.sleep(0);
          if (how === "shutdown") await soon(server.shutdown({ grace: 0 }));
          else {
            server.close();
            server.closeClients();
            await soon(server.waitClosed());
          }
          await eventually(closing(socket.resume()));
        }),
      );
    },
  );

  test("close: a client that comes out of its handshake later is closed, or served; it does not hang", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(async (_reader, writer) => writer.close(), "127.0.0.1", 0, {
          ssl: certificate,
        });
        const raw = await dial(portOf(server));
        for (let turn = 0; turn < 20; turn++) await asyncio.sleep(0);
        server.close();
        const secure = tls.connect({ socket: raw, rejectUnauthorized: false }).on("error", () => {});
        await eventually(closing(secure.resume()));
        await soon(server.waitClosed());
      }),
    );
  });

  test("in the turn in which several clients come, by the protocol factory", async () => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        let server: asyncio.Server | null = null;
        const made = (): asyncio.Protocol => {
          server?.close();
          return {};
        };
        server = await loop.createServer(made, "127.0.0.1", 0);
        const port = portOf(server);
        const sockets = await Promise.all(Array.from({ length: 8 }, () => dial(port)));
        await Promise.all(sockets.map((socket) => eventually(closing(socket.resume()))));
        server.abortClients();
        await soon(server.waitClosed());
      }),
    );
    expect(reports).toEqual([]);
  });

  test("shutdown with grace, while a client hangs: it is closed when the grace is over", async () => {
    await run(() =>
      leavingNothing(async () => {
        const results: unknown[] = [];
        const server = await asyncio.startServer(
          async (reader) => {
            try {
              await reader.read();
            } catch (error) {
              results.push(error);
              throw error;
            }
          },
          "127.0.0.1",
          0,
        );
        const socket = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        expect(await soon(server.shutdown({ grace: 0.01 }))).toBe(1);
        expect(results).toEqual([expect.any(asyncio.CancelledError)]);
        await eventually(closing(socket.resume()));
      }),
    );
  });

  test("shutdown while a handler ignores its cancellation for a while: its last words arrive", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(
          async (reader, writer) => {
            try {
              await reader.read();
            } finally {
              for (let turn = 0; turn < 5; turn++) await asyncio.sleep(0);
              if (!writer.isClosing()) writer.write("goodbye");
              writer.close();
            }
          },
          "127.0.0.1",
          0,
        );
        const socket = await dial(portOf(server));
        const all = everything(socket);
        await until(() => server.statistics().connections === 1);
        expect(await soon(server.shutdown({ grace: 0 }))).toBe(1);
        await all;
      }),
    );
  });

  test("shutdown twice at once, and cancelled: the other one goes on", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(async (reader) => void (await reader.read()), "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        const [first, second] = [server.shutdown(), server.shutdown()].map((one) => asyncio.createTask(one));
        await asyncio.sleep(0);
        first!.cancel();
        expect(await outcome(first!)).toBeInstanceOf(asyncio.CancelledError);
        expect(second!.done()).toBe(false);
        socket.end();
        server.closeClients();
        expect(await soon(second!)).toBe(0);
        await asyncio.sleep(0);
        expect(loop.statistics().tasks).toBe(1);
        socket.destroy();
      }),
    );
  });
});
