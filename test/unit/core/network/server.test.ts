/** Server over listeners of the test's own: its states, its connections, and its end, on the virtual clock. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import type { Listener as Listening } from "../../../../src/core/network/server.ts";
import { Server } from "../../../../src/core/network/server.ts";
import { connect, FakeChannel, Listener, logOf, run, settle } from "./support.ts";

const { createTask, sleep } = asyncio;

/** Listens nowhere, or fails to. */
class Place implements Listening {
  readonly calls: string[] = [];
  readonly socket: unknown = {};
  readonly address: asyncio.SocketAddress | string | null;
  readonly #failure: unknown;

  constructor(address: Listening["address"] = null, failure: unknown = null) {
    this.address = address;
    this.#failure = failure;
  }

  *listen(): asyncio.CoroutineGenerator<void> {
    this.calls.push("listen");
    yield* sleep(0);
    if (this.#failure !== null) throw this.#failure;
  }

  close(): void {
    this.calls.push("close");
  }
}

function serverOf(places: readonly Place[] = [new Place()], maxConnections?: number): Server {
  return new Server(asyncio.getRunningLoop(), places, maxConnections);
}

/** A connection of `server`, connected. */
async function accept(server: Server, channel: FakeChannel = new FakeChannel()): Promise<ReturnType<typeof connect>> {
  expect(server._admit()).toBe(true);
  const connection = connect({ owner: server, channel });
  await settle();
  return connection;
}

/** A connection of `server` that is served by `serve`. */
function serveOn(server: Server, serve: asyncio.ClientConnectedCallback) {
  const channel = new FakeChannel();
  const protocol = new asyncio.StreamReaderProtocol(new asyncio.StreamReader(), serve);
  return { protocol, ...connect({ owner: server, channel, protocol }) };
}

describe("a server", () => {
  test("knows where it listens, and its loop", async () => {
    await run(async ({ loop }) => {
      const address = { host: "127.0.0.1", port: 80, family: 4 } as const;
      const [path, nowhere, internet] = [new Place("/tmp/socket"), new Place(), new Place(address)];
      const server = serverOf([path, nowhere, internet]);
      expect(server.getLoop()).toBe(loop);
      expect(server.addresses).toEqual(["/tmp/socket", address]);
      expect(server.port).toBe(80);
      expect(server.sockets).toEqual([path.socket, nowhere.socket, internet.socket]);
      server.close();
      expect(server.sockets).toEqual([]);
      const local = serverOf([path]);
      expect(local.port).toBeNull();
      local.close();
    });
  });

  test("counts a connection that goes on with another transport as the same one", async () => {
    await run(async () => {
      const server = serverOf();
      const { transport, channel } = await accept(server);
      transport._handOver();
      const upgraded = connect({ owner: server, channel, isUpgrade: true });
      transport._replacedBy(upgraded.transport);
      await settle();
      expect(server.statistics()).toEqual({ connections: 1, accepted: 1, refused: 0 });
      upgraded.transport.close();
      server.close();
      await server.waitClosed();
    });
  });

  test("maxConnections must be more than zero", async () => {
    await run(async () => {
      for (const bad of [0, -1, Number.NaN]) expect(() => serverOf([], bad)).toThrow(RangeError);
    });
  });

  test("listens at all places when it starts, once", async () => {
    await run(async () => {
      const places = [new Place(), new Place()];
      const server = serverOf(places);
      expect(String(server)).toBe("<Server new connections=0>");
      expect(server.isServing()).toBe(false);
      await server.startServing();
      await server.startServing();
      expect(places.map(({ calls }) => calls)).toEqual([["listen"], ["listen"]]);
      expect(server.isServing()).toBe(true);
      expect(String(server)).toBe("<Server serving connections=0>");
      server.close();
      server.close();
      expect(places.map(({ calls }) => calls)).toEqual([
        ["listen", "close"],
        ["listen", "close"],
      ]);
      expect([server.isServing(), server.isClosing(), String(server)]).toEqual([
        false,
        true,
        "<Server closed connections=0>",
      ]);
      await expect(Promise.resolve(server.startServing())).rejects.toBeInstanceOf(asyncio.RuntimeError);
    });
  });

  test("that cannot listen at one place listens at none", async () => {
    await run(async () => {
      const failure = new Error("in use");
      const places = [new Place(), new Place(null, failure), new Place()];
      const server = serverOf(places);
      await expect(Promise.resolve(server.startServing())).rejects.toBe(failure);
      expect(places.map(({ calls }) => calls)).toEqual([["listen", "close"], ["listen", "close"], ["close"]]);
      expect(server.isClosing()).toBe(true);
    });
  });

  test("counts its connections, and refuses those that are too many, and all when it is closed", async () => {
    await run(async () => {
      const server = serverOf([new Place()], 1);
      const { transport } = await accept(server);
      expect(server._admit()).toBe(false);
      expect(server.statistics()).toEqual({ connections: 1, accepted: 1, refused: 1 });
      transport.close();
      await settle();
      expect(server._admit()).toBe(true);
      server.close();
      expect(server._admit()).toBe(false);
      expect(server.statistics()).toEqual({ connections: 0, accepted: 1, refused: 2 });
    });
  });

  test("left open at the end of the loop it is warned of, and stops listening", async () => {
    const place = new Place();
    const log = await logOf(async () => {
      const loop = new asyncio.BaseEventLoop();
      await asyncio.run(async () => await serverOf([place]).startServing(), { loopFactory: () => loop });
    });
    expect(place.calls).toEqual(["listen", "close"]);
    expect(log).toEqual([expect.stringContaining("unclosed <Server serving")]);
  });
});

describe("the end of a server", () => {
  test("waitClosed waits for the close, and for the last connection", async () => {
    await run(async () => {
      const server = serverOf();
      const { transport } = await accept(server);
      const waiting = [
        createTask(server.waitClosed()),
        createTask(server.waitClosed()),
        createTask(server.waitClosed()),
      ];
      await settle();
      waiting[0]!.cancel();
      server.close();
      await settle();
      expect(waiting.map((task) => task.done())).toEqual([true, false, false]);
      transport.close();
      await settle();
      expect(waiting.map((task) => task.done())).toEqual([true, true, true]);
      await server.waitClosed();
    });
  });

  test("closeClients sends what waits, abortClients does not", async () => {
    await run(async () => {
      const server = serverOf();
      const first = await accept(server);
      const second = await accept(server);
      for (const { transport } of [first, second]) transport.write("waiting");
      server.closeClients();
      await settle();
      expect(first.listener.heard).toEqual(["made"]);
      first.channel.flush();
      await settle();
      expect(first.listener.heard).toEqual(["made", "lost null"]);
      server.abortClients();
      await settle();
      expect(second.listener.heard).toEqual(["made", "lost null"]);
      server.close();
    });
  });

  test("`await using` closes it and waits for its connections", async () => {
    await run(async () => {
      const places = [new Place()];
      const block = createTask(async () => {
        await using server = serverOf(places);
        const { transport } = await accept(server);
        asyncio.getRunningLoop().callLater(5, () => transport.close());
      });
      await sleep(4);
      expect(block.done()).toBe(false);
      expect(places[0]!.calls).toEqual(["close"]);
      await block;
    });
  });

  test("serveForever serves until it is cancelled; then everything is closed", async () => {
    await run(async () => {
      const server = serverOf();
      const serving = createTask(server.serveForever());
      await settle();
      expect(server.isServing()).toBe(true);
      const { listener } = await accept(server);
      await expect(Promise.resolve(server.serveForever())).rejects.toThrow("already being awaited on serveForever()");
      serving.cancel();
      await expect(Promise.resolve(serving)).rejects.toBeInstanceOf(asyncio.CancelledError);
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(server.isClosing()).toBe(true);
      await expect(Promise.resolve(server.serveForever())).rejects.toThrow("is closed");
    });
  });

  test("serveForever that is cancelled aborts, a moment later, who does not go", async () => {
    await run(async ({ loop }) => {
      const server = serverOf();
      const serving = createTask(server.serveForever());
      await settle();
      const { transport, listener } = await accept(server);
      transport.write("never taken");
      const before = loop.time();
      serving.cancel();
      await asyncio.wait([serving]);
      expect(serving.cancelled()).toBe(true);
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(loop.time() - before).toBe(1);
    });
  });

  test("close ends serveForever", async () => {
    await run(async () => {
      const server = serverOf();
      const serving = createTask(server.serveForever());
      await settle();
      server.close();
      await expect(Promise.resolve(serving)).rejects.toBeInstanceOf(asyncio.CancelledError);
    });
  });

  test("serveForever that cannot listen raises why", async () => {
    await run(async () => {
      const failure = new Error("in use");
      await expect(Promise.resolve(serverOf([new Place(null, failure)]).serveForever())).rejects.toBe(failure);
    });
  });

  test("shutdown waits for connections as long as they like, without a grace", async () => {
    await run(async ({ loop }) => {
      const server = serverOf();
      const { transport } = await accept(server);
      loop.callLater(1000, () => transport.close());
      expect(await server.shutdown()).toBe(0);
      expect(loop.time()).toBeGreaterThanOrEqual(1000);
    });
  });

  test("shutdown ends, after the grace, what is left: how much that was", async () => {
    await run(async ({ loop }) => {
      const server = serverOf();
      const [idle, stuck] = [await accept(server), await accept(server)];
      stuck.transport.write("never taken");
      const before = loop.time();
      expect(await server.shutdown({ grace: { seconds: 10 } })).toBe(2);
      expect(loop.time() - before).toBe(11);
      expect([idle.listener.heard.at(-1), stuck.listener.heard.at(-1)]).toEqual(["lost null", "lost null"]);
      expect(await server.shutdown()).toBe(0);
    });
  });

  test("shutdown cancels the tasks that serve clients, who may say goodbye", async () => {
    await run(async ({ loop }) => {
      const server = serverOf();
      const channel = new FakeChannel();
      const serve = async (reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> => {
        try {
          await reader.read();
        } finally {
          writer.write("goodbye");
          loop.callLater(0.5, () => channel.flush());
        }
      };
      const protocol = new asyncio.StreamReaderProtocol(new asyncio.StreamReader(), serve);
      connect({ owner: server, channel, protocol });
      await settle();
      expect(String(protocol)).toBe("<StreamReaderProtocol connected>");
      expect(await server.shutdown({ grace: 0 })).toBe(1);
      expect(channel.calls).toContain("write goodbye");
      expect(String(protocol)).toBe("<StreamReaderProtocol lost>");
      expect(protocol._task).toBeNull();
    });
  });

  const SERVED: readonly [string, (save: () => asyncio.Awaitable<void>) => asyncio.ClientConnectedCallback][] = [
    [
      "async functions",
      (save) => async (reader, writer) => {
        await reader.readline();
        writer.close();
        await save();
      },
    ],
    [
      "generators",
      (save) =>
        function* (reader, writer) {
          yield* reader.readline();
          writer.close();
          yield* save();
        },
    ],
  ];

  describe.each(SERVED)("G2: a task that works when its connection is closed, in %s", (_syntax, serve) => {
    test("is waited for", async () => {
      await run(async ({ loop }) => {
        const server = serverOf();
        let saved = 0;
        const save = asyncio.coroutine(function* () {
          yield* sleep(5);
          saved++;
        });
        const { transport } = serveOn(server, serve(save));
        await settle();
        transport.close();
        expect(await server.shutdown({ grace: 10 })).toBe(0);
        expect([saved, loop.time() >= 5, loop.time() < 6]).toEqual([1, true, true]);
      });
    });

    test("is cancelled after the grace, and counted", async () => {
      await run(async ({ loop }) => {
        const server = serverOf();
        const { transport } = serveOn(
          server,
          serve(() => sleep(Infinity)),
        );
        await settle();
        transport.close();
        await settle();
        const before = loop.time();
        expect(await server.shutdown({ grace: 3 })).toBe(1);
        expect(loop.time() - before).toBe(3);
        expect(loop.statistics().tasks).toBe(1);
      });
    });
  });

  test("G2: a task that serves a client may shut the server down", async () => {
    await run(async () => {
      const server = serverOf();
      let left = -1;
      const { transport } = serveOn(server, async (reader, writer) => {
        await reader.readline();
        writer.close();
        left = await server.shutdown();
      });
      await settle();
      transport.close();
      await settle();
      expect([left, asyncio.allTasks().size]).toEqual([0, 1]);
    });
  });

  describe.each<[string, (log: string[]) => asyncio.ClientConnectedCallback]>([
    [
      "async functions",
      (log) => async (reader, writer) => {
        for (;;) {
          const line = String(await writer.whileIdle(reader.readline()));
          log.push(`read ${JSON.stringify(line)}`);
          if (line === "") break;
          await sleep(1);
          writer.write(line);
        }
        writer.close();
      },
    ],
    [
      "generators",
      (log) =>
        function* (reader, writer) {
          for (;;) {
            const line = String(yield* writer.whileIdle(reader.readline()));
            log.push(`read ${JSON.stringify(line)}`);
            if (line === "") break;
            yield* sleep(1);
            writer.write(line);
          }
          writer.close();
        },
    ],
  ])("G3: a connection that is idle, in %s", (_syntax, serve) => {
    const accepted = async (server: Server) => {
      const log: string[] = [];
      const connection = serveOn(server, serve(log));
      await settle();
      return { ...connection, log };
    };

    test("is closed at once; one that is busy is closed when it has answered", async () => {
      await run(async ({ loop }) => {
        const server = serverOf();
        const [idle, busy] = [await accepted(server), await accepted(server)];
        busy.channel.receive("hello\n");
        await settle();
        const before = loop.time();
        const shutdown = createTask(server.shutdown({ grace: 60 }));
        loop.callLater(1.5, () => busy.channel.flush());
        await settle();
        expect([idle.transport.isClosing(), busy.transport.isClosing()]).toEqual([true, false]);
        expect(await shutdown).toBe(0);
        expect(loop.time() - before).toBeLessThan(2);
        expect([idle.log, busy.log]).toEqual([['read ""'], ['read "hello\\n"', 'read ""']]);
        expect(busy.channel.calls).toContain("write hello\n");
      });
    });

    test("is busy when a part of the next request has come", async () => {
      await run(async ({ loop }) => {
        const server = serverOf();
        const { channel, transport, log } = await accepted(server);
        channel.receive("hel");
        await settle();
        const shutdown = createTask(server.shutdown({ grace: 60 }));
        await settle();
        expect(transport.isClosing()).toBe(false);
        channel.receive("lo\n");
        loop.callLater(1.5, () => channel.flush());
        expect(await shutdown).toBe(0);
        expect(log).toEqual(['read "hello\\n"', 'read ""']);
      });
    });

    test("is closed when it becomes so while the server shuts down", async () => {
      await run(async ({ loop }) => {
        const server = serverOf();
        const { channel, log } = await accepted(server);
        channel.receive("one\n");
        await settle();
        const shutdown = createTask(server.shutdown({ grace: 60 }));
        loop.callLater(1.5, () => channel.flush());
        expect(await shutdown).toBe(0);
        expect([loop.time() < 2, log]).toEqual([true, ['read "one\\n"', 'read ""']]);
      });
    });
  });

  test("G3: a connection is idle for as long as whileIdle waits, however that ends", async () => {
    await run(async () => {
      const server = serverOf();
      const { protocol } = serveOn(server, async (reader, writer) => {
        await expect(asyncio.timeout(1, () => writer.whileIdle(reader.readline()))).rejects.toThrow("timed out");
        await sleep(5);
        writer.close();
      });
      await settle();
      expect(protocol._isIdle).toBe(true);
      await sleep(2);
      expect(protocol._isIdle).toBe(false);
      expect(await server.shutdown({ grace: 10 })).toBe(0);
    });
  });

  test("a grace that is none is refused at the call", async () => {
    await run(async () => {
      const server = serverOf();
      expect(() => server.shutdown({ grace: Number.NaN })).toThrow(RangeError);
      server.close();
    });
  });
});

test("a protocol of a server is asked for its task only if it is one of streams", async () => {
  await run(async () => {
    const server = serverOf();
    connect({ owner: server, protocol: new Listener() });
    const idle = new asyncio.StreamReaderProtocol(new asyncio.StreamReader());
    connect({ owner: server, protocol: idle });
    await settle();
    expect(await server.shutdown({ grace: 0 })).toBe(2);
  });
});
