/** TCP in a simulated network: what unmodified programs see of it. */

import * as asyncio from "asyncio-ts";
import { asyncTest, SimulatedNetwork } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { ask, echo, networkTest, now } from "./support.ts";

const { createTask, openConnection, sleep, startServer } = asyncio;

describe("a connection", () => {
  test(
    "takes its round trips: one to connect, one to ask",
    networkTest(
      async (network) => {
        network.host("server").start(echo);
        expect(await network.host("client").run(async () => [await ask("server"), now()])).toEqual(["hello", 0.4]);
      },
      { latency: 0.1 },
    ),
  );

  test(
    "has addresses at both ends, and carries much, with backpressure",
    networkTest(async (network) => {
      const seen: unknown[] = [];
      network.host("server").start(async () => {
        await startServer(
          async (reader, writer) => {
            seen.push(writer.getExtraInfo("peername"), writer.getExtraInfo("sockname"));
            await sleep(60);
            seen.push((await reader.read()).length);
            writer.close();
          },
          "server",
          80,
        );
      });
      await network.host("client").run(async () => {
        const [, writer] = await openConnection("server", 80);
        writer.write(new Uint8Array(1_000_000));
        await writer.drain();
        seen.push(now() >= 60);
        writer.close();
        await writer.waitClosed();
      });
      await sleep(1);
      expect(seen).toEqual([
        { host: "10.0.0.2", port: 49_152, family: 4 },
        { host: "10.0.0.1", port: 80, family: 4 },
        true,
        1_000_000,
      ]);
    }),
  );

  test(
    "bytes may be changed once they are written, and come in two pieces if they are to",
    networkTest(
      async (network) => {
        const pieces: number[][] = [];
        network.host("server").start(async () => {
          await asyncio
            .getRunningLoop()
            .createServer(() => ({ dataReceived: (data: Uint8Array) => void pieces.push([...data]) }), null, 80);
        });
        await network.host("client").run(async () => {
          const [, writer] = await openConnection("server", 80);
          const bytes = new Uint8Array([1, 2, 3, 4]);
          writer.write(bytes);
          bytes.fill(0);
          await sleep(1);
          writer.close();
        });
        expect(pieces).toEqual([
          [1, 2],
          [3, 4],
        ]);
      },
      { fragments: 1 },
    ),
  );

  test(
    "closing tells the other end; what is written afterwards is answered with a reset",
    networkTest(async (network) => {
      const server = network.host("server");
      const ends: string[] = [];
      server.start(async () => {
        await startServer(
          async (_reader, writer) => {
            writer.close();
          },
          null,
          80,
        );
      });
      await network.host("client").run(async () => {
        const [reader, writer] = await openConnection("server", 80);
        ends.push(String((await reader.read()).length));
        writer.write("too late");
        await sleep(1);
        writer.write("again");
        await writer.drain().catch((error: unknown) => void ends.push((error as Error).name));
        writer.close();
      });
      expect(ends).toEqual(["0", "ConnectionResetError"]);
    }),
  );

  test(
    "half of it may be closed",
    networkTest(async (network) => {
      network.host("server").start(async () => {
        await startServer(
          async (reader, writer) => {
            writer.write(`${(await reader.read()).length} bytes`);
            writer.close();
          },
          null,
          80,
        );
      });
      const answer = await network.host("client").run(async () => {
        const [reader, writer] = await openConnection("server", 80);
        writer.write("12345");
        writer.writeEof();
        const all = String(await reader.read());
        writer.close();
        return all;
      });
      expect(answer).toBe("5 bytes");
    }),
  );

  test(
    "an abort resets the other end when something was not sent",
    networkTest(async (network) => {
      const ends: unknown[] = [];
      network.host("server").start(async () => {
        await startServer(
          async (reader, writer) => {
            await sleep(5);
            await reader.read(-1).catch((error: unknown) => void ends.push(error));
            writer.close();
          },
          null,
          80,
          { limit: 10 },
        );
      });
      await network.host("client").run(async () => {
        const [, writer] = await openConnection("server", 80);
        writer.write(new Uint8Array(200_000));
        await sleep(1);
        writer.transport.abort();
      });
      await sleep(10);
      expect(ends).toEqual([expect.any(asyncio.ConnectionResetError)]);
    }),
  );

  test(
    "on the host itself takes no time, and a cut does not concern it",
    networkTest(
      async (network) => {
        const host = network.host("alone");
        host.start(echo);
        network.partition(["alone"], [network.host("other")]);
        expect(await host.run(async () => [await ask("localhost"), await ask("alone"), now()])).toEqual([
          "hello",
          "hello",
          0,
        ]);
      },
      { latency: 1 },
    ),
  );
});

describe("connecting", () => {
  test(
    "is refused where nobody listens",
    networkTest(
      async (network) => {
        network.host("server").start(async () => await sleep(0));
        const failure = network.host("client").run(async () => await ask("server"));
        await expect(failure).rejects.toMatchObject({ code: "ECONNREFUSED", address: "10.0.0.1", port: 7 });
        expect(now()).toBeCloseTo(0.2);
      },
      { latency: 0.1 },
    ),
  );

  test(
    "to a name that nobody has, or an address without a host",
    networkTest(
      async (network) => {
        const client = network.host("client");
        await expect(client.run(async () => await ask("nobody"))).rejects.toMatchObject({ code: "ENOTFOUND" });
        expect(now()).toBe(0.5);
        await expect(client.run(async () => await ask("10.9.9.9"))).rejects.toMatchObject({ code: "EHOSTUNREACH" });
        await expect(client.run(() => openConnection("client", 7, { family: 6 }))).rejects.toThrow("ENOTFOUND");
      },
      { resolveTime: 0.5 },
    ),
  );

  test(
    "to a host that is off waits as long as a system does",
    networkTest(async (network) => {
      network.host("server");
      await expect(network.host("client").run(async () => await ask("server"))).rejects.toMatchObject({
        code: "ETIMEDOUT",
      });
      expect(now()).toBe(127);
    }),
  );

  test(
    "succeeds when the host comes up, or a cut heals, meanwhile",
    networkTest(async (network) => {
      const server = network.host("server");
      const asking = createTask(network.host("client").run(async () => await ask("server")));
      await sleep(2);
      network.cut("client", server);
      server.start(echo);
      await sleep(2);
      network.heal("server", "client");
      expect(await asking).toBe("hello");
      expect(now()).toBeGreaterThan(6);
      expect(now()).toBeLessThan(8);
    }),
  );

  test(
    "cancelled, at any moment, leaves nothing at either end",
    networkTest(
      async (network) => {
        const counts: number[] = [];
        network.host("server").start(async () => {
          const server = await startServer(
            async (reader, writer) => {
              await reader.read().catch(() => {});
              writer.close();
            },
            null,
            7,
          );
          for (;;) {
            await sleep(1);
            counts.push(server.statistics().connections);
          }
        });
        for (const when of [0, 0.05, 0.1, 0.15, 0.2]) {
          const client = network.host("client").run(async () => await asyncio.timeout(when, () => ask("server")));
          await expect(client).rejects.toThrow(asyncio.TimeoutError);
          await sleep(1);
        }
        expect(counts.every((count) => count === 0)).toBe(true);
      },
      { latency: 0.1 },
    ),
  );

  test(
    "a program that stands still has a backlog, and beyond it packets are dropped",
    networkTest(async (network) => {
      const server = network.host("server");
      server.start(async () => {
        await startServer(async (_reader, writer) => writer.close(), null, 80, { backlog: 2 });
      });
      await sleep(1);
      server.pause();
      const client = network.host("client");
      const connect = () => createTask(client.run(async () => (await openConnection("server", 80))[1].close()));
      const calls = [connect(), connect(), connect()];
      await sleep(60);
      expect(calls.map((call) => call.done())).toEqual([true, true, false]);
      server.resume();
      await asyncio.gather(calls);
    }),
  );

  test(
    "by happy eyeballs, to the first of several addresses that answers",
    networkTest(async (network) => {
      network.host("dead");
      network.host("alive").start(echo);
      network.setName("service", "dead", "alive");
      const asking = network.host("client").run(async () => {
        const [, writer] = await openConnection("service", 7, { happyEyeballsDelay: 0.25 });
        writer.close();
        return [writer.getExtraInfo("peername"), now()];
      });
      expect(await asking).toEqual([{ host: "10.0.0.2", port: 7, family: 4 }, 0.252]);
    }),
  );
});

describe("listening", () => {
  test(
    "at a port that is taken, or an address that is not the host's",
    networkTest(async (network) => {
      const host = network.host("server");
      await host.run(async () => {
        const server = await startServer(() => {}, null, 80);
        await expect(startServer(() => {}, "127.0.0.1", 80)).rejects.toMatchObject({ code: "EADDRINUSE" });
        await expect(startServer(() => {}, "10.0.0.9", 80)).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
        server.close();
        const again = await startServer(() => {}, ["127.0.0.1", "server"], 80);
        expect(again.addresses.map((address) => (address as asyncio.SocketAddress).host)).toEqual([
          "127.0.0.1",
          "10.0.0.1",
        ]);
        again.close();
        const free = await startServer(() => {}, null, 0);
        expect(free.port).toBe(49_152);
        free.close();
      });
    }),
  );

  test(
    "what is not simulated is refused with the reason",
    networkTest(async (network) => {
      await network.host("a").run(async () => {
        await expect(openConnection("b", 1, { ssl: true })).rejects.toThrow("has no TLS");
        expect(() => asyncio.getRunningLoop().createServer(() => ({}), null, 1, { sock: {} as never })).toThrow(
          "no sockets of the system's",
        );
        await expect(openConnection("b")).rejects.toThrow("host and port must be given");
        expect(() => asyncio.openUnixConnection("/tmp/x")).toThrow("SimulatedLoop has none");
      });
    }),
  );
});

describe("a bad link", () => {
  test(
    "loses packets, and the bytes come whole and in order, later",
    networkTest(
      async (network) => {
        network.host("server").start(echo);
        const lines = await network.host("client").run(async () => {
          const [reader, writer] = await openConnection("server", 7);
          for (let i = 0; i < 50; i++) writer.write(`${i}\n`);
          writer.writeEof();
          const all = String(await reader.read())
            .trim()
            .split("\n");
          writer.close();
          return all;
        });
        expect(lines).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
        expect(now()).toBeGreaterThan(0.5);
      },
      { loss: 0.3, latency: [0.001, 0.1], fragments: 0.5, seed: 1 },
    ),
  );

  test("depends on the seed, and on nothing else", async () => {
    const timeWith = async (seed: number): Promise<number> => {
      let end = 0;
      await networkTest(
        async (network) => {
          network.host("server").start(echo);
          await network.host("client").run(async () => await ask("server"));
          end = now();
        },
        { loss: 0.2, latency: [0.001, 0.1], seed },
      )();
      return end;
    };
    const times = await Promise.all([1, 2, 3, 1, 2, 3].map(timeWith));
    expect(times.slice(0, 3)).toEqual(times.slice(3));
    expect(new Set(times).size).toBe(3);
  });

  test(
    "that is cut delays, and the bytes come when it heals",
    networkTest(async (network) => {
      network.host("server").start(echo);
      const client = network.host("client");
      await client.run(async () => {
        const [reader, writer] = await openConnection("server", 7);
        network.partition(["client"], ["server"]);
        writer.write("hello\n");
        await expect(asyncio.timeout(30, () => reader.readline())).rejects.toThrow(asyncio.TimeoutError);
        network.heal();
        expect(String(await reader.readline())).toBe("hello\n");
        writer.close();
      });
    }),
  );

  test(
    "that is cut for long loses the connection of who has sent; who only listens does not notice",
    networkTest(
      async (network) => {
        const server = network.host("server");
        let open = -1;
        server.start(async () => {
          const listening = await startServer(async (reader) => void (await reader.read()), null, 7);
          await sleep(1000);
          open = listening.statistics().connections;
        });
        await network.host("client").run(async () => {
          const [reader, writer] = await openConnection("server", 7);
          network.cut("client", "server");
          writer.write("hello\n");
          await expect(reader.read()).rejects.toMatchObject({ code: "ETIMEDOUT" });
          expect(now()).toBeGreaterThan(60);
          expect(now()).toBeLessThan(130);
          writer.close();
        });
        await sleep(1000);
        expect(open).toBe(1);
      },
      { patience: 60 },
    ),
  );

  test(
    "that is cut one way carries the other: the answer is lost, the question is not",
    networkTest(
      async (network) => {
        const heard: string[] = [];
        network.host("server").start(async () => {
          await startServer(
            async (reader) => {
              for await (const line of reader) heard.push(String(line).trim());
            },
            null,
            7,
          );
        });
        await network.host("client").run(async () => {
          const [reader, writer] = await openConnection("server", 7);
          network.cutWay("server", "client");
          writer.write("one\n");
          await sleep(1);
          writer.write("two\n");
          await expect(reader.read()).rejects.toMatchObject({ code: "ETIMEDOUT" });
          writer.close();
        });
        expect(heard).toEqual(["one", "two"]);
      },
      { patience: 60 },
    ),
  );

  test(
    "a link may be told otherwise than the network, one way or both",
    networkTest(
      async (network) => {
        network.host("server").start(echo);
        const client = network.host("client");
        network.setLink("client", "server", { latency: 1 });
        network.setWay("server", client, { latency: 2 });
        await client.run(async () => await ask("server"));
        expect(now()).toBe(6);
      },
      { latency: 0.001 },
    ),
  );

  test(
    "a middlebox resets the connections between two hosts, and no others",
    networkTest(async (network) => {
      network.host("a").start(echo);
      network.host("b").start(echo);
      await network.host("client").run(async () => {
        const [toA, toB] = [await openConnection("a", 7), await openConnection("b", 7)];
        network.resetConnections("client", "a");
        await expect(toA[0].readline()).rejects.toThrow(asyncio.ConnectionResetError);
        toB[1].write("still here\n");
        expect(String(await toB[0].readline())).toBe("still here\n");
        toA[1].close();
        toB[1].close();
      });
    }),
  );
});

test(
  "a thousand hosts in one process",
  asyncTest(
    async () => {
      const network = new SimulatedNetwork({ latency: [0.001, 0.2], loss: 0.01 });
      network.host("server").start(echo);
      const names = Array.from({ length: 1000 }, (_, i) => `client ${i}`);
      const answers = names.map((name) => createTask(network.host(name).run(async () => await ask("server", name))));
      expect(await asyncio.gather(answers)).toEqual(names);
    },
    { debug: false },
  ),
);

test(
  "a way longer than the time after which a call is tried again: one connection comes of it",
  networkTest(
    async (network) => {
      let accepted = 0;
      network.host("server").start(async () => {
        await startServer(
          async (reader, writer) => {
            accepted++;
            await reader.read();
            writer.close();
          },
          null,
          7,
        );
      });
      await network.host("client").run(async () => (await openConnection("server", 7))[1].close());
      await sleep(60);
      expect(accepted).toBe(1);
    },
    { latency: 10 },
  ),
);
