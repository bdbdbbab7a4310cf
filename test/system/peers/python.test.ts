/** Python's asyncio as a client of our servers, and as a server of our clients. */

import * as asyncio from "asyncio-ts";
import { describe, expect } from "vitest";
import { authority, server as identity, stranger } from "./certificates.ts";
import { testWith } from "./programs.ts";
import { connectToPython, startOurServer, startPythonClient, startPythonServer, WAYS } from "./python.ts";
import { echoLines, manyBytes, portOf, quietly, sha256 } from "./world.ts";

const test = testWith("python");

const MEGABYTE = 1024 * 1024;
const ours = manyBytes(MEGABYTE);

/** Sends a megabyte of its own and receives ours at the same time. */
const EXCHANGE = String.raw`
async def exchange(reader, writer):
    mine = os.urandom(MEGABYTE)
    async def send():
        for start in range(0, MEGABYTE, 100_000):
            writer.write(mine[start:start + 100_000])
            await writer.drain()
    _, theirs = await asyncio.gather(send(), reader.readexactly(MEGABYTE))
    say("SENT", digest(mine), "GOT", digest(theirs))
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
`;

/** Our side of it: the checksum of what came. */
async function exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<string> {
  const send = async (): Promise<void> => {
    for (let start = 0; start < MEGABYTE; start += 100_000) {
      writer.write(ours.subarray(start, start + 100_000));
      await writer.drain();
    }
  };
  const [theirs] = await asyncio.gather([reader.readexactly(MEGABYTE), send()]);
  writer.close();
  await writer.waitClosed();
  return sha256(theirs);
}

/** Talks to a server of echoes: lines, and goodbye when it has ended its side, if it can. */
const TALK = String.raw`
async def main():
    reader, writer = await connect()
    for line in [b"first\n", b"second\n"]:
        writer.write(line)
        assert await reader.readline() == line
    if writer.can_write_eof():
        writer.write_eof()
        assert await reader.read() == b"goodbye\n"
    writer.close()
    await writer.wait_closed()
    say("DONE")
asyncio.run(main())
`;

describe.each(WAYS)("a client of Python's asyncio over %s", (way) => {
  test("talks to our server line by line, and ends its side first", async () => {
    await quietly(async () => {
      const { server, address } = await startOurServer(way, echoLines);
      await using _ = server;
      const { code, stdout, stderr } = await startPythonClient(TALK, way, address).ended;
      expect([code, String(stdout), stderr]).toEqual([0, "DONE\n", ""]);
    });
  });

  test("exchanges a megabyte with our server, both ways at once", async () => {
    await quietly(async () => {
      const received = asyncio.getRunningLoop().createFuture<string>();
      const { server, address } = await startOurServer(way, async (reader, writer) => {
        received.setResult(await exchange(reader, writer));
      });
      await using _ = server;
      const program = `${EXCHANGE}\nasync def main():\n    await exchange(*await connect())\nasyncio.run(main())`;
      const { code, stdout, stderr } = await startPythonClient(program, way, address).ended;
      expect([code, stderr]).toEqual([0, ""]);
      expect(String(stdout)).toBe(`SENT ${await received} GOT ${sha256(ours)}\n`);
    });
  });
});

describe.each(WAYS)("a server of Python's asyncio over %s", (way) => {
  test("talks to our client line by line", async () => {
    await quietly(async () => {
      const program = String.raw`
async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    if writer.can_write_eof():
        writer.write(b"goodbye\n")
    writer.close()
    await writer.wait_closed()
asyncio.run(serve(echo))
`;
      const { child, address } = await startPythonServer(program, way);
      const [reader, writer] = await connectToPython(way, address);
      for (const line of ["first\n", "second\n"]) {
        writer.write(line);
        expect(String(await reader.readline())).toBe(line);
      }
      expect(writer.canWriteEof()).toBe(!way.endsWith("TLS"));
      if (writer.canWriteEof()) {
        writer.writeEof();
        expect(String(await reader.read())).toBe("goodbye\n");
      }
      writer.close();
      await writer.waitClosed();
      const { code, stderr } = await child.ended;
      expect([code, stderr]).toEqual([0, ""]);
    });
  });

  test("exchanges a megabyte with our client, both ways at once", async () => {
    await quietly(async () => {
      const { child, address } = await startPythonServer(`${EXCHANGE}\nasyncio.run(serve(exchange))`, way);
      const received = await exchange(...(await connectToPython(way, address)));
      const { code, stdout, stderr } = await child.ended;
      expect([code, stderr]).toEqual([0, ""]);
      expect(String(stdout)).toContain(`SENT ${received} GOT ${sha256(ours)}\n`);
    });
  });

  // Under TLS nobody can end one side alone.
  if (way.endsWith("TLS")) return;

  test("ends its side first, and our client still sends", async () => {
    await quietly(async () => {
      const program = String.raw`
async def listen(reader, writer):
    writer.write(b"that is all\n")
    writer.write_eof()
    say("GOT", await reader.read())
    writer.close()
asyncio.run(serve(listen))
`;
      const { child, address } = await startPythonServer(program, way);
      const [reader, writer] = await connectToPython(way, address);
      expect(String(await reader.read())).toBe("that is all\n");
      writer.write("but I have ");
      await writer.drain();
      writer.write("more to say\n");
      writer.close();
      await writer.waitClosed();
      await child.says(/GOT b'but I have more to say\\n'/);
      expect((await child.ended).code).toBe(0);
    });
  });
});

describe("STARTTLS with Python's asyncio", () => {
  test("a StreamWriter of Python's goes on under TLS with our server", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(upgradeAndEcho, "127.0.0.1", 0);
      const program = String.raw`
async def main():
    reader, writer = await connect()
    writer.write(b"STARTTLS\n")
    assert await reader.readline() == b"go ahead\n"
    await writer.start_tls(client_context(), server_hostname="localhost")
    writer.write(b"secret\n")
    assert await reader.readline() == b"secret\n"
    say(writer.get_extra_info("cipher")[1])
    writer.close()
    await writer.wait_closed()
asyncio.run(main())
`;
      const { code, stdout, stderr } = await startPythonClient(program, "TCP", portOf(server)).ended;
      expect([code, String(stdout), stderr]).toEqual([0, "TLSv1.3\n", ""]);
    });
  });

  test("loop.start_tls of Python's goes on under TLS with our server", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(upgradeAndEcho, "127.0.0.1", 0);
      const program = String.raw`
class Plain(asyncio.Protocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()
    def data_received(self, data):
        self.answer.set_result(data)

class Secure(Plain):
    pass

async def main():
    loop = asyncio.get_running_loop()
    transport, plain = await loop.create_connection(Plain, "127.0.0.1", int(address))
    transport.write(b"STARTTLS\n")
    assert await plain.answer == b"go ahead\n"
    secure = Secure()
    transport = await loop.start_tls(transport, secure, client_context(), server_hostname="localhost")
    transport.write(b"secret\n")
    assert await secure.answer == b"secret\n"
    transport.close()
    say("DONE")
asyncio.run(main())
`;
      const { code, stdout, stderr } = await startPythonClient(program, "TCP", portOf(server)).ended;
      expect([code, String(stdout), stderr]).toEqual([0, "DONE\n", ""]);
    });
  });

  test("a writer of ours goes on under TLS with a server of Python's, and a megabyte follows", async () => {
    await quietly(async () => {
      const program = String.raw`
${EXCHANGE}
async def upgrade(reader, writer):
    assert await reader.readline() == b"STARTTLS\n"
    writer.write(b"go ahead\n")
    await writer.start_tls(server_context())
    await exchange(reader, writer)
asyncio.run(serve(upgrade))
`;
      const { child, address } = await startPythonServer(program, "TCP");
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", address);
      writer.write("STARTTLS\n");
      expect(String(await reader.readline())).toBe("go ahead\n");
      await writer.startTls({ ca: authority }, { serverHostname: "localhost" });
      const received = await exchange(reader, writer);
      const { code, stdout, stderr } = await child.ended;
      expect([code, stderr]).toEqual([0, ""]);
      expect(String(stdout)).toContain(`SENT ${received} GOT ${sha256(ours)}\n`);
    });
  });

  test("a loop.startTls of ours goes on under TLS with a server of Python's", async () => {
    await quietly(async () => {
      const program = String.raw`
async def upgrade(reader, writer):
    await writer.start_tls(server_context())
    writer.write(await reader.readline())
    writer.close()
    await writer.wait_closed()
asyncio.run(serve(upgrade))
`;
      const { child, address } = await startPythonServer(program, "TCP");
      const loop = asyncio.getRunningLoop();
      const [transport] = await loop.createConnection(() => ({}), "127.0.0.1", address);
      const answer = loop.createFuture<string>();
      const lost = loop.createFuture<unknown>();
      const secure: asyncio.Protocol = {
        dataReceived: (data) => answer.setResult(String(data)),
        connectionLost: (error) => lost.setResult(error),
      };
      transport.setProtocol(secure);
      const upgraded = await loop.startTls(transport, secure, { ca: authority }, { serverHostname: "localhost" });
      upgraded.write("secret\n");
      expect(await answer).toBe("secret\n");
      expect(await lost).toBe(null);
      expect((await child.ended).code).toBe(0);
    });
  });

  test("a server of Python's with a certificate for another name is refused", async () => {
    await quietly(async () => {
      const program = String.raw`
async def upgrade(reader, writer):
    try:
        await writer.start_tls(server_context())
        await reader.read()
    except OSError as error:
        pass
    say("REFUSED")
asyncio.run(serve(upgrade))
`;
      const { child, address } = await startPythonServer(program, "TCP");
      const [, writer] = await asyncio.openConnection("127.0.0.1", address);
      await expect(writer.startTls({ ca: authority }, { serverHostname: "example.org" })).rejects.toMatchObject({
        code: "ERR_TLS_CERT_ALTNAME_INVALID",
      });
      await child.says(/REFUSED/);
    });
  });

  test("a server of Python's must have a certificate for the host we connected to, if we give no name", async () => {
    await quietly(async () => {
      const program = String.raw`
async def upgrade(reader, writer):
    try:
        await writer.start_tls(server_context())
        await reader.read()
    except OSError as error:
        pass
    say("REFUSED")
asyncio.run(serve(upgrade))
`;
      // Its certificate is for the name localhost, and not for the address.
      const { address } = await startPythonServer(program, "TCP", "stranger");
      const [, writer] = await asyncio.openConnection("127.0.0.1", address);
      await expect(writer.startTls({ ca: stranger.cert })).rejects.toMatchObject({
        code: "ERR_TLS_CERT_ALTNAME_INVALID",
      });
      writer.close();
    });
  });
});

/** Echoes lines under TLS, after a client has asked for it. */
async function upgradeAndEcho(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  expect(String(await reader.readline())).toBe("STARTTLS\n");
  writer.write("go ahead\n");
  await writer.startTls(identity);
  await echoLines(reader, writer);
}
