/** Datagrams under bad conditions: peers that are deaf, foreign or many, protocols that throw or are slow. */

import * as dgram from "node:dgram";
import { once } from "node:events";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import type { World } from "../../../system/hostile/support.ts";
import { eventually, outcome, run, soon, until } from "../../../system/hostile/support.ts";

const { createTask, sleep } = asyncio;

type Address = asyncio.SocketAddress;
type Endpoint = asyncio.DatagramTransport<Address>;

const local = { localAddr: { host: "127.0.0.1", port: 0 } } as const;

/** How many UDP sockets this process has open. */
const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith("UDP")).length;

const sockname = (transport: Endpoint): Address => transport.getExtraInfo("sockname") as Address;

/** Keeps what it hears. */
class Ear implements asyncio.DatagramProtocol<Address> {
  readonly texts: string[] = [];
  readonly sizes: number[] = [];
  readonly errors: unknown[] = [];
  readonly heard: string[] = [];
  lost: { readonly error: unknown } | null = null;

  datagramReceived(data: Uint8Array, _from: Address): void {
    this.sizes.push(data.length);
    this.texts.push(String(data).slice(0, 20));
  }

  errorReceived(error: unknown): void {
    this.errors.push(error);
  }

  connectionLost(error: unknown): void {
    this.lost = { error };
  }

  pauseWriting(): void {
    this.heard.push("pause");
  }

  resumeWriting(): void {
    this.heard.push("resume");
  }
}

interface Opened<P> {
  readonly transport: Endpoint;
  readonly protocol: P;
  readonly at: Address;
}

async function open(loop: asyncio.EventLoop, options?: asyncio.DatagramOptions): Promise<Opened<Ear>>;
async function open<P extends asyncio.DatagramProtocol<Address>>(
  loop: asyncio.EventLoop,
  options: asyncio.DatagramOptions,
  protocol: P,
): Promise<Opened<P>>;
async function open(
  loop: asyncio.EventLoop,
  options: asyncio.DatagramOptions = local,
  protocol: asyncio.DatagramProtocol<Address> = new Ear(),
): Promise<Opened<asyncio.DatagramProtocol<Address>>> {
  const [transport] = await soon(loop.createDatagramEndpoint(() => protocol, options));
  return { transport, protocol, at: sockname(transport) };
}

/** Runs `main` on the real loop. Nothing may be reported, logged, or left open. */
async function clean(main: (world: World) => Promise<void>): Promise<void> {
  const before = openSockets();
  const { reports, log } = await run(main);
  expect([reports, log]).toEqual([[], []]);
  for (let i = 0; i < 60_000 && openSockets() > before; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(openSockets()).toBeLessThanOrEqual(before);
}

/** A socket of Node's, bound. */
async function plainSocket(): Promise<{ readonly socket: dgram.Socket; readonly at: Address }> {
  const socket = dgram.createSocket("udp4").bind({ port: 0, address: "127.0.0.1" });
  await eventually(once(socket, "listening"));
  return { socket, at: { host: "127.0.0.1", port: socket.address().port, family: 4 } };
}

/** Where somebody listened a moment ago. */
async function deafAddress(): Promise<Address> {
  const { socket, at } = await plainSocket();
  socket.close();
  return at;
}

async function close(...all: readonly Opened<Ear>[]): Promise<void> {
  for (const { transport } of all) transport.close();
  await until(() => all.every(({ protocol }) => protocol.lost !== null));
}

describe("an endpoint that is connected", () => {
  test("hears nobody but its peer", async () => {
    await clean(async ({ loop }) => {
      const peer = await open(loop);
      const one = await open(loop, { remoteAddr: peer.at });
      const stranger = await open(loop);
      stranger.transport.sendto("let me in", one.at);
      peer.transport.sendto("hello", one.at);
      await until(() => one.protocol.texts.length > 0);
      expect(one.protocol.texts).toEqual(["hello"]);
      await close(one, stranger, peer);
    });
  });

  test("refuses to send to anybody else, and loses nothing by it", async () => {
    await clean(async ({ loop }) => {
      const peer = await open(loop);
      const one = await open(loop, { remoteAddr: peer.at });
      expect(() => one.transport.sendto("hello", { ...peer.at, port: peer.at.port ^ 1 })).toThrow(RangeError);
      expect(() => one.transport.sendto("hello", { ...peer.at, host: "127.0.0.2" })).toThrow(RangeError);
      one.transport.sendto("still here", peer.at);
      await until(() => peer.protocol.texts.length > 0);
      expect([peer.protocol.texts, one.transport.getWriteBufferSize()]).toEqual([["still here"], 0]);
      await close(one, peer);
    });
  });

  test("hears of a peer that refuses, as often as it does, and works when the peer is there again", async () => {
    await clean(async ({ loop }) => {
      const at = await deafAddress();
      const one = await open(loop, { remoteAddr: at });
      for (let i = 1; i <= 3; i++) {
        one.transport.sendto("anybody?");
        await until(() => one.protocol.errors.length >= i);
      }
      const refused = expect.objectContaining({ code: "ECONNREFUSED" }) as unknown;
      expect(one.protocol.errors).toEqual([refused, refused, refused]);
      const peer = await open(loop, { localAddr: at });
      one.transport.sendto("you are back");
      await until(() => peer.protocol.texts.length > 0);
      expect([peer.protocol.texts, one.transport.isClosing()]).toEqual([["you are back"], false]);
      await close(one, peer);
      expect(one.protocol.lost).toEqual({ error: null });
    });
  });
});

describe("a datagram", () => {
  test("may be empty", async () => {
    await clean(async ({ loop }) => {
      const [from, to] = [await open(loop), await open(loop)];
      from.transport.sendto("", to.at);
      from.transport.sendto(new Uint8Array(0), to.at);
      from.transport.sendto("end", to.at);
      await until(() => to.protocol.sizes.length === 3);
      expect(to.protocol.sizes).toEqual([0, 0, 3]);
      await close(from, to);
    });
  });

  test("may be as large as UDP allows, and comes whole", async () => {
    await clean(async ({ loop }) => {
      const [from, to] = [await open(loop), await open(loop)];
      from.transport.sendto(new Uint8Array(65_507), to.at);
      await until(() => to.protocol.sizes.length === 1 || from.protocol.errors.length === 1);
      // Not every system sends so much by default.
      if (from.protocol.errors.length === 0) expect(to.protocol.sizes).toEqual([65_507]);
      await close(from, to);
    });
  });

  test("that is too large is an error the protocol hears of, and the endpoint goes on", async () => {
    await clean(async ({ loop }) => {
      const [from, to] = [await open(loop), await open(loop)];
      from.transport.sendto(new Uint8Array(65_508), to.at);
      from.transport.sendto(new Uint8Array(1_000_000), to.at);
      await until(() => from.protocol.errors.length === 2);
      const tooLarge = expect.objectContaining({ code: "EMSGSIZE" }) as unknown;
      expect(from.protocol.errors).toEqual([tooLarge, tooLarge]);
      expect([from.transport.getWriteBufferSize(), from.transport.isClosing()]).toEqual([0, false]);
      from.transport.sendto("small", to.at);
      await until(() => to.protocol.texts.length > 0);
      expect(to.protocol.texts).toEqual(["small"]);
      await close(from, to);
    });
  });

  test.each([0, -1, 65_536, 1.5])(
    "to the port %d is an error, after which the endpoint can be closed",
    async (port) => {
      await clean(async ({ loop }) => {
        const from = await open(loop);
        expect(() => from.transport.sendto("hello", { host: "127.0.0.1", port, family: 4 })).toThrow(RangeError);
        expect(from.transport.getWriteBufferSize()).toBe(0);
        await close(from);
        expect(from.protocol.lost).toEqual({ error: null });
      });
    },
  );

  test("to an address of the other family is an error the protocol hears of", async () => {
    await clean(async ({ loop }) => {
      const from = await open(loop);
      from.transport.sendto("hello", { host: "::1", port: 9, family: 6 });
      await until(() => from.protocol.errors.length === 1);
      await close(from);
    });
  });

  test("that comes after close() is not heard", async () => {
    await clean(async ({ loop }) => {
      const to = await open(loop);
      const from = await open(loop);
      from.transport.sendto("hello", to.at);
      to.transport.close();
      await until(() => to.protocol.lost !== null);
      for (let i = 0; i < 10; i++) await sleep(0);
      expect(to.protocol.texts).toEqual([]);
      await close(from);
    });
  });
});

describe("close()", () => {
  test("sends what waits first", async () => {
    await clean(async ({ loop }) => {
      const [from, to] = [await open(loop), await open(loop)];
      for (let i = 0; i < 50; i++) from.transport.sendto(`${i}`, to.at);
      from.transport.close();
      await until(() => from.protocol.lost !== null);
      await until(() => to.protocol.texts.length === 50);
      expect(to.protocol.texts).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
      await close(to);
    });
  });

  test("and abort(), in any order and as often as one likes, end it once", async () => {
    await clean(async ({ loop }) => {
      let times = 0;
      const over = loop.createFuture();
      const protocol = {
        connectionLost: () => {
          times++;
          over.setResult();
        },
      };
      const { transport, at } = await open(loop, local, protocol);
      transport.sendto("hello", at);
      transport.close();
      transport.abort();
      transport.close();
      await soon(over);
      transport.abort();
      for (let i = 0; i < 5; i++) await sleep(0);
      expect(times).toBe(1);
    });
  });

  test("of the loop closes an endpoint that is open, and says so", async () => {
    const before = openSockets();
    const { log, reports } = await run(async ({ loop }) => {
      await open(loop);
    });
    expect([log, reports]).toEqual([[expect.stringContaining("unclosed <DatagramTransport open")], []]);
    for (let i = 0; i < 100 && openSockets() > before; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(openSockets()).toBe(before);
  });
});

describe("a flood", () => {
  test("of datagrams leaves turns to the others, however slow the protocol is", async () => {
    await clean(async ({ loop }) => {
      let [count, turns] = [0, 0];
      const slow = {
        datagramReceived: () => {
          count++;
          for (const start = performance.now(); performance.now() - start < 1;);
        },
      };
      const { transport, at } = await open(loop, local, slow);
      const { socket } = await plainSocket();
      for (let i = 0; i < 100; i++) socket.send("x".repeat(100), at.port, at.host);
      await until(() => {
        turns++;
        return count >= 50;
      });
      expect(turns).toBeGreaterThan(1);
      transport.close();
      await sleep(0);
      await sleep(0);
      const heard = count;
      for (let i = 0; i < 20; i++) await sleep(0);
      expect(count).toBe(heard);
      socket.close();
    });
  });

  test("of what is sent pauses the protocol, and lets it go on when it is sent", async () => {
    await clean(async ({ loop }) => {
      const [from, to] = [await open(loop), await open(loop)];
      from.transport.setWriteBufferLimits({ high: 1000, low: 100 });
      const before = from.transport.getWriteBufferSize();
      for (let i = 0; i < 20; i++) from.transport.sendto(new Uint8Array(200), to.at);
      if (from.transport.getWriteBufferSize() > 1000) expect(from.protocol.heard).toEqual(["pause"]);
      await until(() => from.transport.getWriteBufferSize() === before);
      await until(() => from.protocol.heard.at(-1) !== "pause");
      expect(from.protocol.heard).toEqual(["pause", "resume"]);
      await close(from, to);
    });
  });

  test("of errors is heard one by one, and close() comes to its end", async () => {
    await clean(async ({ loop }) => {
      const one = await open(loop, { remoteAddr: await deafAddress() });
      for (let i = 0; i < 100; i++) one.transport.sendto("anybody?");
      await until(() => one.protocol.errors.length > 0);
      await close(one);
      expect(one.protocol.lost).toEqual({ error: null });
    });
  });
});

describe("a protocol that throws", () => {
  const broken = new Error("broken");
  const fail = (): never => {
    throw broken;
  };
  const exceptions = (world: World): unknown[] => world.reports.map(({ exception }) => exception);

  test("in connectionMade is reported, and loses the endpoint with its error", async () => {
    const before = openSockets();
    const world = await run(async ({ loop }) => {
      const protocol = Object.assign(new Ear(), { connectionMade: fail });
      const { transport } = await open(loop, local, protocol);
      await until(() => protocol.lost !== null);
      expect([protocol.lost, transport.isClosing()]).toEqual([{ error: broken }, true]);
      await until(() => openSockets() === before);
    });
    expect(exceptions(world)).toEqual([broken]);
  });

  test.each(["datagramReceived", "errorReceived"] as const)(
    "in %s is reported, and the endpoint goes on: anybody may send such a datagram",
    async (name) => {
      const world: World = await run(async ({ loop, reports }) => {
        const at = await deafAddress();
        const protocol = Object.assign(new Ear(), { [name]: fail });
        const { transport } = await open(loop, name === "errorReceived" ? { remoteAddr: at } : local, protocol);
        if (name === "errorReceived") transport.sendto("anybody?");
        else transport.sendto("hello", sockname(transport));
        await until(() => reports.length > 0);
        expect([protocol.lost, transport.isClosing()]).toEqual([null, false]);
        transport.close();
      });
      expect(exceptions(world)).toEqual([broken]);
    },
  );

  test("in connectionLost is reported, and the socket is closed all the same", async () => {
    const before = openSockets();
    const world = await run(async ({ loop }) => {
      const { transport } = await open(loop, local, { connectionLost: fail });
      transport.close();
      await until(() => openSockets() === before);
    });
    expect(exceptions(world)).toEqual([broken]);
  });

  test("in pauseWriting and resumeWriting is reported, and the endpoint goes on", async () => {
    const world = await run(async ({ loop }) => {
      const to = await open(loop);
      const protocol = Object.assign(new Ear(), { pauseWriting: fail, resumeWriting: fail });
      const { transport } = await open(loop, local, protocol);
      transport.setWriteBufferLimits({ high: 0 });
      transport.sendto("hello", to.at);
      await until(() => to.protocol.texts.length === 1 && transport.getWriteBufferSize() === 0);
      await sleep(0);
      expect(transport.isClosing()).toBe(false);
      await close({ transport, protocol, at: to.at }, to);
    });
    expect(exceptions(world)).toEqual([broken, broken]);
  });

  test("when it is made leaves no socket", async () => {
    await clean(async ({ loop }) => {
      expect(await outcome(loop.createDatagramEndpoint(fail, local))).toBe(broken);
      const at = await deafAddress();
      expect(await outcome(loop.createDatagramEndpoint(fail, { remoteAddr: at }))).toBe(broken);
    });
  });
});

test("createDatagramEndpoint, cancelled at any time, leaves no socket", async () => {
  for (let turns = 0; turns < 10; turns++) {
    await clean(async ({ loop }) => {
      const at = await deafAddress();
      const task = createTask(loop.createDatagramEndpoint(() => new Ear(), { ...local, remoteAddr: at }));
      for (let i = 0; i < turns; i++) await sleep(0);
      if (task.cancel()) {
        expect(await outcome(task)).toBeInstanceOf(asyncio.CancelledError);
        for (let i = 0; i < 5; i++) await sleep(0);
        return;
      }
      const [transport, protocol] = task.result();
      await close({ transport, protocol, at });
    });
  }
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const hasReusePort =
  process.platform === "linux" && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12));

test.runIf(hasReusePort)("with reusePort two endpoints have one port, and each datagram goes to one", async () => {
  await clean(async ({ loop }) => {
    const one = await open(loop, { ...local, reusePort: true });
    const two = await open(loop, { localAddr: one.at, reusePort: true });
    const from = await open(loop);
    for (let i = 0; i < 10; i++) from.transport.sendto(`${i}`, one.at);
    await until(() => one.protocol.texts.length + two.protocol.texts.length === 10);
    await close(one, two, from);
  });
});

test.skipIf(hasReusePort)("with reusePort where Node.js has no such thing is an error, and no silence", async () => {
  await clean(async ({ loop }) => {
    const result = await outcome(loop.createDatagramEndpoint(() => new Ear(), { ...local, reusePort: true }));
    if (Array.isArray(result)) (result[0] as Endpoint).close();
    await sleep(0);
    await sleep(0);
    expect(result).toBeInstanceOf(Error);
  });
});

describe("a socket that is closed by other hands", () => {
  test("ends the endpoint: what came before is delivered, and connectionLost is the last", async () => {
    await clean(async ({ loop }) => {
      const { transport, protocol, at } = await open(loop);
      const socket = transport.getExtraInfo("socket") as dgram.Socket;
      socket.emit("message", Buffer.from("before"), { address: at.host, port: at.port });
      socket.close();
      await until(() => protocol.lost !== null);
      expect([protocol.texts, protocol.lost]).toEqual([["before"], { error: null }]);
      expect(transport.isClosing()).toBe(true);
      transport.sendto("late", at);
      transport.close();
      transport.abort();
    });
  });

  test("and then closed by close(): what came before is not delivered", async () => {
    await clean(async ({ loop }) => {
      const { transport, protocol, at } = await open(loop);
      const socket = transport.getExtraInfo("socket") as dgram.Socket;
      socket.emit("message", Buffer.from("before"), { address: at.host, port: at.port });
      socket.emit("close");
      transport.close();
      await until(() => protocol.lost !== null);
      expect([protocol.texts, protocol.lost]).toEqual([[], { error: null }]);
    });
  });
});

test("connectionLost is the last: limits set after it resume nothing", async () => {
  await clean(async ({ loop }) => {
    const to = await open(loop);
    const { transport, protocol } = await open(loop);
    transport.setWriteBufferLimits({ high: 0 });
    transport.sendto("hello", to.at);
    transport.abort();
    await until(() => protocol.lost !== null);
    transport.setWriteBufferLimits({ high: 1000 });
    expect(protocol.heard).toEqual(["pause"]);
    await close(to);
  });
});
