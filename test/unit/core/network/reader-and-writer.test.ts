/** StreamReader and StreamWriter: what they say of themselves, their limits and their errors, on the virtual clock. */

import * as asyncio from "asyncio-ts";
import { memoryStreams } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { bytesOf, connect, FakeChannel, run, settle, textOf } from "./support.ts";

const { createTask, StreamReader } = asyncio;

function readerOf(...chunks: readonly string[]): asyncio.StreamReader {
  const reader = new StreamReader();
  for (const chunk of chunks) reader.feedData(bytesOf(chunk));
  return reader;
}

async function errorOf(work: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was raised");
}

/** A reader and a writer over a channel of the test's. */
async function over(limit: number): Promise<{
  readonly channel: FakeChannel;
  readonly reader: asyncio.StreamReader;
  readonly writer: asyncio.StreamWriter;
}> {
  const reader = new StreamReader({ limit });
  const protocol = new asyncio.StreamReaderProtocol(reader);
  const { channel, transport } = connect({ protocol });
  await settle();
  return { channel, reader, writer: new asyncio.StreamWriter(transport, protocol, reader) };
}

describe("StreamReader", () => {
  test("pauses its transport above twice the limit, and resumes it at the limit, or when it waits", async () => {
    await run(async () => {
      const { channel, reader } = await over(4);
      channel.receive("12345678");
      await settle();
      expect(channel.calls).toEqual(["open"]);
      channel.receive("9");
      await settle();
      expect(channel.calls).toEqual(["open", "pause"]);
      expect(String(reader)).toContain("paused");
      await reader.read(4);
      expect(channel.calls).toEqual(["open", "pause"]);
      await reader.readexactly(1);
      expect(channel.calls).toEqual(["open", "pause", "resume"]);
      channel.receive("23456");
      await settle();
      expect(channel.calls).toEqual(["open", "pause", "resume", "pause"]);
      const reading = createTask(reader.readexactly(20));
      await settle();
      expect(channel.calls.at(-1)).toBe("resume");
      channel.receive("0123456789x");
      expect(textOf(await reading)).toHaveLength(20);
    });
  });

  test("readuntil takes what ends first of several separators", async () => {
    await run(async () => {
      const reader = readerOf("one--two-;three");
      expect(textOf(await reader.readuntil(["-;", "--", "e--"]))).toBe("one--");
      expect(textOf(await reader.readuntil(["-;", "--"]))).toBe("two-;");
      reader.feedEof();
      const error = await errorOf(reader.readuntil(";"));
      expect(error).toMatchObject({ expected: null });
      expect(textOf((error as asyncio.IncompleteReadError).partial)).toBe("three");
    });
  });

  test("readuntil refuses no separators, and empty ones", async () => {
    await run(async () => {
      expect(() => readerOf().readuntil([])).toThrow(RangeError);
      expect(() => readerOf().readuntil("")).toThrow(RangeError);
    });
  });

  test("readuntil above the limit leaves the bytes where they are", async () => {
    await run(async () => {
      const reader = new StreamReader({ limit: 4 });
      reader.feedData(bytesOf("12345;"));
      expect(await errorOf(reader.readuntil(";"))).toMatchObject({ consumed: 5 });
      expect(await errorOf(reader.readuntil("!"))).toMatchObject({ consumed: 6 });
      expect(textOf(await reader.read(100))).toBe("12345;");
    });
  });

  test("readline above the limit drops the line, and of an unfinished one everything", async () => {
    await run(async () => {
      const reader = new StreamReader({ limit: 4 });
      reader.feedData(bytesOf("12345\nok\n"));
      expect(await errorOf(reader.readline())).toBeInstanceOf(RangeError);
      expect(textOf(await reader.readline())).toBe("ok\n");
      reader.feedData(bytesOf("123456"));
      expect(await errorOf(reader.readline())).toBeInstanceOf(RangeError);
      expect(String(reader)).toBe("<StreamReader limit=4>");
    });
  });

  test("reads to the end, in blocks, and then nothing more", async () => {
    await run(async () => {
      const reader = readerOf("one ", "two");
      const reading = createTask(reader.read());
      await settle();
      reader.feedData(bytesOf(" three"));
      reader.feedEof();
      expect(textOf(await reading)).toBe("one two three");
      expect(await reader.read()).toHaveLength(0);
      expect(await reader.read(5)).toHaveLength(0);
      expect(reader.atEof()).toBe(true);
      expect(String(reader)).toBe("<StreamReader eof>");
      expect(() => reader.feedData(bytesOf("late"))).toThrow(asyncio.RuntimeError);
    });
  });

  test("an error is for who waits and for all who come after", async () => {
    await run(async () => {
      const reader = readerOf("bytes");
      const waiting = createTask(reader.readexactly(10));
      await settle();
      expect(String(reader)).toContain("waiter=");
      const failure = new Error("torn");
      reader.setException(failure);
      expect(reader.exception()).toBe(failure);
      const reads = [
        waiting,
        reader.read(),
        reader.read(1),
        reader.readline(),
        reader.readexactly(1),
        reader.readuntil(";"),
      ];
      for (const read of reads) expect(await errorOf(read)).toBe(failure);
      expect(String(reader)).toContain("exception=");
    });
  });

  test("has one transport", async () => {
    await run(async () => {
      const { reader, writer } = await over(4);
      expect(() => reader.setTransport(writer.transport as asyncio.Transport)).toThrow("Transport already set");
    });
  });

  test("refuses to read less than nothing exactly", async () => {
    await run(async () => {
      expect(() => readerOf().readexactly(-1)).toThrow(RangeError);
      expect(() => new StreamReader({ limit: 0 })).toThrow(RangeError);
    });
  });

  test("gives its lines to `for await`", async () => {
    await run(async () => {
      const reader = readerOf("one\ntwo");
      reader.feedEof();
      const lines: string[] = [];
      for await (const line of reader) lines.push(textOf(line));
      expect(lines).toEqual(["one\n", "two"]);
    });
  });

  test.each([0.5, NaN, Infinity])("a read of %d bytes is refused", async (size) => {
    await run(async () => {
      const reader = new asyncio.StreamReader();
      expect(() => reader.read(size)).toThrow(RangeError);
      expect(() => reader.readexactly(size)).toThrow(RangeError);
    });
  });
});

describe("StreamReader.read(n) that waited", () => {
  const syntaxes: readonly (readonly [string, (reader: asyncio.StreamReader) => asyncio.Task<string>])[] = [
    ["an async function", (reader) => createTask(async () => textOf(await reader.read(100)))],
    [
      "a generator function",
      (reader) =>
        createTask(function* () {
          return textOf(yield* reader.read(100));
        }),
    ],
    ["waitFor", (reader) => createTask(async () => textOf(await asyncio.waitFor(reader.read(100), 10)))],
  ];

  test.each(syntaxes)(
    "gives %s the bytes that came before an error, and the next read raises it",
    async (_name, read) => {
      await run(async () => {
        const reader = readerOf();
        const reading = read(reader);
        await settle();
        const failure = new Error("closed");
        reader.feedData(bytesOf("data"));
        reader.setException(failure);
        expect(await reading).toBe("data");
        expect(await errorOf(reader.read(100))).toBe(failure);
      });
    },
  );

  test.each(syntaxes)("gives %s nothing at an end that came before an error", async (_name, read) => {
    await run(async () => {
      const reader = readerOf();
      const reading = read(reader);
      await settle();
      reader.feedEof();
      reader.setException(new Error("closed"));
      expect(await reading).toBe("");
    });
  });

  test.each(syntaxes)("raises in %s what the transport throws when it is resumed", async (_name, read) => {
    await run(async () => {
      const reader = new StreamReader({ limit: 1 });
      const failure = new Error("cannot resume");
      const resumeReading = (): never => {
        throw failure;
      };
      reader.setTransport({ pauseReading: () => {}, resumeReading } as unknown as asyncio.ReadTransport);
      const reading = read(reader);
      await settle();
      reader.feedData(bytesOf("123"));
      expect(await errorOf(reading)).toBe(failure);
    });
  });
});

describe("StreamWriter", () => {
  test("drain waits between high and low, wherever it is called from", async () => {
    await run(async () => {
      const { channel, writer } = await over(100);
      writer.transport.setWriteBufferLimits({ high: 4 });
      writer.write("1234");
      await writer.drain();
      writer.write("5");
      const draining = [1, 2].map(() => createTask(writer.drain()));
      await settle();
      expect(draining.map((task) => task.done())).toEqual([false, false]);
      channel.flush(1);
      for (const task of draining) await task;
    });
  });

  test("a connection that fails is raised by drain and waitClosed, who wait and who come after", async () => {
    await run(async () => {
      const { channel, reader, writer } = await over(100);
      writer.transport.setWriteBufferLimits({ high: 0 });
      writer.write("1");
      const waiting = [createTask(writer.drain()), createTask(writer.waitClosed())];
      await settle();
      const failure = new Error("torn");
      channel.client.failed(failure);
      for (const task of waiting) expect(await errorOf(task)).toBe(failure);
      expect(await errorOf(writer.drain())).toBe(failure);
      expect(await errorOf(writer.waitClosed())).toBe(failure);
      expect(reader.exception()).toBe(failure);
    });
  });

  test("a connection is lost once: what comes after changes nothing", async () => {
    await run(async () => {
      const protocol = new asyncio.StreamReaderProtocol(new StreamReader());
      const { transport } = connect({ protocol });
      await settle();
      const writer = new asyncio.StreamWriter(transport, protocol, null);
      protocol.connectionLost(null);
      protocol.connectionLost(new Error("a second time"));
      await writer.waitClosed();
      transport.close();
    });
  });

  test("without a reader drain raises that the connection is lost", async () => {
    await run(async () => {
      const protocol = new asyncio.StreamReaderProtocol(new StreamReader());
      const { transport } = connect({ protocol });
      await settle();
      const writer = new asyncio.StreamWriter(transport, protocol, null);
      await writer.drain();
      writer.close();
      expect(writer.isClosing()).toBe(true);
      expect(await errorOf(writer.drain())).toMatchObject({ message: "Connection lost" });
    });
  });

  test("`await using` closes it and waits for that", async () => {
    await run(async () => {
      const { channel, writer } = await over(100);
      {
        await using held = writer;
        held.writelines(["one", "two"]);
        channel.flush();
      }
      expect(channel.calls).toEqual(["open", "write one|two", "pause", "destroy"]);
    });
  });

  test("startTls is refused where there is none", async () => {
    await run(async () => {
      const { writer } = await over(100);
      expect(await errorOf(writer.startTls())).toMatchObject({
        message: expect.stringContaining("has startTls()") as string,
      });
    });
  });

  test("tells what it is", async () => {
    await run(async () => {
      const { writer } = await over(100);
      expect(String(writer)).toBe("<StreamWriter transport=<StreamTransport open peername='the test' pending=0>>");
      expect(writer.canWriteEof()).toBe(true);
      writer.writeEof();
      expect(writer.getExtraInfo("peername")).toBe("the test");
    });
  });
});

describe("a server's callback", () => {
  async function serve(
    callback: asyncio.ClientConnectedCallback,
    during: (channel: FakeChannel) => void = () => {},
  ): Promise<[FakeChannel, asyncio.ExceptionContext[]]> {
    const channel = new FakeChannel();
    const reports = await run(async () => {
      connect({ channel, protocol: new asyncio.StreamReaderProtocol(new StreamReader(), callback) });
      await settle();
      during(channel);
      await settle();
    });
    return [channel, reports];
  }

  test("that returns leaves the connection open", async () => {
    const [channel, reports] = await serve((_reader, writer) => writer.write("hello"));
    expect(channel.calls.slice(0, 2)).toEqual(["open", "write hello"]);
    expect(reports).toEqual([]);
  });

  test("that fails is reported, and the connection is closed", async () => {
    const [channel, reports] = await serve(async () => {
      throw new Error("on purpose");
    });
    expect(reports).toMatchObject([{ message: "Unhandled exception in client_connected_cb" }]);
    expect(channel.calls.at(-1)).toBe("destroy");
  });

  test("that is cancelled closes the connection", async () => {
    const [channel, reports] = await serve(async () => {
      throw new asyncio.CancelledError();
    });
    expect(reports).toEqual([]);
    expect(channel.calls.at(-1)).toBe("destroy");
  });

  test("that is told of a slow peer is not reported", async () => {
    const [, reports] = await serve(
      async (reader) => void (await reader.read()),
      (channel) => channel.client.failed(new asyncio.TimeoutError("too slow")),
    );
    expect(reports).toEqual([]);
  });
});

test("memory streams give the platform's own kind of bytes: `String(line)` is the text of a line", async () => {
  await run(async () => {
    const [[, writer], [reader, other]] = await memoryStreams();
    writer.write("a line\n");
    expect(String(await reader.readline())).toBe("a line\n");
    writer.close();
    other.close();
  });
});
