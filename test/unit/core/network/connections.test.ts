/** Streams ask the running loop: the same program over sockets, over a simulated network, and on a loop that has none. */

import * as asyncio from "asyncio-ts";
import { asyncTest, SimulatedNetwork } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { run, textOf } from "./support.ts";

const { createTask, getRunningLoop, sleep } = asyncio;

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) {
    writer.write(line);
    await writer.drain();
  }
  writer.close();
}

/** A client, which knows nothing of the loop it runs on. */
async function ask(host: string, port: number): Promise<string[]> {
  const [reader, writer] = await asyncio.openConnection(host, port);
  const answers: string[] = [];
  for (const question of ["one\n", "two\n"]) {
    writer.write(question);
    answers.push(textOf(await reader.readline()));
  }
  writer.close();
  await writer.waitClosed();
  return answers;
}

/** A server with one client, on the same host. */
async function conversation(host: string, port: number): Promise<string[]> {
  await using server = await asyncio.startServer(echo, host, port);
  return await ask(host, server.port ?? port);
}

test(
  "openConnection() and startServer() run one program over sockets and over a simulated network",
  asyncTest(
    async () => {
      const simulated = await new SimulatedNetwork().host("echo").run(() => conversation("echo", 7));
      const overSockets = await conversation("127.0.0.1", 0);
      expect(simulated).toEqual(["one\n", "two\n"]);
      expect(overSockets).toEqual(simulated);
    },
    { loopFactory: asyncio.newEventLoop },
  ),
);

test(
  "openConnection() is on the clock of its loop: a way of a minute takes no time",
  asyncTest(async () => {
    const network = new SimulatedNetwork({ latency: { minutes: 1 } });
    network.host("mars").start(async () => void (await asyncio.startServer(echo, null, 7)));
    const taken = await network.host("earth").run(async () => {
      await ask("mars", 7);
      return getRunningLoop().time();
    });
    // There and back to connect, and for each line.
    expect(taken).toBe(6 * 60);
  }),
);

test(
  "openConnection() fails with the error of the loop's createConnection",
  asyncTest(async () => {
    const network = new SimulatedNetwork();
    network.host("nowhere").start(async () => {});
    await expect(network.host("client").run(() => ask("nowhere", 7))).rejects.toMatchObject({ code: "ECONNREFUSED" });
  }),
);

test(
  "openConnection() cancelled cancels the loop's createConnection",
  asyncTest(async () => {
    const network = new SimulatedNetwork({ latency: 10 });
    network.host("far");
    await network.host("client").run(async () => {
      const connecting = createTask(asyncio.openConnection("far", 7));
      await sleep(1);
      connecting.cancel();
      await expect(Promise.resolve(connecting)).rejects.toBeInstanceOf(asyncio.CancelledError);
      expect(getRunningLoop().time()).toBe(1);
    });
  }),
);

test(
  "startServer() gives its options to the loop's createServer",
  asyncTest(async () => {
    await new SimulatedNetwork().host("echo").run(async () => {
      const options = { maxConnections: 1, startServing: false };
      const server = await asyncio.startServer(echo, "echo", 7, options);
      expect(server.isServing()).toBe(false);
      await server.startServing();
      const [, first] = await asyncio.openConnection("echo", 7);
      const [reader, second] = await asyncio.openConnection("echo", 7);
      expect((await reader.read()).length).toBe(0);
      second.close();
      expect(server.statistics()).toEqual({ connections: 1, accepted: 1, refused: 1 });
      first.close();
      await server.shutdown();
    });
  }),
);

test(
  "openConnection() and startServer() refuse a bad limit at the call",
  asyncTest(async () => {
    await new SimulatedNetwork().host("echo").run(async () => {
      expect(() => asyncio.openConnection("echo", 7, { limit: 0 })).toThrow(RangeError);
      expect(() => asyncio.startServer(echo, "echo", 7, { limit: 0 })).toThrow(RangeError);
    });
  }),
);

test("a coroutine of openConnection() that is never awaited has not asked the loop", async () => {
  class Asked extends asyncio.EventLoop {
    readonly asked: unknown[] = [];

    override createConnection(...args: unknown[]): never {
      this.asked.push(args);
      throw new Error("not expected");
    }
  }
  const loop = new Asked();
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await asyncio.run(async () => void asyncio.openConnection("echo", 7), { loopFactory: () => loop });
  expect(loop.asked).toEqual([]);
  expect(reports.map(({ message }) => message)).toEqual([expect.stringContaining("openConnection")]);
});

test.each([
  ["openConnection", "createConnection", () => asyncio.openConnection("localhost", 7)],
  ["openUnixConnection", "createUnixConnection", () => asyncio.openUnixConnection("/tmp/socket")],
  ["startServer", "createServer", () => asyncio.startServer(echo, "localhost", 7)],
  ["startUnixServer", "createUnixServer", () => asyncio.startUnixServer(echo, "/tmp/socket")],
] as const)("%s() on a loop without %s() says which loop has it", async (caller, method, call) => {
  await run(async () => {
    const sentence = `${caller}() needs a loop that has ${method}(), and BaseEventLoop has none: run on a loop with`;
    expect(call).toThrow(sentence);
    expect(call).toThrow(asyncio.RuntimeError);
  });
});

test("createSubprocessExec() on a loop without subprocessExec() says which loop has it", async () => {
  await run(async () => {
    const starting = Promise.resolve(asyncio.createSubprocessExec("true"));
    await expect(starting).rejects.toThrow("createSubprocessExec() needs a loop that has subprocessExec()");
  });
});
