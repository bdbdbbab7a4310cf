/** Streams ask the running loop: the same program over sockets, over memory, and on a loop that has no network. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { MemoryLoop } from "./memory-loop.ts";
import { run, textOf } from "./support.ts";

const { createTask, sleep } = asyncio;

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) {
    writer.write(line);
    await writer.drain();
  }
  writer.close();
}

/** A client and a server, which know nothing of the loop they run on. */
async function conversation(host: string, port: number): Promise<string[]> {
  await using server = await asyncio.startServer(echo, host, port);
  const [reader, writer] = await asyncio.openConnection(host, server.port ?? port);
  const answers: string[] = [];
  for (const question of ["one\n", "two\n"]) {
    writer.write(question);
    answers.push(textOf(await reader.readline()));
  }
  writer.close();
  await writer.waitClosed();
  return answers;
}

function onMemory<T>(loop: MemoryLoop, main: () => Promise<T>): Promise<T> {
  return asyncio.run(main, { loopFactory: () => loop });
}

test("openConnection() and startServer() run one program over sockets and over memory", async () => {
  const overMemory = await onMemory(new MemoryLoop(), () => conversation("echo.example", 7));
  const overSockets = await asyncio.run(() => conversation("127.0.0.1", 0));
  expect(overMemory).toEqual(["one\n", "two\n"]);
  expect(overSockets).toEqual(overMemory);
});

test("openConnection() over memory is on the virtual clock: a way of an hour takes no time", async () => {
  const loop = new MemoryLoop({ latency: { hours: 1 } });
  await onMemory(loop, () => conversation("mars.example", 7));
  // One way to connect, there and back for each line, and the client's end.
  expect(loop.time()).toBe(6 * 3600);
});

test("openConnection() fails with the error of the loop's createConnection", async () => {
  await onMemory(new MemoryLoop(), async () => {
    const connecting = Promise.resolve(asyncio.openConnection("nowhere.example", 7));
    await expect(connecting).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

test("openConnection() cancelled cancels the loop's createConnection", async () => {
  const loop = new MemoryLoop({ latency: 10 });
  await onMemory(loop, async () => {
    const connecting = createTask(asyncio.openConnection("far.example", 7));
    await sleep(1);
    connecting.cancel();
    await expect(Promise.resolve(connecting)).rejects.toBeInstanceOf(asyncio.CancelledError);
    expect(loop.time()).toBe(1);
  });
});

test("startServer() gives its options to the loop's createServer", async () => {
  await onMemory(new MemoryLoop(), async () => {
    const options = { maxConnections: 1, startServing: false };
    const server = await asyncio.startServer(echo, "echo.example", 7, options);
    expect(server.isServing()).toBe(false);
    await server.startServing();
    const [, first] = await asyncio.openConnection("echo.example", 7);
    const [reader, second] = await asyncio.openConnection("echo.example", 7);
    expect((await reader.read()).length).toBe(0);
    second.close();
    expect(server.statistics()).toEqual({ connections: 1, accepted: 1, refused: 1 });
    first.close();
    await server.shutdown();
  });
});

test("openConnection() and startServer() refuse a bad limit at the call", async () => {
  await onMemory(new MemoryLoop(), async () => {
    expect(() => asyncio.openConnection("echo.example", 7, { limit: 0 })).toThrow(RangeError);
    expect(() => asyncio.startServer(echo, "echo.example", 7, { limit: 0 })).toThrow(RangeError);
  });
});

test("a coroutine of openConnection() that is never awaited has not asked the loop", async () => {
  class Asked extends MemoryLoop {
    readonly asked: unknown[] = [];

    override createConnection(...args: Parameters<MemoryLoop["createConnection"]>): never {
      this.asked.push(args);
      throw new Error("not expected");
    }
  }
  const loop = new Asked();
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await onMemory(loop, async () => void asyncio.openConnection("echo.example", 7));
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
