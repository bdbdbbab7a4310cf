/** What CPython's test_events, test_base_events and test_selector_events test about datagrams, in our words. */

import * as dgram from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, logOf, online } from "./network.ts";
import type { Net } from "./network.ts";

type Endpoint = asyncio.DatagramTransport<asyncio.SocketAddress>;

/** Whether this machine speaks IPv6. */
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.family === "IPv6"));

/** A protocol that keeps what it hears until somebody asks. */
class Inbox implements asyncio.DatagramProtocol<asyncio.SocketAddress> {
  readonly heard: string[] = [];
  readonly datagrams: asyncio.Queue<[string, asyncio.SocketAddress]> = new asyncio.Queue();
  readonly errors: asyncio.Queue<unknown> = new asyncio.Queue();
  readonly lost: asyncio.Event = new asyncio.Event();
  error: unknown = "not lost yet";

  connectionMade(): void {
    this.heard.push("made");
  }

  datagramReceived(data: Uint8Array, address: asyncio.SocketAddress): void {
    this.heard.push("datagram");
    this.datagrams.putNowait([String(data), address]);
  }

  errorReceived(error: unknown): void {
    this.heard.push("error");
    this.errors.putNowait(error);
  }

  connectionLost(error: unknown): void {
    this.heard.push("lost");
    this.error = error;
    this.lost.set();
  }
}

const make = (): Inbox => new Inbox();

const local = { host: "127.0.0.1", port: 0 } as const;

const sockname = (transport: Endpoint): asyncio.SocketAddress =>
  transport.getExtraInfo("sockname") as asyncio.SocketAddress;

/** An endpoint on this machine, and where it can be reached. */
async function endpoint(
  { loop }: Net,
  options: asyncio.DatagramOptions = { localAddr: local },
): Promise<{ readonly transport: Endpoint; readonly inbox: Inbox; readonly at: asyncio.SocketAddress }> {
  const [transport, inbox] = await loop.createDatagramEndpoint(make, options);
  return { transport, inbox, at: sockname(transport) };
}

async function close(...transports: readonly Endpoint[]): Promise<void> {
  for (const transport of transports) transport.close();
  for (const transport of transports) await (transport.getProtocol() as Inbox).lost.wait();
}

/** A socket of Node's, bound. */
async function socket(): Promise<dgram.Socket> {
  const bound = dgram.createSocket("udp4").bind({ port: 0, address: "127.0.0.1" });
  await asyncio.fromPromise(once(bound, "listening"));
  return bound;
}

/** An address of this machine where nobody listens any more. */
async function deafAddress(): Promise<asyncio.SocketAddress> {
  const bound = await socket();
  const { port } = bound.address();
  bound.close();
  return { host: "127.0.0.1", port, family: 4 };
}

describe("createDatagramEndpoint", () => {
  const families = [
    { name: "IPv4", host: "127.0.0.1", there: true },
    { name: "IPv6", host: "::1", there: hasIpv6 },
  ];

  test.each(families.filter(({ there }) => there))("a question and its answer, over $name", async ({ host }) => {
    const reports = await online(async (net) => {
      const server = await endpoint(net, { localAddr: { host, port: 0 } });
      const client = await endpoint(net, { remoteAddr: server.at });
      expect([server.at.host, client.transport.getExtraInfo("peername")]).toEqual([host, server.at]);
      client.transport.sendto("hello");
      const [question, from] = await server.inbox.datagrams.get();
      expect([question, from.port, from.host]).toEqual(["hello", client.at.port, host]);
      server.transport.sendto("hello, too", from);
      expect(await client.inbox.datagrams.get()).toEqual(["hello, too", server.at]);
      await close(client.transport, server.transport);
      expect([client.inbox.heard, client.inbox.error]).toEqual([["made", "datagram", "lost"], null]);
    });
    expect(reports).toEqual([]);
  });

  test("takes a socket that is bound", async () => {
    await online(async (net) => {
      const sock = await socket();
      const { transport, inbox, at } = await endpoint(net, { sock });
      expect([at.port, transport.getExtraInfo("socket") === sock]).toEqual([sock.address().port, true]);
      transport.sendto("to myself", at);
      expect((await inbox.datagrams.get())[0]).toBe("to myself");
      await close(transport);
      expect(inbox.error).toBe(null);
    });
  });

  test("without any address takes a free port", async () => {
    await online(async (net) => {
      const { transport, inbox, at } = await endpoint(net, {});
      expect([at.host, at.port > 0]).toEqual(["0.0.0.0", true]);
      transport.sendto("hello", { host: "127.0.0.1", port: at.port, family: 4 });
      expect((await inbox.datagrams.get())[0]).toBe("hello");
      await close(transport);
    });
  });

  test("says what the system says of an address that is taken, or is not this machine's", async () => {
    await online(async (net) => {
      const { transport, at } = await endpoint(net);
      expect(await errorOf(net.loop.createDatagramEndpoint(make, { localAddr: at }))).toMatchObject({
        code: "EADDRINUSE",
      });
      const foreign = { localAddr: { host: "192.0.2.1", port: 0 } };
      expect(await errorOf(net.loop.createDatagramEndpoint(make, foreign))).toMatchObject({ code: "EADDRNOTAVAIL" });
      await close(transport);
    });
  });

  test.runIf(hasIpv6)("refuses two ends of different families", async () => {
    await online(async ({ loop }) => {
      const options = { localAddr: { host: "::1", port: 0 }, remoteAddr: { host: "127.0.0.1", port: 9 } };
      expect(await errorOf(loop.createDatagramEndpoint(make, options))).toBeInstanceOf(Error);
      const family = { localAddr: local, family: 6 } as const;
      expect(await errorOf(loop.createDatagramEndpoint(make, family))).toBeInstanceOf(Error);
    });
  });

  test("refuses a port that is none", async () => {
    await online(async ({ loop }) => {
      for (const port of [-1, 65_536, 1.5, "http" as unknown as number]) {
        expect(await errorOf(loop.createDatagramEndpoint(make, { localAddr: { port } })), String(port)).toBeInstanceOf(
          Error,
        );
      }
    });
  });

  test("refuses a socket together with what would make one", async () => {
    await online(async ({ loop }) => {
      const sock = await socket();
      const more: asyncio.DatagramOptions[] = [
        { localAddr: local },
        { remoteAddr: { host: "127.0.0.1", port: 9 } },
        { family: 4 },
        { reusePort: true },
        { allowBroadcast: true },
      ];
      for (const options of more) {
        const failed = asyncio.createTask(async () => {
          const [transport] = await loop.createDatagramEndpoint(make, { ...options, sock });
          transport.close();
        });
        expect(await errorOf(failed), Object.keys(options).join()).toBeInstanceOf(RangeError);
      }
      sock.close();
    });
  });

  test("lets broadcasts be sent if it is asked to, and not otherwise", async () => {
    await online(async (net) => {
      const everybody = { host: "255.255.255.255", port: 9, family: 4 } as const;
      const shy = await endpoint(net, { localAddr: { port: 0 } });
      shy.transport.sendto("hello", everybody);
      expect(await shy.inbox.errors.get()).toMatchObject({ code: "EACCES" });
      const loud = await endpoint(net, { localAddr: { port: 0 }, allowBroadcast: true });
      loud.transport.sendto("hello", everybody);
      await close(shy.transport, loud.transport);
      // Where there is no network at all, there is nobody to broadcast to.
      for (const error of loud.inbox.errors.statistics().size > 0 ? [await loud.inbox.errors.get()] : []) {
        expect(error).not.toMatchObject({ code: "EACCES" });
      }
    });
  });

  test("lets no other endpoint have its port if it is not asked to", async () => {
    await online(async (net) => {
      const { transport, at } = await endpoint(net);
      const again = { localAddr: at, reusePort: true };
      expect(await errorOf(net.loop.createDatagramEndpoint(make, again))).toBeInstanceOf(Error);
      await close(transport);
    });
  });

  test("goes on receiving after it has sent to an address where nobody listens", async () => {
    await online(async (net) => {
      const [a, b] = [await endpoint(net), await endpoint(net)];
      const nobody = await deafAddress();
      a.transport.sendto("a", b.at);
      expect((await b.inbox.datagrams.get())[0]).toBe("a");
      b.transport.sendto("b", a.at);
      expect((await a.inbox.datagrams.get())[0]).toBe("b");
      a.transport.sendto("c", nobody);
      await asyncio.sleep(0);
      b.transport.sendto("d", a.at);
      expect((await a.inbox.datagrams.get())[0]).toBe("d");
      await close(a.transport, b.transport);
    });
  });
});

describe("the transport of an endpoint", () => {
  test("sends bytes of any kind, text, and nothing at all", async () => {
    await online(async (net) => {
      const { transport, inbox, at } = await endpoint(net);
      const bytes = new Uint8Array([1, 2, 3, 4, 5]);
      for (const data of [bytes.subarray(1, 3), Buffer.from("buffer"), "grüß dich", new Uint8Array(0)]) {
        transport.sendto(data, at);
        expect((await inbox.datagrams.get())[0]).toBe(String(data instanceof Uint8Array ? Buffer.from(data) : data));
      }
      expect(() => transport.sendto(17 as unknown as string, at)).toThrow(TypeError);
      await close(transport);
    });
  });

  test("sends in order, and sends what waits before it closes", async () => {
    await online(async (net) => {
      const [from, to] = [await endpoint(net), await endpoint(net)];
      const words = Array.from({ length: 20 }, (_, i) => `word ${i}`);
      for (const word of words) from.transport.sendto(word, to.at);
      expect(from.transport.getWriteBufferSize()).toBeGreaterThanOrEqual(0);
      from.transport.close();
      expect(from.transport.isClosing()).toBe(true);
      await from.inbox.lost.wait();
      const got: string[] = [];
      while (got.length < words.length) got.push((await to.inbox.datagrams.get())[0]);
      expect([got, from.inbox.error, from.transport.getWriteBufferSize()]).toEqual([words, null, 0]);
      await close(to.transport);
    });
  });

  test("counts each datagram that waits with eight bytes more than it has", async () => {
    await online(async (net) => {
      const { transport, at } = await endpoint(net);
      transport.sendto("12345", at);
      transport.sendto("", at);
      expect([0, 13, 21]).toContain(transport.getWriteBufferSize());
      await close(transport);
    });
  });

  test("connected, sends to its peer alone", async () => {
    await online(async (net) => {
      const server = await endpoint(net);
      const { transport } = await endpoint(net, { remoteAddr: server.at });
      transport.sendto("a", server.at);
      transport.sendto("b", null);
      expect([(await server.inbox.datagrams.get())[0], (await server.inbox.datagrams.get())[0]]).toEqual(["a", "b"]);
      expect(() => transport.sendto("c", { host: "127.0.0.1", port: 9, family: 4 })).toThrow(RangeError);
      await close(transport, server.transport);
    });
  });

  test("not connected, needs an address", async () => {
    await online(async (net) => {
      const { transport } = await endpoint(net);
      expect(() => transport.sendto("a")).toThrow(RangeError);
      expect(() => transport.sendto("a", { host: "localhost", port: 9, family: 4 })).toThrow(RangeError);
      await close(transport);
    });
  });

  test("tells its protocol of a peer that refuses, and stays open", async () => {
    await online(async (net) => {
      const { transport, inbox } = await endpoint(net, { remoteAddr: await deafAddress() });
      transport.sendto("hello");
      expect(await inbox.errors.get()).toMatchObject({ code: "ECONNREFUSED" });
      transport.sendto("hello, again");
      expect(await inbox.errors.get()).toMatchObject({ code: "ECONNREFUSED" });
      expect(transport.isClosing()).toBe(false);
      await close(transport);
      expect(inbox.error).toBe(null);
    });
  });

  test("drops what is sent after it has closed, and says so when it goes on", async () => {
    const lines = await logOf(async () => {
      await online(async (net) => {
        const { transport, inbox, at } = await endpoint(net);
        transport.close();
        for (let i = 0; i < 10; i++) transport.sendto("hello", at);
        await inbox.lost.wait();
        expect(inbox.heard).toEqual(["made", "lost"]);
      });
    });
    expect(lines.some((line) => line.includes("sendto()"))).toBe(true);
  });

  test("goes on when its protocol throws, which is reported", async () => {
    const broken = new Error("broken");
    const reports = await online(async ({ loop }) => {
      const second = loop.createFuture<string>();
      let isFirst = true;
      const protocol: asyncio.DatagramProtocol<asyncio.SocketAddress, asyncio.Place> = {
        datagramReceived(data) {
          if (!isFirst) second.setResult(String(data));
          isFirst = false;
          if (!second.done()) throw broken;
        },
      };
      const [transport] = await loop.createDatagramEndpoint(() => protocol, { localAddr: { host: "127.0.0.1" } });
      const at = transport.getExtraInfo("sockname") as asyncio.SocketAddress;
      transport.sendto("bad", at);
      transport.sendto("good", at);
      expect(await second).toBe("good");
      transport.close();
    });
    expect(reports.map(({ exception }) => exception)).toEqual([broken]);
  });

  test("aborts without an error", async () => {
    await online(async (net) => {
      const { transport, inbox } = await endpoint(net);
      transport.abort();
      transport.abort();
      await inbox.lost.wait();
      expect([inbox.heard, inbox.error]).toEqual([["made", "lost"], null]);
    });
  });

  test("shows itself", async () => {
    await online(async (net) => {
      const { transport, at } = await endpoint(net);
      expect(String(transport)).toMatch(new RegExp(`^<DatagramTransport open sockname=.*${at.port}.*>$`));
      await close(transport);
      expect(String(transport)).toContain("closed");
    });
  });
});
