/** The network half of CPython's test_events in our words. */

import { once } from "node:events";
import * as net from "node:net";
import { networkInterfaces } from "node:os";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { clientTls, errorOf, online, portOf, Recorder, serverTls } from "./network.ts";
import type { Net } from "./network.ts";

const { createTask } = asyncio;

const make = (): Recorder => new Recorder();

/** The interface of this machine's own address of IPv6; none if it speaks none. */
const ipv6Interface = Object.entries(networkInterfaces()).find(([, list]) =>
  list?.some((one) => one.address === "::1"),
)?.[0];
const hasIpv6 = ipv6Interface !== undefined;

interface Serving {
  readonly server: asyncio.Server;
  /** The protocols of its clients, in the order in which they came. */
  readonly clients: asyncio.Queue<Recorder>;
}

type MakeServer = (makeProtocol: () => Recorder) => asyncio.Coroutine<asyncio.Server>;

/** A server whose protocols wait in a queue. */
async function serving(makeServer: MakeServer): Promise<Serving> {
  const clients = new asyncio.Queue<Recorder>();
  const server = await makeServer(() => {
    const protocol = new Recorder();
    clients.putNowait(protocol);
    return protocol;
  });
  return { server, clients };
}

/** Both sides say something, and the client closes. */
async function talk(client: Recorder, server: Recorder): Promise<void> {
  client.transport.write("question");
  expect(await server.has(8)).toBe("question");
  server.transport.write("answer");
  expect(await client.has(6)).toBe("answer");
  client.transport.close();
  await client.lost.wait();
  await server.lost.wait();
  expect([client.error, server.error]).toEqual([null, null]);
  expect([client.heard, server.heard]).toEqual([
    ["made", "data", "lost"],
    ["made", "data", "eof", "lost"],
  ]);
}

type Options = Pick<asyncio.ConnectionOptions, "ssl" | "serverHostname">;

interface Place {
  readonly name: string;
  serve(net: Net, makeProtocol: () => Recorder, ssl?: asyncio.Ssl): asyncio.Coroutine<asyncio.Server>;
  connect(
    net: Net,
    server: asyncio.Server,
    options?: Options,
    makeProtocol?: () => Recorder,
  ): asyncio.Coroutine<[asyncio.Transport, Recorder]>;
}

const places: readonly Place[] = [
  {
    name: "TCP",
    serve: ({ loop }, makeProtocol, ssl) =>
      loop.createServer(makeProtocol, "127.0.0.1", 0, ssl === undefined ? {} : { ssl }),
    connect: ({ loop }, server, options, makeProtocol = make) =>
      loop.createConnection(makeProtocol, "127.0.0.1", portOf(server), options),
  },
  {
    name: "a Unix socket",
    serve: ({ loop, path }, makeProtocol, ssl) =>
      loop.createUnixServer(makeProtocol, path, ssl === undefined ? {} : { ssl }),
    connect: ({ loop, path }, _server, options, makeProtocol = make) =>
      loop.createUnixConnection(makeProtocol, path, options),
  },
];

describe.each(places)("over $name", (place) => {
  test("a client and a server talk, and both hear of the beginning and the end", async () => {
    const reports = await online(async (world) => {
      const { server, clients } = await serving((makeProtocol) => place.serve(world, makeProtocol));
      const [transport, client] = await place.connect(world, server);
      expect(client.transport).toBe(transport);
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("a client and a server talk under TLS, and the client knows the server by its certificate", async () => {
    const reports = await online(async (world) => {
      const { server, clients } = await serving((makeProtocol) => place.serve(world, makeProtocol, serverTls));
      const [transport, client] = await place.connect(world, server, { ssl: clientTls, serverHostname: "localhost" });
      expect(transport.getExtraInfo("peercert")).toMatchObject({ subject: { CN: "localhost" } });
      expect(transport.getExtraInfo("cipher")).not.toBeNull();
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("a certificate that nobody trusts is refused, unless the client does not mind", async () => {
    const reports = await online(async (world) => {
      const { server, clients } = await serving((makeProtocol) => place.serve(world, makeProtocol, serverTls));
      const refused = await errorOf(place.connect(world, server, { ssl: true, serverHostname: "localhost" }));
      expect(refused).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
      const careless = { ssl: { rejectUnauthorized: false }, serverHostname: "localhost" };
      const [, client] = await place.connect(world, server, careless);
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("a certificate for another name is refused", async () => {
    const reports = await online(async (world) => {
      await using server = await place.serve(world, make, serverTls);
      const refused = await errorOf(place.connect(world, server, { ssl: clientTls, serverHostname: "example.org" }));
      expect(refused).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });
    expect(reports).toEqual([]);
  });

  test("a server that is closed accepts nobody, and its clients go on", async () => {
    const reports = await online(async (world) => {
      const { server, clients } = await serving((makeProtocol) => place.serve(world, makeProtocol));
      const reconnecting = reconnector(world, server);
      const [, client] = await place.connect(world, server);
      const accepted = await clients.get();
      server.close();
      expect([server.sockets, server.isServing()]).toEqual([[], false]);
      expect(await errorOf(reconnecting())).toMatchObject({
        code: expect.stringMatching(/^(ECONNREFUSED|ENOENT)$/) as unknown,
      });
      await talk(client, accepted);
      await server.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  /** Connects again, when the server may have forgotten its address. */
  function reconnector(world: Net, server: asyncio.Server): () => asyncio.Coroutine<[asyncio.Transport, Recorder]> {
    if (place.name !== "TCP") return () => place.connect(world, server);
    const port = portOf(server);
    return () => world.loop.createConnection(make, "127.0.0.1", port);
  }
});

describe("createConnection", () => {
  test("says that nobody listens", async () => {
    await online(async ({ loop }) => {
      const server = await loop.createServer(make, "127.0.0.1", 0);
      const port = portOf(server);
      server.close();
      expect(await errorOf(loop.createConnection(make, "127.0.0.1", port))).toMatchObject({ code: "ECONNREFUSED" });
      const all = await errorOf(loop.createConnection(make, "127.0.0.1", port, { allErrors: true }));
      expect(all).toBeInstanceOf(asyncio.ExceptionGroup);
      expect(all).toMatchObject({ exceptions: [{ code: "ECONNREFUSED" }] });
    });
  });

  test.skipIf(!hasIpv6)("of several addresses that fail says what each of them said", async () => {
    await online(async ({ loop }) => {
      // `null` is this machine, by its addresses of IPv4 and IPv6: nobody listens at either.
      const port = await freePort();
      const error = await errorOf(loop.createConnection(make, null, port));
      expect(error).toMatchObject({ message: expect.stringMatching(/^Multiple exceptions: .*, /) as unknown });
      const all = (await errorOf(
        loop.createConnection(make, null, port, { allErrors: true }),
      )) as asyncio.ExceptionGroup;
      expect(all.exceptions.map((one) => (one as NodeJS.ErrnoException).code)).toEqual([
        "ECONNREFUSED",
        "ECONNREFUSED",
      ]);
      const raced = await errorOf(loop.createConnection(make, null, port, { happyEyeballsDelay: 10, allErrors: true }));
      expect(raced).toBeInstanceOf(asyncio.ExceptionGroup);
    });
  });

  test.each([{}, { happyEyeballsDelay: 0.25 }])(
    "to a host without an address of the family says so: %j",
    async (options) => {
      await online(async ({ loop }) => {
        const error = await errorOf(loop.createConnection(make, "127.0.0.1", 1, { ...options, family: 6 }));
        expect(error).not.toBeInstanceOf(asyncio.TimeoutError);
        expect(error).toHaveProperty("code", expect.stringMatching(/^(ENOTFOUND|EADDRNOTAVAIL|EAI_)/));
      });
    },
  );

  test.skipIf(!hasIpv6)("takes an address of IPv6 with the interface behind it", async () => {
    await online(async ({ loop }) => {
      const { server, clients } = await serving((makeProtocol) => loop.createServer(makeProtocol, "::1", 0));
      const [, client] = await loop.createConnection(make, `::1%${ipv6Interface}`, portOf(server));
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
  });

  test("takes a port as a number, or as its digits", async () => {
    await online(async ({ loop }) => {
      const { server, clients } = await serving((makeProtocol) => loop.createServer(makeProtocol, "127.0.0.1", "0"));
      const [, client] = await loop.createConnection(make, "127.0.0.1", String(portOf(server)));
      await talk(client, await clients.get());
      for (const port of [-1, 65_536, 1.5, Number.NaN, "", "1x", " 1"]) {
        expect(await errorOf(loop.createConnection(make, "127.0.0.1", port))).toBeInstanceOf(RangeError);
      }
      server.close();
      await server.waitClosed();
    });
  });

  test("takes the address of its own end", async () => {
    await online(async ({ loop }) => {
      const { server, clients } = await serving((makeProtocol) => loop.createServer(makeProtocol, "127.0.0.1", 0));
      const free = await freePort();
      const localAddr = { host: "127.0.0.1", port: free };
      const [transport, client] = await loop.createConnection(make, "127.0.0.1", portOf(server), { localAddr });
      expect(transport.getExtraInfo("sockname")).toMatchObject(localAddr);
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
  });

  test.skipIf(!hasIpv6)("passes over addresses of another family than its own end's", async () => {
    await online(async ({ loop }) => {
      // `null` is this machine, by its IPv4 address first: which is no partner for `::1`.
      await using server = await loop.createServer(make, "::1", 0);
      const [transport, client] = await loop.createConnection(make, null, portOf(server), {
        localAddr: { host: "::1" },
      });
      expect(transport.getExtraInfo("peername")).toMatchObject({ host: "::1", family: 6 });
      transport.close();
      await client.lost.wait();
    });
  });

  test("fails if no address is of the family of its own end", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, "127.0.0.1", 0);
      const error = await errorOf(
        loop.createConnection(make, "127.0.0.1", portOf(server), { localAddr: { host: "::1" } }),
      );
      expect(error).toBeInstanceOf(Error);
      expect(error).toHaveProperty("code");
    });
  });

  test("fails if the address of its own end is none", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, "127.0.0.1", 0);
      const localAddr = { host: "no address" };
      expect(await errorOf(loop.createConnection(make, "127.0.0.1", portOf(server), { localAddr }))).toHaveProperty(
        "code",
      );
    });
  });

  test("fails if the address of its own end is in use", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, "127.0.0.1", 0);
      await using other = await loop.createServer(make, "127.0.0.1", 0);
      const localAddr = { host: "127.0.0.1", port: portOf(other) };
      const error = await errorOf(loop.createConnection(make, "127.0.0.1", portOf(server), { localAddr }));
      expect(error).toMatchObject({ code: "EADDRINUSE" });
    });
  });

  test("refuses what cannot go together", async () => {
    await online(async ({ loop }) => {
      const sock = new net.Socket();
      const wrong: [string | null, number | null, asyncio.ConnectionOptions][] = [
        [null, null, {}],
        ["127.0.0.1", null, {}],
        ["127.0.0.1", 1, { sock }],
        [null, 1, { sock }],
        ["127.0.0.1", 1, { serverHostname: "localhost" }],
        ["127.0.0.1", 1, { sslHandshakeTimeout: 1 }],
        ["127.0.0.1", 1, { sslShutdownTimeout: 1 }],
        [null, null, { sock, ssl: true }],
        [null, 1, { ssl: true }],
      ];
      for (const [host, port, options] of wrong) {
        expect(await errorOf(loop.createConnection(make, host, port, options))).toBeInstanceOf(RangeError);
      }
    });
  });

  test("cancelled while it connects, it leaves nothing behind", async () => {
    const reports = await online(async ({ loop }) => {
      const { server, clients } = await serving((makeProtocol) => loop.createServer(makeProtocol, "127.0.0.1", 0));
      const client = new Recorder();
      const connecting = createTask(loop.createConnection(() => client, "127.0.0.1", portOf(server)));
      await asyncio.sleep(0);
      connecting.cancel();
      expect(await errorOf(connecting)).toBeInstanceOf(asyncio.CancelledError);
      expect(client.heard).toEqual([]);
      server.close();
      await server.waitClosed();
      expect(clients.qsize()).toBeLessThanOrEqual(1);
    });
    expect(reports).toEqual([]);
  });
});

describe("connectAcceptedSocket", () => {
  test("takes no times for TLS without TLS", async () => {
    await online(async ({ loop }) => {
      for (const options of [{ sslHandshakeTimeout: 1 }, { sslShutdownTimeout: 1 }]) {
        const connecting = createTask(async () => {
          const [transport, protocol] = await loop.connectAcceptedSocket(make, new net.Socket(), options);
          transport.abort();
          await protocol.lost.wait();
        });
        const error = await errorOf(connecting);
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain("only meaningful with ssl");
      }
    });
  });

  test.each([
    { under: "TLS", serverOptions: { ssl: serverTls }, clientOptions: { ssl: clientTls, serverHostname: "localhost" } },
    { under: "no TLS", serverOptions: {}, clientOptions: {} },
  ])("serves what another server accepted, under $under", async ({ serverOptions, clientOptions }) => {
    const reports = await online(async ({ loop }) => {
      const accepted = loop.createFuture<net.Socket>();
      const listening = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (one) =>
        accepted.setResult(one),
      );
      listening.listen(0, "127.0.0.1");
      await asyncio.fromPromise(once(listening, "listening"));
      const { port } = listening.address() as net.AddressInfo;
      const connecting = createTask(loop.createConnection(make, "127.0.0.1", port, clientOptions));
      const [, server] = await loop.connectAcceptedSocket(make, await accepted, serverOptions);
      const [, client] = await connecting;
      await talk(client, server);
      listening.close();
    });
    expect(reports).toEqual([]);
  });
});

describe("createServer", () => {
  test("knows its loop, and has a socket for each address", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, "127.0.0.1", 0);
      expect(server.getLoop()).toBe(loop);
      expect(server.sockets).toHaveLength(1);
      expect(portOf(server)).toBeGreaterThan(0);
    });
  });

  test("listens at several addresses of IPv4", async () => {
    await listensAt(["127.0.0.1", "127.0.0.2"]);
  });

  test.skipIf(!hasIpv6)("listens at several addresses, of IPv6 and of IPv4", async () => {
    await listensAt(["::1", "127.0.0.1"]);
  });

  test("the same address twice is one", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, ["127.0.0.1", "127.0.0.1"], 0);
      expect(server.sockets).toHaveLength(1);
    });
  });

  test.skipIf(!hasIpv6)("without a host listens everywhere, at the same port of IPv4 and IPv6", async () => {
    await online(async ({ loop }) => {
      const { server, clients } = await withFreePort((port) =>
        serving((makeProtocol) => loop.createServer(makeProtocol, null, port)),
      );
      const port = portOf(server);
      for (const host of ["127.0.0.1", "::1"]) {
        const [, client] = await loop.createConnection(make, host, port);
        await talk(client, await clients.get());
      }
      server.close();
      await server.waitClosed();
    });
  });

  test("an empty host is every address of this machine", async () => {
    await online(async ({ loop }) => {
      const { server, clients } = await withFreePort((port) =>
        serving((makeProtocol) => loop.createServer(makeProtocol, "", port)),
      );
      const [, client] = await loop.createConnection(make, "127.0.0.1", portOf(server));
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
    });
  });

  test("at a host without an address of the family says so", async () => {
    await online(async ({ loop }) => {
      const listening = createTask(async () => {
        const server = await loop.createServer(make, "127.0.0.1", 0, { family: 6 });
        server.close();
      });
      expect(await errorOf(listening)).toHaveProperty("code", expect.stringMatching(/^(ENOTFOUND|EADDRNOTAVAIL|EAI_)/));
    });
  });

  test("says that an address is in use", async () => {
    await online(async ({ loop }) => {
      await using server = await loop.createServer(make, "127.0.0.1", 0);
      const error = await errorOf(loop.createServer(make, "127.0.0.1", portOf(server)));
      expect(error).toMatchObject({ code: "EADDRINUSE" });
    });
  });

  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const hasReusePort =
    process.platform === "linux" && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12));

  test.skipIf(!hasReusePort)("with reusePort two servers listen at one port", async () => {
    await online(async ({ loop }) => {
      await using first = await loop.createServer(make, "127.0.0.1", 0, { reusePort: true });
      await using second = await loop.createServer(make, "127.0.0.1", portOf(first), { reusePort: true });
      expect(portOf(second)).toBe(portOf(first));
    });
  });

  test.skipIf(hasReusePort)("refuses to share a port where Node.js cannot", async () => {
    await online(async ({ loop }) => {
      const error = await errorOf(loop.createServer(make, "127.0.0.1", 0, { reusePort: true }));
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
    });
  });

  test("accepts from a server of Node's, and closes it", async () => {
    await online(async ({ loop }) => {
      const sock = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
      await asyncio.fromPromise(once(sock, "listening"));
      const { server, clients } = await serving((makeProtocol) =>
        loop.createServer(makeProtocol, null, null, { sock }),
      );
      expect(server.sockets).toEqual([sock]);
      const [, client] = await loop.createConnection(make, "127.0.0.1", portOf(server));
      await talk(client, await clients.get());
      server.close();
      await server.waitClosed();
      expect(sock.listening).toBe(false);
    });
  });

  test("refuses what cannot go together", async () => {
    await online(async ({ loop }) => {
      const sock = net.createServer();
      const wrong: [string | null, number | null, asyncio.ServerOptions][] = [
        [null, null, {}],
        ["127.0.0.1", 1, { sock }],
        [null, 1, { sock }],
        ["127.0.0.1", 0, { sslHandshakeTimeout: 1 }],
        ["127.0.0.1", 0, { sslShutdownTimeout: 1 }],
      ];
      for (const [host, port, options] of wrong) {
        expect(await errorOf(loop.createServer(make, host, port, options))).toBeInstanceOf(RangeError);
      }
      const error = await errorOf(loop.createServer(make, "127.0.0.1", 0, { ssl: true as unknown as asyncio.Ssl }));
      expect(error).toBeInstanceOf(TypeError);
    });
  });
});

/** Listens at each of `hosts`, and talks at each of them. */
async function listensAt(hosts: readonly string[]): Promise<void> {
  await online(async ({ loop }) => {
    const { server, clients } = await withFreePort((port) =>
      serving((makeProtocol) => loop.createServer(makeProtocol, hosts, port)),
    );
    const port = portOf(server);
    expect(server.sockets).toHaveLength(hosts.length);
    for (const host of hosts) {
      const [, client] = await loop.createConnection(make, host, port);
      await talk(client, await clients.get());
    }
    server.close();
    await server.waitClosed();
  });
}

/** A port that is free, unless somebody is quick. */
async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await asyncio.fromPromise(once(probe, "listening"));
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await asyncio.fromPromise(once(probe, "close"));
  return port;
}

/** Tries `start` with free ports, until it has one that is still free. */
async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start(await freePort());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
}

test("getnameinfo says the names of a machine and of a service", async () => {
  await online(async ({ loop }) => {
    const [host, service] = await loop.getnameinfo({ host: "127.0.0.1", port: 80 });
    expect([host, service]).toEqual([expect.stringMatching(/./), expect.stringMatching(/^(http|80)$/)]);
  });
});
