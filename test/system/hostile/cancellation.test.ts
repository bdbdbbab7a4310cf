/** Every wait of the network, cancelled: before it began, in each turn of it, at the instant of its end, and twice. */

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

/** A server of Node's that ends what its clients end. */
async function polite(options: { readonly secure?: boolean } = {}): Promise<net.Server> {
  return await host((raw) => {
    const socket = options.secure === true ? new tls.TLSSocket(raw, { isServer: true, ...certificate }) : raw;
    socket.on("error", () => {}).on("end", () => socket.end());
    socket.resume();
  });
}

/** Streams that `result` may be are closed; a wait that never came back is a failure. */
async function closeAll(result: unknown): Promise<void> {
  expect(result).not.toBeInstanceOf(asyncio.TimeoutError);
  if (!Array.isArray(result)) return;
  const [, writer] = result as asyncio.Streams;
  writer.close();
  await outcome(writer.waitClosed());
}

/** When a wait is cancelled: after so many turns, or once it has been told its result. */
const instants = [0, 1, 2, 3, 4, 5, 7, 10, 15, 25, 40, 80];
const times = [1, 2];
const cases = instants.flatMap((turns) => times.map((count) => ({ turns, count })));

describe("openConnection leaves no socket open when it is cancelled", () => {
  type Open = (port: number) => asyncio.Coroutine<asyncio.Streams>;
  const opens: [string, boolean, Open][] = [
    ["to an address", false, (port) => asyncio.openConnection("127.0.0.1", port)],
    ["to a name", false, (port) => asyncio.openConnection("localhost", port, { family: 4 })],
    [
      "to several addresses at once",
      false,
      (port) => asyncio.openConnection("localhost", port, { happyEyeballsDelay: 0 }),
    ],
    [
      "under TLS",
      true,
      (port) => asyncio.openConnection("127.0.0.1", port, { ssl: { ca: cert }, serverHostname: "localhost" }),
    ],
  ];

  describe.each(opens)("%s", (_name, secure, open) => {
    test.each(cases)("after $turns turns, $count times", async ({ turns, count }) => {
      const { reports } = await run(() =>
        leavingNothing(async () => {
          const server = await polite({ secure });
          const task = asyncio.createTask(open(portOf(server)));
          for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
          for (let time = 0; time < count; time++) task.cancel();
          await closeAll(await outcome(task));
          await untilAlone(server);
          server.close();
        }),
      );
      expect(reports).toEqual([]);
    });

    test("at the instant of each step that the system takes", async () => {
      const { reports } = await run(({ loop }) =>
        leavingNothing(async () => {
          const server = await polite({ secure });
          // Cancelled in the turn in which it would have gone on for the n-th time.
          for (let steps = 1; steps < 12; steps++) {
            const task = asyncio.createTask(open(portOf(server)));
            let seen = 0;
            let wasReady = false;
            const look = (): void => {
              if (task.done()) return;
              const isReady = /wait_for=<\w+ (finished|cancelled)/.test(task.toString());
              if (isReady && !wasReady) seen++;
              wasReady = isReady;
              if (seen === steps) task.cancel();
              else loop.callSoon(look);
            };
            look();
            await closeAll(await outcome(task));
          }
          await untilAlone(server);
          server.close();
        }),
      );
      expect(reports).toEqual([]);
    });
  });

  test("while the name is looked up, which fails later: nothing is reported", async () => {
    const { reports } = await run(() =>
      leavingNothing(async () => {
        const task = asyncio.createTask(asyncio.openConnection("there.is.no.such.name.invalid", 1));
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        task.cancel();
        expect(await outcome(task)).toBeInstanceOf(asyncio.CancelledError);
        await outcome(asyncio.getRunningLoop().getaddrinfo("there.is.no.such.name.invalid", 1));
      }),
    );
    expect(reports).toEqual([]);
  });

  test("while the system connects, to a port that refuses later: nothing is reported", async () => {
    const { reports } = await run(() =>
      leavingNothing(async () => {
        const server = await polite();
        const port = portOf(server);
        server.close();
        for (let turns = 0; turns < 10; turns++) {
          const task = asyncio.createTask(asyncio.openConnection("127.0.0.1", port));
          for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
          task.cancel();
          await outcome(task);
        }
      }),
    );
    expect(reports).toEqual([]);
  });
});

/** Waits until nobody is connected to `server`. */
async function untilAlone(server: net.Server): Promise<void> {
  const count = async (): Promise<number> =>
    await eventually(new Promise<number>((resolve) => void server.getConnections((_error, number) => resolve(number))));
  let left = await count();
  for (let round = 0; round < 60_000 && left > 0; round++) {
    await asyncio.sleep(0.001);
    left = await count();
  }
  expect(left, "connections that stay").toBe(0);
}

describe("a server that is cancelled while it begins to listen", () => {
  const starts: [string, () => asyncio.Coroutine<asyncio.Server>][] = [
    ["at an address", () => asyncio.startServer(() => {}, "127.0.0.1", 0)],
    ["at several", () => asyncio.startServer(() => {}, ["127.0.0.1", "127.0.0.2", "127.0.0.3"], 0)],
    ["at a name", () => asyncio.startServer(() => {}, "localhost", 0, { family: 4 })],
  ];

  describe.each(starts)("%s", (_name, start) => {
    test.each(cases)("does not listen: after $turns turns, $count times", async ({ turns, count }) => {
      await run(() =>
        leavingNothing(async () => {
          const task = asyncio.createTask(start());
          for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
          for (let time = 0; time < count; time++) task.cancel();
          const result = await outcome(task);
          if (result instanceof asyncio.Server) result.close();
          else expect(result).toBeInstanceOf(asyncio.CancelledError);
        }),
      );
    });
  });

  test("at a port that is taken: nothing escapes", async () => {
    await run(() =>
      leavingNothing(async () => {
        const taken = await polite();
        for (let turns = 0; turns < 6; turns++) {
          const task = asyncio.createTask(asyncio.startServer(() => {}, "127.0.0.1", portOf(taken)));
          for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
          task.cancel();
          expect(await outcome(task)).toBeInstanceOf(Error);
        }
        await eventually(new Promise((resolve) => setImmediate(resolve)));
        taken.close();
      }),
    );
  });

  test("startServing of a server made without: closed in the same turn, it does not listen later", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(() => {}, "127.0.0.1", 0, { startServing: false });
        const task = asyncio.createTask(server.startServing());
        await asyncio.sleep(0);
        server.close();
        const result = await outcome(task);
        expect(result).not.toBeInstanceOf(asyncio.TimeoutError);
        await eventually(new Promise((resolve) => setImmediate(resolve)));
      }),
    );
  });
});

describe("a server's waits", () => {
  test("serveForever, cancelled twice, closes the server and its connections", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(async (reader) => void (await reader.read()), "127.0.0.1", 0);
        const forever = asyncio.createTask(server.serveForever());
        const socket = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        forever.cancel();
        forever.cancel();
        expect(await outcome(forever)).toBeInstanceOf(asyncio.CancelledError);
        await eventually(closing(socket.resume()));
        await soon(server.waitClosed());
        expect([server.isServing(), loop.statistics().tasks]).toEqual([false, 1]);
      }),
    );
  });

  test("waitClosed, cancelled, goes on for the others", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(
          async (reader, writer) => {
            await reader.read();
            writer.close();
          },
          "127.0.0.1",
          0,
        );
        const socket = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        server.close();
        const waiting = [1, 2, 3].map(() => asyncio.createTask(server.waitClosed()));
        await asyncio.sleep(0);
        waiting[1]!.cancel();
        await outcome(waiting[1]!);
        expect(waiting.map((task) => task.done())).toEqual([false, true, false]);
        socket.end();
        await soon(asyncio.gather([waiting[0]!, waiting[2]!]));
        await eventually(closing(socket.resume()));
      }),
    );
  });

  test.each([0, 1, 2, 3, 5, 10])("shutdown, cancelled after %i turns, leaves no task", async (turns) => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(async (reader) => void (await reader.read()), "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        const task = asyncio.createTask(server.shutdown({ grace: 0.001 }));
        for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
        task.cancel();
        task.cancel();
        await outcome(task);
        server.close();
        server.abortClients();
        await soon(server.waitClosed());
        for (let turn = 0; turn < 5; turn++) await asyncio.sleep(0);
        const { tasks, timers, cancelledTimers } = loop.statistics();
        expect([tasks, timers - cancelledTimers]).toEqual([1, 0]);
        socket.destroy();
      }),
    );
  });

  test("a handshake, when the loop ends: its client is let go", async () => {
    const sockets: net.Socket[] = [];
    await run(async () => {
      const server = await asyncio.startServer(() => {}, "127.0.0.1", 0, { ssl: certificate });
      sockets.push(await dial(portOf(server)));
      for (let turn = 0; turn < 20; turn++) await asyncio.sleep(0);
      server.close();
    });
    const [socket] = sockets;
    await closing(socket!.resume());
  });
});

describe("a stream's waits lose nothing when they are cancelled", () => {
  type Read = (reader: asyncio.StreamReader) => asyncio.Coroutine<Uint8Array>;
  const reads: [string, Read, string][] = [
    ["read", (reader) => reader.read(100), "0123456789\n"],
    ["readline", (reader) => reader.readline(), "0123456789\n"],
    ["readexactly", (reader) => reader.readexactly(11), "0123456789\n"],
    ["readuntil", (reader) => reader.readuntil("\n"), "0123456789\n"],
  ];

  test.each(reads)("%s: before, while, twice, and at the instant of its end", async (_name, read, expected) => {
    await run(() =>
      leavingNothing(async () => {
        const peers: net.Socket[] = [];
        const server = await host((socket) => void peers.push(socket));
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        await until(() => peers.length === 1);
        const before = asyncio.createTask(read(reader));
        before.cancel();
        const meanwhile = asyncio.createTask(async () => await read(reader));
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        meanwhile.cancel();
        meanwhile.cancel();
        await asyncio.wait([before, meanwhile]);
        const atTheInstant = asyncio.createTask(read(reader));
        await asyncio.sleep(0);
        peers[0]!.write(expected);
        await until(() => reader.toString().includes("bytes"));
        atTheInstant.cancel();
        expect(await outcome(atTheInstant)).toBeInstanceOf(asyncio.CancelledError);
        expect(String(await soon(read(reader)))).toBe(expected);
        writer.close();
        await soon(writer.waitClosed());
        server.close();
      }),
    );
  });

  test("drain: the others go on, and it is no longer waited for", async () => {
    await run(() =>
      leavingNothing(async () => {
        const peers: net.Socket[] = [];
        const server = await host((socket) => void peers.push(socket.pause()));
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        writer.write(Buffer.alloc(16 << 20));
        const drains = [1, 2, 3].map(() => asyncio.createTask(writer.drain()));
        await asyncio.sleep(0);
        drains[1]!.cancel();
        drains[1]!.cancel();
        await outcome(drains[1]!);
        expect(drains.map((task) => task.done())).toEqual([false, true, false]);
        peers[0]!.resume();
        await soon(asyncio.gather([drains[0]!, drains[2]!]));
        writer.close();
        await soon(writer.waitClosed());
        server.close();
      }),
    );
  });

  test("waitClosed: the others go on; ten thousand that were cancelled leave nothing behind", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await polite();
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const other = asyncio.createTask(writer.waitClosed());
        for (let count = 0; count < 10_000; count++) {
          const task = asyncio.createTask(writer.waitClosed());
          if (count % 2 === 0) await asyncio.sleep(0);
          task.cancel();
        }
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        expect(asyncio.allTasks().size).toBe(2);
        expect(other.done()).toBe(false);
        writer.close();
        await soon(other);
        server.close();
      }),
    );
  });
});

describe("TLS on the server's side, when its client gives up in the middle", () => {
  test.each([0, 1, 2, 3])("leaves nothing: broken off after %i parts of the handshake", async (parts) => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await loop.createServer(() => ({}), "127.0.0.1", 0, { ssl: certificate });
        for (let client = 0; client < 10; client++) {
          const raw = await dial(portOf(server));
          const secure = tls.connect({ socket: raw, rejectUnauthorized: false }).on("error", () => {});
          for (let part = 0; part < parts && !raw.closed; part++) await asyncio.sleep(0);
          raw.destroy();
          secure.destroy();
          await eventually(closing(raw));
        }
        await outcome(untilOver(loop, server));
        const { tasks, timers, cancelledTimers } = loop.statistics();
        server.close();
        server.abortClients();
        expect([tasks, timers - cancelledTimers]).toEqual([1, 0]);
      }),
    );
    expect(reports).toEqual([]);
  });

  const untilOver = asyncio.coroutine(async (loop: asyncio.EventLoop, server: asyncio.Server) => {
    await until(() => loop.statistics().tasks === 1 && server.statistics().connections === 0);
  });

  test("a client of ours that is cancelled in the middle leaves nothing at either end", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const server = await loop.createServer(() => ({}), "127.0.0.1", 0, { ssl: certificate });
        const options = { ssl: { ca: cert }, serverHostname: "localhost" };
        for (let turns = 0; turns < 60; turns++) {
          const task = asyncio.createTask(asyncio.openConnection("127.0.0.1", portOf(server), options));
          for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
          task.cancel();
          await closeAll(await outcome(task));
        }
        await until(() => server.statistics().connections === 0);
        server.close();
        await soon(server.waitClosed());
      }),
    );
  });
});

describe("sockets keep no listeners", () => {
  test("of the connecting that is over", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = net.createServer((socket) => void socket.resume()).listen(0, "127.0.0.1");
        await eventually(once(server, "listening"));
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        const socket = writer.getExtraInfo("socket") as net.Socket;
        const transport = writer.transport as asyncio.Transport;
        const count = (): number[] =>
          ["error", "close", "end", "connect", "drain"].map((name) => socket.listenerCount(name));
        const first = count();
        for (let round = 0; round < 20; round++) {
          transport.pauseReading();
          transport.resumeReading();
          writer.write("x");
          await soon(writer.drain());
          const task = asyncio.createTask(reader.read(1));
          await asyncio.sleep(0);
          task.cancel();
          await outcome(task);
        }
        expect(count()).toEqual(first);
        expect(first.every((number) => number <= 3)).toBe(true);
        writer.close();
        await soon(writer.waitClosed());
        await everything(socket);
        server.close();
      }),
    );
  });
});
