/**
 * What must hold on every runtime that has a network and an operating system: Node.js, Bun and Deno.
 *
 * @module
 */

/** @type {import("./suite.mjs").Check[]} */
export const networkChecks = [
  {
    name: "network: lines over TCP, half-close, and the end of the server",
    async run({ asyncio }) {
      const answers = await asyncio.run(async () => {
        const server = await asyncio.startServer(echo, "127.0.0.1", 0);
        const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
        writer.write("one\ntwo\n");
        writer.writeEof();
        const all = String(await reader.read());
        writer.close();
        await writer.waitClosed();
        return [all, await server.shutdown({ grace: 1 }), server.statistics().accepted];
      });
      equal(answers, ["one\ntwo\n", 0, 1]);
    },
  },
  {
    name: "network: a megabyte there and back, with drain",
    async run({ asyncio }) {
      const size = 1_000_000;
      const received = await asyncio.run(async () => {
        const server = await asyncio.startServer(echo, "127.0.0.1", 0);
        const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
        const all = asyncio.createTask(async () => await reader.readexactly(size));
        for (let sent = 0; sent < size; sent += 10_000) {
          writer.write(new Uint8Array(10_000).fill(sent / 10_000));
          await writer.drain();
        }
        const bytes = await all;
        writer.close();
        await server.shutdown({ grace: 1 });
        return [bytes.length, bytes[0], bytes[size - 1]];
      });
      equal(received, [size, 0, 99]);
    },
  },
  {
    name: "network: a cancelled read, and a connection that is refused",
    async run({ asyncio }) {
      const outcomes = await asyncio.run(async () => {
        const server = await asyncio.startServer(echo, "127.0.0.1", 0);
        const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
        const late = await errorOf(asyncio.timeout(0.01, async () => await reader.readline()));
        writer.write("still here\n");
        const line = String(await reader.readline());
        writer.close();
        const { port } = server;
        await server.shutdown({ grace: 1 });
        const refused = await errorOf(asyncio.openConnection("127.0.0.1", port));
        return [late.name, line, refused.code];
      });
      equal(outcomes, ["TimeoutError", "still here\n", "ECONNREFUSED"]);
    },
  },
  {
    name: "subprocess: input, merged output in order, exit code",
    async run({ asyncio }) {
      const { PIPE, STDOUT } = asyncio;
      const outcome = await asyncio.run(async () => {
        const script = "echo out; echo error >&2; cat; exit 3";
        const child = await asyncio.createSubprocessExec("sh", ["-c", script], {
          stdin: PIPE,
          stdout: PIPE,
          stderr: STDOUT,
        });
        const { stdout } = await child.communicate("input\n");
        return [String(stdout), child.returncode];
      });
      equal(outcome, ["out\nerror\ninput\n", 3]);
    },
  },
  {
    name: "datagrams, and a signal",
    async run({ asyncio }) {
      const outcome = await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        const received = loop.createFuture();
        const receiver = { datagramReceived: (data) => received.setResult(String(data)) };
        const [there] = await loop.createDatagramEndpoint(() => receiver, { localAddr: { host: "127.0.0.1" } });
        const [here] = await loop.createDatagramEndpoint(() => ({}), { remoteAddr: there.getExtraInfo("sockname") });
        here.sendto("datagram");
        const text = await received;
        here.close();
        there.close();
        const signalled = loop.createFuture();
        loop.addSignalHandler("SIGUSR2", () => signalled.setResult("signalled"));
        process.kill(process.pid, "SIGUSR2");
        return [text, await signalled];
      });
      equal(outcome, ["datagram", "signalled"]);
    },
  },
];

async function echo(reader, writer) {
  for (let data = await reader.read(65_536); data.length > 0; data = await reader.read(65_536)) {
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

async function errorOf(work) {
  try {
    await work;
    return {};
  } catch (error) {
    return error;
  }
}

function equal(actual, expected) {
  const [received, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (received !== wanted) throw new Error(`expected ${wanted}\nreceived ${received}`);
}
