/**
 * Peers that break off, say nothing, or talk nonsense: whoever waits hears of it, nothing hangs, and the server goes on.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { describe, expect, onTestFinished } from "vitest";
import { authority, server as identity } from "./certificates.ts";
import type { Child } from "./child.ts";
import { testWith } from "./programs.ts";
import type { Way } from "./python.ts";
import { connectToPython, startOurServer, startPythonClient, startPythonServer } from "./python.ts";
import { echoLines, errorOf, manyBytes, portOf, quietly, sha256, stillEchoes } from "./world.ts";

const test = testWith("python");

/**
 * Sockets without asyncio, to do what asyncio would not. `input()` waits for the test, `connected()` is a socket of the
 * way wanted, at either end.
 */
const RAW = String.raw`
def dial():
    return socket.create_connection(("127.0.0.1", int(address)))

def accept():
    listener = socket.create_server(("127.0.0.1", 0))
    say("SERVING", listener.getsockname()[1])
    return listener.accept()[0]

def connected():
    if address:
        return client_context().wrap_socket(dial(), server_hostname="localhost") if way == "TLS" else dial()
    return server_context().wrap_socket(accept(), server_side=True) if way == "TLS" else accept()

def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()

def read_to_end(sock):
    """How the connection ended for this side, whatever way it was."""
    received = bytearray()
    try:
        while chunk := sock.recv(65536):
            received += chunk
    except OSError as error:
        return bytes(received), type(error).__name__
    return bytes(received), "EOF"
`;

/** The beginning of a ClientHello, as an expression of Python's. */
const HALF_A_HELLO = `bytes.fromhex("16030100c8010000c40303")`;

const BOTH = ["TCP", "TLS"] as const satisfies Way[];

/** What the system, or TLS, says of a connection that is gone. */
const GONE = /^(ECONNRESET|EPIPE)$/;

type Service = (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => Promise<void>;

/**
 * Our end of a connection to `program`, as a server or as a client: `service` is run to its end, and after that a server
 * must still serve others.
 */
async function withPeer(
  side: "server" | "client",
  way: Way,
  program: string,
  service: (child: Child) => Service,
  limit?: number,
): Promise<void> {
  if (side === "client") {
    const { child, address } = await startPythonServer(`${RAW}\n${program}`, way);
    await service(child)(...(await connectToPython(way, address, limit)));
    return;
  }
  const done = asyncio.getRunningLoop().createFuture();
  let serve: Service | null = null;
  const callback: Service = async (reader, writer) => {
    if (serve === null) return await echoLines(reader, writer);
    const first = serve;
    serve = null;
    try {
      await first(reader, writer);
      done.setResult();
    } catch (error) {
      done.setException(error);
    }
  };
  const { server, address } = await startOurServer(way, callback, limit);
  await using _ = server;
  const child = startPythonClient(`${RAW}\n${program}`, way, address);
  serve = service(child);
  await done;
  expect(await stillEchoes(Number(address), way === "TLS" ? { ssl: { ca: authority } } : {})).toBe(true);
  server.close();
  await server.waitClosed();
}

describe.each(BOTH.flatMap((way) => [["server", way] as const, ["client", way] as const]))(
  "our %s over %s",
  (side, way) => {
    test("whose peer resets the connection: a read raises ECONNRESET, and so do drain and waitClosed", async () => {
      await quietly(async () => {
        const program = `sock = connected()\nsock.sendall(b"hello\\n")\nsock.recv(10)\nreset(sock)`;
        await withPeer(side, way, program, () => async (reader, writer) => {
          expect(String(await reader.readline())).toBe("hello\n");
          writer.write("x");
          expect((await errorOf(() => reader.readline())).code).toBe("ECONNRESET");
          expect((await errorOf(() => writer.drain())).code).toBe("ECONNRESET");
          expect((await errorOf(() => writer.waitClosed())).code).toBe("ECONNRESET");
          // Whoever writes on does no harm.
          writer.write("is anybody there?");
          expect(writer.isClosing()).toBe(true);
          writer.close();
        });
      });
    });

    test("whose peer connects and is gone in good order: the stream ends", async () => {
      await quietly(async () => {
        const program = `sock = connected()\nsock.unwrap() if way == "TLS" else sock.close()`;
        await withPeer(side, way, program, () => async (reader, writer) => {
          expect(String(await reader.read())).toBe("");
          writer.close();
          await writer.waitClosed();
        });
      });
    });

    test("whose peer connects and is gone, its input unread: the stream ends, or the system says more", async () => {
      await quietly(async () => {
        await withPeer(side, way, `connected().close()`, () => async (reader, writer) => {
          expect(await endOf(reader)).toMatch(/^(EOF|ECONNRESET|EPIPE)$/);
          writer.close();
        });
      });
    });

    test("whose peer is killed while we send: drain raises what the system says", async () => {
      await quietly(async () => {
        const program = `sock = connected()\nsock.recv(10)\nsay("READING")\ninput()`;
        await withPeer(side, way, program, (child) => async (_reader, writer) => {
          const error = await errorOf(async () => {
            const killing = asyncio.createTask(async () => {
              await child.says(/READING/);
              child.kill();
            });
            for (;;) {
              writer.write(Buffer.alloc(100_000));
              await writer.drain();
              if (killing.done()) await asyncio.sleep(0);
            }
          });
          expect(error.code).toMatch(GONE);
          expect((await errorOf(() => writer.waitClosed())).code).toMatch(GONE);
        });
      });
    });

    test("whose peer is killed while it sends: what came is read, and then the stream ends", async () => {
      await quietly(async () => {
        const program = `sock = connected()\nsock.recv(3)\nsock.sendall(b"x" * 1000)\nsay("SENT")\ninput()`;
        await withPeer(side, way, program, (child) => async (reader, writer) => {
          writer.write("go\n");
          expect((await reader.readexactly(1000)).length).toBe(1000);
          const rest = asyncio.createTask(reader.readexactly(1000));
          child.kill();
          const error = await errorOf(() => rest);
          expect(error).toBeInstanceOf(asyncio.IncompleteReadError);
          writer.close();
          await writer.waitClosed();
        });
      });
    });

    for (const [how, farewell] of [
      ["in good order", `sock.unwrap().close() if way == "TLS" else sock.close()`],
      ["without a goodbye", `sock.close()`],
    ]) {
      for (const size of [60_000, 300_000, 5_000_000]) {
        test(`whose peer sends ${size} bytes and is gone ${how}: a slow reader with a small limit misses none`, async () => {
          await quietly(async () => {
            const program = `
sock = connected()
sock.recv(3)
data = os.urandom(${size})
sock.sendall(data)
say("SENT", digest(data))
${farewell}`;
            const service =
              (child: Child): Service =>
              async (reader, writer) => {
                writer.write("go\n");
                // A reader that comes late finds everything still there, as far as it could be sent.
                if (size < 100_000) await child.says(/SENT/);
                const received = await readSlowly(reader);
                writer.close();
                await writer.waitClosed();
                const [, sent] = await child.says(/SENT (\w+)/);
                expect([received.length, sha256(received)]).toEqual([size, sent]);
              };
            await withPeer(side, way, program, service, 1000);
          });
        });
      }
    }

    test("whose peer reads nothing for a long time: the writer waits, what waits to be sent stays small, and all arrives", async () => {
      await quietly(async () => {
        const program = `
sock = connected()
input()
received, how = read_to_end(sock)
say("GOT", len(received), digest(received), how)`;
        const data = manyBytes(10_000_000);
        await withPeer(side, way, program, (child) => async (_reader, writer) => {
          let isPaused = false;
          let highest = 0;
          for (let start = 0; start < data.length; start += 50_000) {
            writer.write(data.subarray(start, start + 50_000));
            highest = Math.max(highest, writer.transport.getWriteBufferSize());
            const draining = asyncio.createTask(writer.drain());
            await asyncio.sleep(0);
            await asyncio.sleep(0);
            if (!isPaused && !draining.done()) {
              isPaused = true;
              child.write("read now\n");
            }
            await draining;
          }
          writer.close();
          await writer.waitClosed();
          expect(isPaused).toBe(true);
          expect(highest).toBeLessThanOrEqual(writer.transport.getWriteBufferLimits().high + 50_000);
          const [, length, sum, how] = await child.says(/GOT (\d+) (\w+) (\w+)/);
          expect([Number(length), sum, how]).toEqual([data.length, sha256(data), "EOF"]);
        });
      });
    });
  },
);

describe.each(["server", "client"] as const)("our %s under TLS", (side) => {
  test("whose peer closes without a goodbye: what came is read, and then the stream ends", async () => {
    await quietly(async () => {
      const program = `sock = connected()\nsock.recv(3)\nsock.sendall(b"almost al")\nsock.close()\nsay("CLOSED")`;
      await withPeer(side, "TLS", program, () => async (reader, writer) => {
        writer.write("go\n");
        expect(String(await reader.read())).toBe("almost al");
        writer.close();
        await writer.waitClosed();
      });
    });
  });

  test("whose peer says goodbye and stays: the connection ends without it", async () => {
    await quietly(async () => {
      const program = `
sock = connected()
sock.recv(3)
sock.sendall(b"bye")
raw = sock.unwrap()
say("ENDED", *read_to_end(raw))`;
      await withPeer(side, "TLS", program, (child) => async (reader, writer) => {
        writer.write("go\n");
        expect(String(await reader.read())).toBe("bye");
        writer.close();
        await writer.waitClosed();
        await child.says(/ENDED b'' EOF/);
      });
    });
  });

  test("whose peer says goodbye, stays and reads nothing while we send: drain raises", async () => {
    await quietly(async () => {
      const warnings = keepWarnings();
      const program = `
sock = connected()
sock.recv(10)
sock.settimeout(0.0)
try:
    sock.unwrap()
except OSError as error:
    say("GOODBYE", type(error).__name__)
input()`;
      await withImpatience(side, program, async (_reader, writer) => {
        const error = await errorOf(async () => {
          for (;;) {
            writer.write(Buffer.alloc(1_000_000));
            await writer.drain();
          }
        });
        expect(error).toBeInstanceOf(Error);
        // A writer that asks after every write is not busy all the time that the connection takes to end.
        expect(warnings.length).toBeLessThan(1000);
      });
    });
  });

  test("whose peer reads nothing when we close with much to send: waitClosed raises after sslShutdownTimeout", async () => {
    await quietly(async () => {
      const program = `sock = connected()\nsock.recv(3)\nsay("CONNECTED")\ninput()`;
      await withImpatience(side, program, async (_reader, writer) => {
        writer.write(Buffer.alloc(20_000_000));
        writer.close();
        expect(await errorOf(() => writer.waitClosed())).toBeInstanceOf(asyncio.TimeoutError);
      });
    });
  });

  test("whose peer does not answer our goodbye: waitClosed raises TimeoutError after sslShutdownTimeout", async () => {
    await quietly(async () => {
      const program = `sock = connected()\nsock.recv(3)\nsay("CONNECTED")\ninput()`;
      await withImpatience(side, program, async (_reader, writer) => {
        writer.write("go\n");
        writer.close();
        const error = await errorOf(() => writer.waitClosed());
        expect(error).toBeInstanceOf(asyncio.TimeoutError);
        expect(error.message).toBe("SSL shutdown timed out");
      });
    });
  });

  test("whose peer sends what is no TLS in the middle of it: the reader hears of it", async () => {
    await quietly(async () => {
      const program = `
sock = connected()
sock.recv(3)
os.write(sock.fileno(), b"this is no record of TLS\\n")
say("ENDED", read_to_end(socket.socket(fileno=sock.detach()))[1])`;
      await withPeer(side, "TLS", program, (child) => async (reader, writer) => {
        writer.write("go\n");
        const error = await errorOf(() => reader.read());
        expect(error.code).toMatch(/^ERR_SSL_/);
        expect((await errorOf(() => writer.waitClosed())).code).toBe(error.code);
        await child.says(/ENDED/);
      });
    });
  });
});

/** {@link withPeer} under TLS, with a short time for its end; nobody looks whether the server goes on. */
async function withImpatience(side: "server" | "client", program: string, service: Service): Promise<void> {
  const options = { sslShutdownTimeout: 0.3 };
  if (side === "client") {
    const { address } = await startPythonServer(`${RAW}\n${program}`, "TLS");
    await service(...(await asyncio.openConnection("127.0.0.1", address, { ssl: { ca: authority }, ...options })));
    return;
  }
  const done = asyncio.getRunningLoop().createFuture();
  const callback: Service = async (reader, writer) => {
    try {
      await service(reader, writer);
      done.setResult();
    } catch (error) {
      done.setException(error);
    }
  };
  await using server = await asyncio.startServer(callback, "127.0.0.1", 0, { ssl: identity, ...options });
  startPythonClient(`${RAW}\n${program}`, "TLS", portOf(server));
  await done;
}

/** The warnings of the library, from now to the end of the test. */
function keepWarnings(): string[] {
  const warnings: string[] = [];
  const drop = (): void => {};
  asyncio.setLogger({ debug: drop, info: drop, warning: (text) => void warnings.push(text), error: drop });
  onTestFinished(() => asyncio.setLogger(null));
  return warnings;
}

/** How a stream without bytes ends: `EOF`, or what the system says. */
async function endOf(reader: asyncio.StreamReader): Promise<string | undefined> {
  try {
    return (await reader.read()).length === 0 ? "EOF" : "bytes";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Reads all that comes, little by little. */
async function readSlowly(reader: asyncio.StreamReader): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await reader.read(1000); chunk.length > 0; chunk = await reader.read(1000)) {
    chunks.push(chunk);
    await asyncio.sleep(0);
  }
  return Buffer.concat(chunks);
}

/** What a client sends instead of a handshake, and how it goes on. */
const NO_HANDSHAKES: readonly (readonly [what: string, program: string])[] = [
  ["plain text", `sock.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")`],
  ["plain text by the megabyte", `try:\n    sock.sendall(b"spam " * 200_000)\nexcept OSError: pass`],
  ["zeros", `sock.sendall(bytes(1000))`],
  ["nothing, and ends its side", `sock.shutdown(socket.SHUT_WR)`],
  ["half a hello, and ends its side", `sock.sendall(${HALF_A_HELLO})\nsock.shutdown(socket.SHUT_WR)`],
];

/** What only a clock can end. */
const NEVER_HANDSHAKES: readonly (readonly [what: string, program: string])[] = [
  ["nothing, and stays", ``],
  ["half a hello, and stays", `sock.sendall(${HALF_A_HELLO})`],
];

describe("our server under TLS, and a client that sends", () => {
  const isSentAway = async (program: string, options: asyncio.SslTimeouts): Promise<void> => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl: identity, ...options });
      const whole = `${RAW}\nsock = dial()\n${program}\nsay("ENDED", read_to_end(sock)[1])`;
      await startPythonClient(whole, "TCP", portOf(server)).says(/ENDED \w+/);
      expect(server.statistics()).toMatchObject({ connections: 0, accepted: 0 });
      // On a busy machine an honest client may be late for a short `sslHandshakeTimeout`: it comes again.
      const echoes = (): Promise<boolean> => stillEchoes(portOf(server), { ssl: { ca: authority } }).catch(() => false);
      while (!(await echoes()));
    });
  };

  for (const [what, program] of NO_HANDSHAKES) {
    test(`${what}: it is sent away at once, no callback is called, and the server goes on`, async () => {
      await isSentAway(program, {});
    });
  }

  for (const [what, program] of NEVER_HANDSHAKES) {
    test(`${what}: it is sent away after sslHandshakeTimeout, no callback is called, and the server goes on`, async () => {
      await isSentAway(program, { sslHandshakeTimeout: 0.2 });
    });
  }

  test("half a hello, and resets: no callback is called, and the server goes on", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl: identity });
      const program = `sock = dial()\nsock.sendall(${HALF_A_HELLO})\nreset(sock)`;
      expect((await startPythonClient(`${RAW}\n${program}`, "TCP", portOf(server)).ended).code).toBe(0);
      expect(await stillEchoes(portOf(server), { ssl: { ca: authority } })).toBe(true);
      expect(server.statistics().accepted).toBe(1);
    });
  });

  test("its hello byte by byte: it is served as any other", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl: identity });
      const program = String.raw`
sock = dial()
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")

def flush():
    for byte in outgoing.read():
        sock.sendall(bytes([byte]))

def until(step):
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            flush()
            incoming.write(sock.recv(65536))
        finally:
            flush()

until(tls.do_handshake)
tls.write(b"slow\n")
flush()
say("GOT", until(lambda: tls.read(100)))
`;
      const child = startPythonClient(`${RAW}\n${program}`, "TCP", portOf(server));
      await child.says(/GOT b'slow\\n'/);
      expect((await child.ended).code).toBe(0);
    });
  });

  test("its handshake never: it counts as a connection, and maxConnections holds", async () => {
    await quietly(async () => {
      const options = { ssl: identity, maxConnections: 1 };
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, options);
      const program = `first, second = dial(), dial()\nsay("SECOND", *read_to_end(second))\ninput()`;
      const child = startPythonClient(`${RAW}\n${program}`, "TCP", portOf(server));
      await child.says(/SECOND b'' (EOF|ConnectionResetError)/);
      expect(server.statistics().refused).toBe(1);
      child.kill();
    });
  });

  test("its handshake never: a server that shuts down sends it away too", async () => {
    await quietly(async () => {
      const server = await asyncio.startServer(echoLinesOrNot, "127.0.0.1", 0, { ssl: identity });
      // What the second client hears of the server shows that the first was accepted before it.
      const program = `first = dial()\nsecond = connected()\nsecond.sendall(b"hello\\n")\nsecond.recv(6)\nsay("READY")\nsecond.close()\nsay("ENDED", read_to_end(first)[1])`;
      const child = startPythonClient(`${RAW}\n${program}`, "TLS", portOf(server));
      await child.says(/READY/);
      await server.shutdown({ grace: 0 });
      await child.says(/ENDED/);
    });
  });
});

describe("our client under TLS, and a server that sends", () => {
  test("plain text: openConnection raises what OpenSSL says of it", async () => {
    await quietly(async () => {
      const program = `sock = accept()\nsock.sendall(b"220 mail.example.org at your service\\r\\n")\nsay("ENDED", read_to_end(sock)[1])`;
      const { child, address } = await startPythonServer(`${RAW}\n${program}`, "TCP");
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", address, { ssl: { ca: authority } }));
      expect(error.code).toBe("ERR_SSL_WRONG_VERSION_NUMBER");
      await child.says(/ENDED/);
    });
  });

  test("nothing, and closes: openConnection raises at once", async () => {
    await quietly(async () => {
      const program = `sock = accept()\nsock.recv(10_000)\nsock.close()`;
      const { address } = await startPythonServer(`${RAW}\n${program}`, "TCP");
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", address, { ssl: { ca: authority } }));
      expect([error.name, error.code]).toSatisfy(
        ([name, code]: [string, string]) => name === "ConnectionAbortedError" || code === "ECONNRESET",
      );
    });
  });

  test("a reset: openConnection raises ECONNRESET", async () => {
    await quietly(async () => {
      const program = `sock = accept()\nsock.recv(10_000)\nreset(sock)`;
      const { address } = await startPythonServer(`${RAW}\n${program}`, "TCP");
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", address, { ssl: { ca: authority } }));
      expect(error.code).toBe("ECONNRESET");
    });
  });

  test("nothing, and stays: openConnection raises ConnectionAbortedError after sslHandshakeTimeout, and hangs up", async () => {
    await quietly(async () => {
      const { child, address } = await startPythonServer(`${RAW}\nsay("ENDED", read_to_end(accept())[1])`, "TCP");
      const options = { ssl: { ca: authority }, sslHandshakeTimeout: 0.1 };
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", address, options));
      expect(error).toBeInstanceOf(asyncio.ConnectionAbortedError);
      await child.says(/ENDED/);
    });
  });

  test("nothing, and we lose patience: a cancelled openConnection hangs up", async () => {
    await quietly(async () => {
      const program = `sock = accept()\nsay("HELLO", len(sock.recv(1)))\nsay("ENDED", read_to_end(sock)[1])`;
      const { child, address } = await startPythonServer(`${RAW}\n${program}`, "TCP");
      const connecting = asyncio.createTask(asyncio.openConnection("127.0.0.1", address, { ssl: { ca: authority } }));
      await child.says(/HELLO 1/);
      connecting.cancel();
      await expect(connecting).rejects.toBeInstanceOf(asyncio.CancelledError);
      await child.says(/ENDED/);
    });
  });
});

describe("STARTTLS and a peer that means no good", () => {
  test("puts a command before its hello: our server never reads it, under TLS or before", async () => {
    await quietly(async () => {
      const outcome = asyncio.getRunningLoop().createFuture<unknown>();
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.readline();
          writer.write("go ahead\n");
          try {
            await writer.startTls(identity);
            outcome.setResult(String(await reader.readline()));
          } catch (error) {
            outcome.setResult(error);
          }
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const program = `
sock = dial()
sock.sendall(b"STARTTLS\\nDELETE EVERYTHING\\n")
assert sock.recv(100) == b"go ahead\\n"
try:
    client_context().wrap_socket(sock, server_hostname="localhost")
except OSError as error:
    say("REFUSED")`;
      const child = startPythonClient(`${RAW}\n${program}`, "TCP", portOf(server));
      expect(await outcome).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });
      await child.says(/REFUSED/);
    });
  });

  test("goes away instead of its hello: startTls raises, and the connection is gone from the server", async () => {
    await quietly(async () => {
      const outcome = asyncio.getRunningLoop().createFuture<unknown>();
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.readline();
          outcome.setResult(await errorOf(() => writer.startTls(identity)));
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      startPythonClient(`${RAW}\nsock = dial()\nsock.sendall(b"STARTTLS\\n")\nsock.close()`, "TCP", portOf(server));
      expect(await outcome).toMatchObject({ name: expect.stringMatching(/^Connection(Reset|Aborted)Error$/) });
      server.close();
      await server.waitClosed();
    });
  });
});

describe("our server and clients that come and go", () => {
  test("two hundred that reset at once leave nothing behind", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLinesOrNot, "127.0.0.1", 0);
      const program = `for _ in range(200):\n    reset(dial())`;
      expect((await startPythonClient(`${RAW}\n${program}`, "TCP", portOf(server)).ended).code).toBe(0);
      expect(await stillEchoes(portOf(server))).toBe(true);
      server.close();
      await server.waitClosed();
      expect(server.statistics().connections).toBe(0);
    });
  });

  test("a hundred of TLS that say nothing, in good order or not, leave nothing behind", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLinesOrNot, "127.0.0.1", 0, { ssl: identity });
      const program = `
for number in range(100):
    sock = connected()
    if number % 3 == 0:
        sock.unwrap().close()
    elif number % 3 == 1:
        sock.close()
    else:
        reset(sock)`;
      expect((await startPythonClient(`${RAW}\n${program}`, "TLS", portOf(server)).ended).code).toBe(0);
      expect(await stillEchoes(portOf(server), { ssl: { ca: authority } })).toBe(true);
      server.close();
      await server.waitClosed();
      expect(server.statistics().connections).toBe(0);
    });
  });

  test("a hundred of TLS, killed together in the middle of their lines, leave nothing behind", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLinesOrNot, "127.0.0.1", 0, { ssl: identity });
      const program = `
socks = [connected() for _ in range(100)]
for sock in socks:
    sock.sendall(b"line\\nand half a l")
    sock.recv(5)
say("READY")
input()`;
      const child = startPythonClient(`${RAW}\n${program}`, "TLS", portOf(server));
      await child.says(/READY/);
      child.kill();
      server.close();
      await server.waitClosed();
      expect(server.statistics()).toMatchObject({ connections: 0, accepted: 100 });
    });
  });
});

/** Echoes until the client is gone, with or without a word. */
async function echoLinesOrNot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  try {
    await echoLines(reader, writer);
  } catch (error) {
    asyncio.rethrowIfCancelled(error);
    expect((error as NodeJS.ErrnoException).code).toMatch(GONE);
  } finally {
    writer.close();
  }
}
