/** Callbacks of the user's that throw, in every place where there is one: the loop and the server go on. */

import { once } from "node:events";
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
  ping,
  portOf,
  run,
  soon,
  until,
} from "./support.ts";

class Mistake extends Error {}

const fail = (): never => {
  throw new Mistake("of the user's");
};

/** Answers with what it is sent, and ends with its client. */
class Echo implements asyncio.Protocol {
  transport: asyncio.Transport | null = null;
  lost: unknown[] = [];

  connectionMade(transport: asyncio.Transport): void {
    this.transport = transport;
  }

  dataReceived(data: Uint8Array): void {
    this.transport!.write(data);
  }

  connectionLost(error: unknown): void {
    this.lost.push(error);
  }
}

/** A server whose first client gets `first`, and every other one an {@link Echo}. */
function serverOf(
  loop: asyncio.EventLoop,
  first: () => asyncio.StreamingProtocol,
  options: { readonly ssl?: asyncio.Ssl } = {},
) {
  let clients = 0;
  return loop.createServer(() => (clients++ === 0 ? first() : new Echo()), "127.0.0.1", 0, options);
}

const mistakes = (reports: readonly asyncio.ExceptionContext[]): number =>
  reports.filter((report) => report.exception instanceof Mistake).length;

const events: [string, (one: Echo) => asyncio.StreamingProtocol][] = [
  ["connectionMade", (spoilt) => Object.assign(spoilt, { connectionMade: fail })],
  ["dataReceived", (spoilt) => Object.assign(spoilt, { dataReceived: fail })],
  ["eofReceived", (spoilt) => Object.assign(spoilt, { eofReceived: fail })],
  ["connectionLost", (spoilt) => Object.assign(spoilt, { connectionLost: fail })],
  ["getBuffer", (spoilt) => Object.assign(spoilt, { getBuffer: fail, bufferUpdated: () => {} })],
  ["bufferUpdated", (spoilt) => Object.assign(spoilt, { getBuffer: () => new Uint8Array(64), bufferUpdated: fail })],
];

describe("a protocol that throws is reported once and loses its connection, and the next client is served", () => {
  test.each(events)("in %s", async (_name, spoil) => {
    const { reports } = await run(({ loop, reports: seen }) =>
      leavingNothing(async () => {
        await using server = await serverOf(loop, () => spoil(new Echo()));
        const victim = await dial(portOf(server));
        victim.end("data");
        await everything(victim);
        expect(await ping(portOf(server))).toBe("ping");
        await until(() => server.statistics().connections === 0);
        expect(mistakes(seen)).toBe(1);
      }),
    );
    expect(reports.length).toBe(1);
  });

  test("in the protocol factory", async () => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        await using server = await serverOf(loop, fail);
        expect(await everything(await dial(portOf(server)))).toBe("");
        expect(await ping(portOf(server))).toBe("ping");
      }),
    );
    expect(mistakes(reports)).toBe(1);
  });

  test("in connectionLost after another callback threw: both are reported", async () => {
    const { reports } = await run(async ({ loop }) => {
      await using server = await serverOf(loop, () =>
        Object.assign(new Echo(), { dataReceived: fail, connectionLost: fail }),
      );
      const victim = await dial(portOf(server));
      victim.write("data");
      await everything(victim);
      expect(await ping(portOf(server))).toBe("ping");
    });
    expect(mistakes(reports)).toBe(2);
  });

  test("with something else than an error", async () => {
    const { reports } = await run(async ({ loop }) => {
      const dataReceived = (): never => {
        // oxlint-disable-next-line typescript/only-throw-error -- that is what is tested
        throw undefined;
      };
      await using server = await serverOf(loop, () => Object.assign(new Echo(), { dataReceived }));
      const victim = await dial(portOf(server));
      victim.write("data");
      await everything(victim);
      expect(await ping(portOf(server))).toBe("ping");
    });
    expect(reports.length).toBe(1);
  });
});

describe("flow control", () => {
  /** Writes to a peer that reads nothing, until it is told to stop; the peer may read then. */
  class Flood extends Echo {
    isStopped = false;

    override connectionMade(transport: asyncio.Transport): void {
      super.connectionMade(transport);
      const piece = Buffer.alloc(64 * 1024);
      for (let written = 0; written < 64 && !this.isStopped; written++) transport.write(piece);
    }
  }

  test.each(["pauseWriting", "resumeWriting"])(
    "a protocol that throws in %s is reported once, and goes on",
    async (name) => {
      const { reports } = await run(({ loop }) =>
        leavingNothing(async () => {
          const flood = new Flood();
          const stop = (): void => {
            flood.isStopped = true;
          };
          const throwing = (): void => {
            stop();
            fail();
          };
          Object.assign(flood, { pauseWriting: stop, [name]: throwing });
          await using server = await serverOf(loop, () => flood);
          const reader = await dial(portOf(server));
          await until(() => flood.isStopped);
          const all = everything(reader);
          flood.transport!.close();
          await all;
          expect(flood.lost).toEqual([null]);
          expect(await ping(portOf(server))).toBe("ping");
        }),
      );
      expect(mistakes(reports)).toBe(1);
    },
  );
});

describe("a callback for clients that throws is reported once, and its connection is closed", () => {
  const callbacks: [string, asyncio.ClientConnectedCallback][] = [
    ["at once", fail],
    [
      "as an async function",
      async () => {
        await asyncio.sleep(0);
        fail();
      },
    ],
    [
      "as an async function, before it waits",
      async () => {
        fail();
      },
    ],
    [
      "as a generator",
      function* () {
        yield* asyncio.sleep(0);
        fail();
      },
    ],
    [
      "after the client is gone",
      async (reader) => {
        await reader.read();
        fail();
      },
    ],
    [
      "after it closed the connection itself",
      async (_reader, writer) => {
        writer.close();
        await writer.waitClosed();
        fail();
      },
    ],
  ];

  test.each(callbacks)("%s", async (_name, callback) => {
    const { reports } = await run(() =>
      leavingNothing(async () => {
        let clients = 0;
        await using server = await asyncio.startServer(
          (reader, writer) => {
            if (clients++ === 0) return callback(reader, writer);
            return echo(reader, writer);
          },
          "127.0.0.1",
          0,
        );
        const victim = await dial(portOf(server));
        victim.end("data");
        await everything(victim);
        expect(await ping(portOf(server))).toBe("ping");
      }),
    );
    expect(reports.map((report) => report.message)).toEqual(["Unhandled exception in client_connected_cb"]);
  });

  test("while its output waits for a peer that reads nothing, which is not waited for when the server shuts down", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await asyncio.startServer(
          async (_reader, writer) => {
            writer.write(Buffer.alloc(16 << 20));
            fail();
          },
          "127.0.0.1",
          0,
        );
        const victim = await dial(portOf(server));
        await until(() => server.statistics().connections === 1);
        await soon(server.shutdown({ grace: 0 }));
        victim.destroy();
      }),
    );
  });
});

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for (let data = await reader.read(4096); data.length > 0; data = await reader.read(4096)) writer.write(data);
  writer.close();
}

describe("the exception handler itself", () => {
  test("may throw: it goes to the log, and the server goes on", async () => {
    const { log } = await run(async ({ loop }) => {
      loop.setExceptionHandler(fail);
      await using server = await serverOf(loop, () => Object.assign(new Echo(), { dataReceived: fail }));
      const victim = await dial(portOf(server));
      victim.write("data");
      await everything(victim);
      expect(await ping(portOf(server))).toBe("ping");
    });
    expect(log.filter((line) => line.includes("exception handler")).length).toBe(1);
  });
});

describe("on the side of the client", () => {
  test("a protocol factory that throws gives its error to the caller, and the connection is closed", async () => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        const ended: Promise<unknown>[] = [];
        const server = await host((socket) => {
          ended.push(everything(socket));
          socket.on("end", () => socket.end());
        });
        expect(await outcome(loop.createConnection(fail, "127.0.0.1", portOf(server)))).toBeInstanceOf(Mistake);
        await until(() => ended.length === 1);
        await Promise.all(ended);
        server.close();
      }),
    );
    expect(reports).toEqual([]);
  });

  test.each(["connectionMade", "dataReceived", "connectionLost"])(
    "a protocol that throws in %s is reported once",
    async (name) => {
      const { reports } = await run(({ loop }) =>
        leavingNothing(async () => {
          const server = await host((socket) => {
            socket.end("data");
            socket.resume();
          });
          const [transport] = await soon(
            loop.createConnection(() => Object.assign(new Echo(), { [name]: fail }), "127.0.0.1", portOf(server)),
          );
          await until(() => transport.isClosing());
          server.close();
        }),
      );
      expect(mistakes(reports)).toBe(1);
    },
  );
});

describe("under TLS", () => {
  async function secureDial(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const socket = tls.connect({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      servername: "localhost",
      ...options,
    });
    socket.on("error", () => {});
    await eventually(Promise.race([once(socket, "secureConnect").catch(() => null), closing(socket)]));
    return socket;
  }

  async function securePing(port: number): Promise<string> {
    const socket = await secureDial(port);
    socket.end("ping");
    return await everything(socket);
  }

  const callbacks: [string, object][] = [
    ["SNICallback", { SNICallback: fail }],
    ["ALPNCallback", { ALPNCallback: fail }],
    [
      "SNICallback, later and with an error",
      {
        SNICallback: (_name: string, done: (error: Error) => void) =>
          void setImmediate(() => done(new Mistake("later"))),
      },
    ],
    [
      "SNICallback, with nonsense",
      { SNICallback: (_name: string, done: (e: null, context: unknown) => void) => done(null, 42) },
    ],
  ];

  test.each(callbacks)("a server goes on when its %s fails", async (_name, spoiled) => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        await using spoilt = await serverOf(loop, () => new Echo(), { ssl: { key, cert, ...spoiled } });
        await using server = await serverOf(loop, () => new Echo(), { ssl: { key, cert } });
        const victim = await secureDial(portOf(spoilt), { ALPNProtocols: ["h2"] });
        if (!victim.destroyed)
          await eventually(new Promise((resolve) => void victim.once("data", resolve).write("ping")));
        victim.destroy();
        expect(await securePing(portOf(server))).toBe("ping");
        await until(() => spoilt.statistics().connections === 0);
      }),
    );
  });

  test("a server whose SNICallback throws for one name serves the others", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const SNICallback = (name: string, done: (error: Error | null, context?: tls.SecureContext) => void): void => {
          if (name === "bad.example") fail();
          done(null, undefined);
        };
        await using server = await serverOf(loop, () => new Echo(), { ssl: { key, cert, SNICallback } });
        await everything(await secureDial(portOf(server), { servername: "bad.example" }));
        expect(await securePing(portOf(server))).toBe("ping");
      }),
    );
  });

  test("a checkServerIdentity that throws fails the connection, and nothing else", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        await using server = await serverOf(loop, () => new Echo(), { ssl: { key, cert } });
        const ssl = { ca: cert, checkServerIdentity: fail };
        const result = await outcome(
          asyncio.openConnection("127.0.0.1", portOf(server), { ssl, serverHostname: "localhost" }),
        );
        expect(result).toBeInstanceOf(Mistake);
        expect(await securePing(portOf(server))).toBe("ping");
      }),
    );
  });

  test("a protocol factory that throws is reported once, and the next client is served", async () => {
    const { reports } = await run(({ loop }) =>
      leavingNothing(async () => {
        await using server = await serverOf(loop, fail, { ssl: { key, cert } });
        await everything(await secureDial(portOf(server)));
        expect(await securePing(portOf(server))).toBe("ping");
      }),
    );
    expect(mistakes(reports)).toBe(1);
  });

  test.each(events)(
    "a protocol that throws in %s is reported once, and the next client is served",
    async (_name, spoil) => {
      const { reports } = await run(({ loop }) =>
        leavingNothing(async () => {
          await using server = await serverOf(loop, () => spoil(new Echo()), { ssl: { key, cert } });
          const victim = await secureDial(portOf(server));
          victim.end("data");
          await everything(victim);
          expect(await securePing(portOf(server))).toBe("ping");
        }),
      );
      expect(mistakes(reports)).toBe(1);
    },
  );

  test("options that TLS refuses leave no connection behind", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => {
          socket.resume().on("end", () => socket.end());
        });
        const refused = { ssl: { key: "no key at all", cert }, serverHostname: "localhost" };
        expect(await outcome(asyncio.openConnection("127.0.0.1", portOf(server), refused))).toBeInstanceOf(Error);
        const times = ["sslHandshakeTimeout", "sslShutdownTimeout"];
        for (const name of times) {
          const options = { ssl: true, serverHostname: "localhost", [name]: Number.NaN };
          expect(await outcome(asyncio.openConnection("127.0.0.1", portOf(server), options))).toBeInstanceOf(
            RangeError,
          );
        }
        // The server has closed when the last of its connections has ended.
        await new Promise((resolve) => server.close(resolve));
      }),
    );
  });

  test.each(["sslHandshakeTimeout", "sslShutdownTimeout"])(
    "a server refuses an %s that is none, before a client comes",
    async (name) => {
      await run(async ({ loop }) => {
        const options = { ssl: { key, cert }, [name]: Number.NaN };
        const result = await outcome(loop.createServer(() => new Echo(), "127.0.0.1", 0, options));
        if (result instanceof asyncio.Server) result.close();
        expect(result).toBeInstanceOf(RangeError);
      });
    },
  );
});
