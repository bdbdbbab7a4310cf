/** UDP in a simulated network. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { networkTest, now } from "./support.ts";

const { sleep } = asyncio;

/** The loop of a host has what Node's has. */
function loopWithDatagrams(): asyncio.EventLoop {
  return asyncio.getRunningLoop() as asyncio.EventLoop;
}

class Collector implements asyncio.DatagramProtocol<asyncio.SocketAddress, asyncio.Place> {
  readonly seen: string[] = [];
  readonly #answers: boolean;
  #transport: asyncio.DatagramTransport<asyncio.SocketAddress, asyncio.Place> | null = null;

  constructor(answers: boolean = false) {
    this.#answers = answers;
  }

  connectionMade(transport: asyncio.DatagramTransport<asyncio.SocketAddress, asyncio.Place>): void {
    this.#transport = transport;
  }

  datagramReceived(data: Uint8Array, from: asyncio.SocketAddress): void {
    this.seen.push(`${String(data)} from ${from.host}:${from.port}`);
    if (this.#answers) this.#transport!.sendto(data, from);
  }

  errorReceived(error: unknown): void {
    this.seen.push((error as { readonly code: string }).code);
  }

  connectionLost(error: unknown): void {
    this.seen.push(`lost ${String(error)}`);
  }
}

describe("datagrams", () => {
  test(
    "go there and back, and know where they are from",
    networkTest(
      async (network) => {
        const server = new Collector(true);
        network.host("server").start(async () => {
          await loopWithDatagrams().createDatagramEndpoint(() => server, { localAddr: { port: 53 } });
        });
        const client = new Collector();
        await network.host("client").run(async () => {
          const [transport] = await loopWithDatagrams().createDatagramEndpoint(() => client, {
            remoteAddr: { host: "server", port: 53 },
          });
          expect(transport.getExtraInfo("peername")).toEqual({ host: "10.0.0.1", port: 53, family: 4 });
          expect(transport.getExtraInfo("sockname")).toEqual({ host: "0.0.0.0", port: 49_152, family: 4 });
          transport.sendto("hello");
          await sleep(1);
          transport.close();
          await sleep(0);
        });
        expect(server.seen).toEqual(["hello from 10.0.0.2:49152"]);
        expect(client.seen).toEqual(["hello from 10.0.0.1:53", "lost null"]);
      },
      { latency: 0.1 },
    ),
  );

  test(
    "are lost, come twice and overtake each other",
    networkTest(
      async (network) => {
        const server = new Collector();
        network.host("server").start(async () => {
          await loopWithDatagrams().createDatagramEndpoint(() => server, { localAddr: { port: 53 } });
        });
        await network.host("client").run(async () => {
          const [transport] = await loopWithDatagrams().createDatagramEndpoint(() => new Collector(), {
            remoteAddr: { host: "server", port: 53 },
          });
          for (let i = 0; i < 200; i++) transport.sendto(`${i}`);
          await sleep(1);
          transport.close();
        });
        const numbers = server.seen.map((line) => Number.parseInt(line, 10));
        expect(new Set(numbers).size).toBeGreaterThan(150);
        expect(new Set(numbers).size).toBeLessThan(195);
        expect(numbers.length).toBeGreaterThan(new Set(numbers).size);
        expect(numbers).not.toEqual(numbers.toSorted((a, b) => a - b));
      },
      { loss: 0.1, duplicates: 0.1, latency: [0.01, 0.1] },
    ),
  );

  test(
    "to a port where nobody is: a socket that is connected hears of it",
    networkTest(async (network) => {
      network.host("server").start(async () => await sleep(60));
      const client = new Collector();
      await network.host("client").run(async () => {
        const [transport] = await loopWithDatagrams().createDatagramEndpoint(() => client, {
          remoteAddr: { host: "server", port: 53 },
        });
        transport.sendto("hello");
        await sleep(1);
        network.host("server").crash();
        transport.sendto("hello");
        await sleep(1);
        transport.close();
        await sleep(0);
      });
      expect(client.seen).toEqual(["ECONNREFUSED", "lost null"]);
    }),
  );

  test(
    "a cut loses them for good",
    networkTest(async (network) => {
      const server = new Collector();
      network.host("server").start(async () => {
        await loopWithDatagrams().createDatagramEndpoint(() => server, { localAddr: { port: 53 } });
      });
      await network.host("client").run(async () => {
        const [transport] = await loopWithDatagrams().createDatagramEndpoint(() => new Collector(), {});
        network.cutWay("client", "server");
        transport.sendto("lost", { host: "10.0.0.1", port: 53 });
        await sleep(1);
        network.heal();
        transport.sendto("found", { host: "10.0.0.1", port: 53 });
        await sleep(1);
        transport.close();
      });
      expect(server.seen).toEqual(["found from 10.0.0.2:49152"]);
    }),
  );

  test(
    "a broadcast reaches every host that listens, its sender too",
    networkTest(async (network) => {
      const collectors = [new Collector(), new Collector()];
      collectors.forEach((collector, i) => {
        network.host(`host ${i}`).start(async () => {
          await loopWithDatagrams().createDatagramEndpoint(() => collector, { localAddr: { port: 5000 } });
        });
      });
      const errors = new Collector();
      await network.host("host 0").run(async () => {
        await sleep(1);
        const loop = loopWithDatagrams();
        const [open] = await loop.createDatagramEndpoint(() => new Collector(), { allowBroadcast: true });
        const [closed] = await loop.createDatagramEndpoint(() => errors, {});
        for (const transport of [open, closed]) transport.sendto("hello", { host: "255.255.255.255", port: 5000 });
        await sleep(1);
        open.close();
        closed.close();
      });
      expect(collectors.map(({ seen }) => seen.length)).toEqual([1, 1]);
      expect(errors.seen[0]).toBe("EACCES");
    }),
  );

  test(
    "bad input is an error at the call",
    networkTest(async (network) => {
      const collector = new Collector();
      await network.host("a").run(async () => {
        const loop = loopWithDatagrams();
        const [transport] = await loop.createDatagramEndpoint(() => collector, { localAddr: { port: 9 } });
        expect(() => transport.sendto("x")).toThrow("no address was given");
        expect(() => transport.sendto("x", { host: "10.0.0.1", port: 0 })).toThrow("expected a port from 1 to 65535");
        transport.sendto(new Uint8Array(70_000), { host: "10.0.0.1", port: 9 });
        transport.sendto("x", { host: "10.9.9.9", port: 9 });
        await sleep(1);
        await expect(loop.createDatagramEndpoint(() => collector, { localAddr: { port: 9 } })).rejects.toMatchObject({
          code: "EADDRINUSE",
        });
        transport.close();
        await sleep(1);
      });
      expect(collector.seen).toEqual(["EMSGSIZE", "EHOSTUNREACH", "lost null"]);
      expect(now()).toBe(2);
    }),
  );
});
