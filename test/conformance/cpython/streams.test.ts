/** CPython's test_streams in our words. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { clientTls, errorOf, logOf, MemoryTransport, online, portOf, serverTls } from "./network.ts";
import type { Net } from "./network.ts";
import { play } from "./suite.ts";

const { createTask, sleep, StreamReader } = asyncio;

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A reader that was given `chunks`. */
function readerOf(limit: number, ...chunks: readonly string[]): asyncio.StreamReader {
  const reader = new StreamReader({ limit });
  for (const chunk of chunks) reader.feedData(bytes(chunk));
  return reader;
}

/** Gives `reader` each of `chunks` in a turn of its own, and then the end. */
async function feed(reader: asyncio.StreamReader, ...chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) {
    await sleep(0);
    reader.feedData(bytes(chunk));
  }
}

const LARGE = 65_536;

describe("feeding a reader", () => {
  test("no bytes are none: nobody is woken by them", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "");
      const reading = createTask(reader.read(1));
      await feed(reader, "", "");
      await sleep(0);
      expect(reading.done()).toBe(false);
      await feed(reader, "x");
      expect(String(await reading)).toBe("x");
    });
  });

  test("bytes wait in the reader until they are read", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "some ", "bytes");
      expect(String(reader)).toBe("<StreamReader 10 bytes>");
      expect(String(await reader.read(100))).toBe("some bytes");
      expect(String(reader)).toBe("<StreamReader>");
    });
  });

  test("a limit must be more than zero", async () => {
    await play(async () => {
      expect(() => new StreamReader({ limit: 0 })).toThrow(RangeError);
      expect(() => new StreamReader({ limit: -1 })).toThrow(RangeError);
      expect(() => new StreamReader({ limit: Number.NaN })).toThrow(/Limit/);
    });
  });

  test("the transport pauses above twice the limit, and goes on at the limit", async () => {
    await play(async () => {
      const reader = readerOf(3);
      const transport = new MemoryTransport(new asyncio.StreamReaderProtocol(reader));
      reader.setTransport(transport);
      reader.feedData(bytes("123456"));
      expect(transport.calls).toEqual([]);
      reader.feedData(bytes("7"));
      reader.feedData(bytes("8"));
      expect(transport.calls).toEqual(["pauseReading"]);
      await reader.read(4);
      expect(transport.calls).toEqual(["pauseReading"]);
      await reader.read(1);
      expect(transport.calls).toEqual(["pauseReading", "resumeReading"]);
    });
  });

  test("one who waits for more than the reader holds lets the transport go on", async () => {
    await play(async () => {
      const reader = readerOf(3);
      const transport = new MemoryTransport(new asyncio.StreamReaderProtocol(reader));
      reader.setTransport(transport);
      reader.feedData(bytes("1234567"));
      const reading = createTask(reader.readexactly(9));
      await sleep(0);
      expect(transport.calls).toEqual(["pauseReading", "resumeReading"]);
      await feed(reader, "89");
      expect(String(await reading)).toBe("123456789");
    });
  });
});

describe("read", () => {
  test("of no bytes gives none, at once, and leaves what is there", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "data");
      expect(String(await reader.read(0))).toBe("");
      expect(String(reader)).toBe("<StreamReader 4 bytes>");
    });
  });

  test("waits for bytes, and gives as many as there are", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(30));
      await feed(reader, "data");
      expect(String(await reading)).toBe("data");
      expect(String(reader)).toBe("<StreamReader>");
    });
  });

  test("ends of lines mean nothing to it", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "line1\n", "line2");
      expect(String(await reader.read(5))).toBe("line1");
      expect(String(await reader.read(2))).toBe("\nl");
      expect(String(reader)).toBe("<StreamReader 4 bytes>");
    });
  });

  test("gives no bytes at the end of the stream", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(1024));
      await sleep(0);
      reader.feedEof();
      expect(String(await reading)).toBe("");
      expect(String(await reader.read(1))).toBe("");
      expect(String(await reader.read())).toBe("");
    });
  });

  test("without a number it reads until the end of the stream", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(-1));
      await feed(reader, "chunk1\n", "chunk2");
      await sleep(0);
      expect(reading.done()).toBe(false);
      reader.feedEof();
      expect(String(await reading)).toBe("chunk1\nchunk2");
    });
  });

  test("of more than the limit reads more than the limit", async () => {
    await play(async () => {
      const reader = readerOf(3, "chunk");
      expect(String(await reader.read(5))).toBe("chunk");
      const all = readerOf(3, "a long chunk");
      all.feedEof();
      expect(String(await all.read())).toBe("a long chunk");
    });
  });
});

describe("readline", () => {
  test("waits for the end of the line, which may come in pieces, and leaves the rest", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "chunk1 ");
      const reading = createTask(reader.readline());
      await feed(reader, "chunk2 ", "chunk3 ", "\n chunk4");
      expect(String(await reading)).toBe("chunk1 chunk2 chunk3 \n");
      expect(String(reader)).toBe("<StreamReader 7 bytes>");
    });
  });

  test("takes one of several lines that came together, without waiting", async () => {
    await play(async ({ loop }) => {
      const reader = readerOf(LARGE, "line1\nline2\nline3\n");
      const { turns } = loop.statistics();
      expect(String(await reader.readline())).toBe("line1\n");
      expect(loop.statistics().turns).toBe(turns);
      expect(String(reader)).toBe("<StreamReader 12 bytes>");
    });
  });

  test("a line above the limit is dropped and raises; the next one is there", async () => {
    await play(async () => {
      const reader = readerOf(3, "li", "ne1\nline2\n");
      expect(await errorOf(reader.readline())).toBeInstanceOf(RangeError);
      expect(String(reader)).toContain("6 bytes");
    });
  });

  test("bytes above the limit that are no whole line are dropped, all of them", async () => {
    await play(async () => {
      const reader = readerOf(3, "li", "ne1", "li");
      expect(await errorOf(reader.readline())).toBeInstanceOf(RangeError);
      expect(String(reader)).toBe("<StreamReader limit=3>");
    });
  });

  test("a line above the limit that comes while one waits is dropped and raises", async () => {
    await play(async () => {
      const reader = readerOf(7);
      const reading = createTask(reader.readline());
      await sleep(0);
      for (const chunk of ["chunk1", "chunk2", "chunk3\n"]) reader.feedData(bytes(chunk));
      reader.feedEof();
      expect(await errorOf(reading)).toBeInstanceOf(RangeError);
      expect(reader.atEof()).toBe(true);
      const other = readerOf(7);
      const readingOther = createTask(other.readline());
      await sleep(0);
      for (const chunk of ["chunk1", "chunk2\n", "chunk3\n"]) other.feedData(bytes(chunk));
      expect(await errorOf(readingOther)).toBeInstanceOf(RangeError);
      expect(String(await other.readline())).toBe("chunk3\n");
    });
  });

  test("the limit is of the bytes before the end of the line", async () => {
    await play(async () => {
      expect(String(await readerOf(7, "1234567\n").readline())).toBe("1234567\n");
      expect(await errorOf(readerOf(7, "12345678\n").readline())).toBeInstanceOf(RangeError);
    });
  });

  test("a stream that ends within a line gives what there is, and then nothing", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "some data");
      reader.feedEof();
      expect(String(await reader.readline())).toBe("some data");
      expect(String(await reader.readline())).toBe("");
    });
  });

  test("an empty stream has an empty line", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      reader.feedEof();
      expect(String(await reader.readline())).toBe("");
    });
  });

  test("and read take from the same bytes", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "line1\nline2\nline3\n");
      await reader.readline();
      expect(String(await reader.read(7))).toBe("line2\nl");
      expect(String(reader)).toBe("<StreamReader 5 bytes>");
    });
  });

  test("for await reads line by line until the stream ends", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "a\nb\n\nlast");
      reader.feedEof();
      const lines: string[] = [];
      for await (const line of reader) lines.push(String(line));
      expect(lines).toEqual(["a\n", "b\n", "\n", "last"]);
    });
  });
});

describe("readuntil", () => {
  test("an empty separator, and none at all, are refused", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      expect(() => reader.readuntil("")).toThrow(/Separator should be at least one-byte string/);
      expect(() => reader.readuntil(["AAA", ""])).toThrow(/Separator should be at least one-byte string/);
      expect(() => reader.readuntil([])).toThrow(/Separator should contain at least one element/);
    });
  });

  test("a separator may come in pieces", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "lineAAA");
      expect(String(await reader.readuntil("AAA"))).toBe("lineAAA");
      const reading = createTask(reader.readuntil("AAA"));
      await feed(reader, "lineA", "A", "Axxx");
      expect(String(await reading)).toBe("lineAAA");
      expect(String(await reader.read(10))).toBe("xxx");
    });
  });

  test("a separator that almost came before it comes is found where it is", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.readuntil("aaB"));
      await feed(reader, "QQ1a", "aaa", "B", "rest");
      expect(String(await reading)).toBe("QQ1aaaaB");
    });
  });

  test("a stream that ends before the separator raises what came, and keeps none of it", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "some dataAA");
      reader.feedEof();
      const error = (await errorOf(reader.readuntil("AAA"))) as asyncio.IncompleteReadError;
      expect(error).toBeInstanceOf(asyncio.IncompleteReadError);
      expect([String(error.partial), error.expected]).toEqual(["some dataAA", null]);
      expect(error.message).toBe("11 bytes read on a total of undefined expected bytes");
      expect(reader.atEof()).toBe(true);
    });
  });

  test("above the limit it raises, with or without a separator, and the bytes stay", async () => {
    await play(async () => {
      const reader = readerOf(3, "some dataAA");
      const without = (await errorOf(reader.readuntil("AAA"))) as asyncio.LimitOverrunError;
      expect(without).toBeInstanceOf(asyncio.LimitOverrunError);
      expect([without.message, without.consumed]).toEqual(["Separator is not found, and chunk exceed the limit", 9]);
      reader.feedData(bytes("A"));
      const found = (await errorOf(reader.readuntil("AAA"))) as asyncio.LimitOverrunError;
      expect([found.message, found.consumed]).toEqual(["Separator is found, but chunk is longer than limit", 9]);
      expect(String(await reader.read(100))).toBe("some dataAAA");
    });
  });

  test("of several separators the one that ends first counts", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "line 1\nline 2\r");
      expect(String(await reader.readuntil(["\r", "\n"]))).toBe("line 1\n");
      expect(String(await reader.readuntil(["\n", "\r"]))).toBe("line 2\r");
      reader.feedData(bytes("begin end of it"));
      expect(String(await reader.readuntil(["end of it", "d o"]))).toBe("begin end o");
    });
  });

  test("of two separators that end together the shorter one is measured against the limit", async () => {
    await play(async () => {
      const reader = readerOf(3, "some dataA");
      const error = (await errorOf(reader.readuntil(["A", "ome dataA"]))) as asyncio.LimitOverrunError;
      expect([error.message, error.consumed]).toEqual(["Separator is found, but chunk is longer than limit", 9]);
    });
  });

  test("a separator longer than all that came does not keep a shorter one from being found", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "data");
      const reading = createTask(reader.readuntil(["A", "a much longer separator"]));
      await feed(reader, "a", "A");
      expect(String(await reading)).toBe("dataaA");
    });
  });

  test("separators may be text or bytes of any kind", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "lineÄAlineÄAlineÄA");
      const text = new TextEncoder().encode("ÄA");
      expect(String(await reader.readuntil("ÄA"))).toBe("lineÄA");
      expect(String(await reader.readuntil(text))).toBe("lineÄA");
      expect(String(await reader.readuntil([Buffer.from(text), "xx"]))).toBe("lineÄA");
    });
  });
});

describe("readexactly", () => {
  test("none is no bytes, at once; less than none is refused", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "data");
      expect(String(await reader.readexactly(0))).toBe("");
      expect(() => reader.readexactly(-1)).toThrow(/less than zero/);
      expect(String(reader)).toBe("<StreamReader 4 bytes>");
    });
  });

  test("waits until all bytes are there, and leaves what is more", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.readexactly(9));
      await feed(reader, "data", "data");
      await sleep(0);
      expect(reading.done()).toBe(false);
      await feed(reader, "data");
      expect(String(await reading)).toBe("datadatad");
      expect(String(reader)).toBe("<StreamReader 3 bytes>");
    });
  });

  test("of more than the limit reads that many", async () => {
    await play(async () => {
      const reader = readerOf(3, "chunk");
      expect(String(await reader.readexactly(5))).toBe("chunk");
    });
  });

  test("a stream that ends before raises what came", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.readexactly(8));
      await feed(reader, "data");
      reader.feedEof();
      const error = (await errorOf(reading)) as asyncio.IncompleteReadError;
      expect(error).toBeInstanceOf(asyncio.IncompleteReadError);
      expect([String(error.partial), error.expected]).toEqual(["data", 8]);
      expect(error.message).toBe("4 bytes read on a total of 8 expected bytes");
      expect(String(reader)).toBe("<StreamReader eof>");
    });
  });
});

describe("the end of a stream, and its error", () => {
  test("the end is reached when it was fed and everything was read", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      expect(reader.atEof()).toBe(false);
      reader.feedData(bytes("some data\n"));
      reader.feedEof();
      expect(reader.atEof()).toBe(false);
      await reader.readline();
      expect(reader.atEof()).toBe(true);
      expect(() => reader.feedData(bytes("more"))).toThrow(asyncio.RuntimeError);
    });
  });

  test("a reader has the error it was given", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const error = new Error("gone");
      expect(reader.exception()).toBeNull();
      reader.setException(error);
      expect(reader.exception()).toBe(error);
    });
  });

  const ways = {
    read: (reader: asyncio.StreamReader) => reader.read(2),
    readline: (reader: asyncio.StreamReader) => reader.readline(),
    readuntil: (reader: asyncio.StreamReader) => reader.readuntil("x"),
    readexactly: (reader: asyncio.StreamReader) => reader.readexactly(2),
  };
  const named = Object.entries(ways).map(([name, way]) => ({ name, way }));

  test.each(named)("$name raises the error of the stream before anything else", async ({ way }) => {
    await play(async () => {
      const error = new Error("gone");
      const reader = readerOf(LARGE, "xxxx\n");
      reader.setException(error);
      expect(await errorOf(way(reader))).toBe(error);
    });
  });

  test.each(named)("one who waits in $name gets the error when it comes", async ({ way }) => {
    await play(async () => {
      const error = new Error("gone");
      const reader = readerOf(LARGE);
      const reading = createTask(way(reader));
      await sleep(0);
      reader.setException(error);
      expect(await errorOf(reading)).toBe(error);
    });
  });

  test("one who was cancelled while he read is not told", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(2));
      await sleep(0);
      reading.cancel();
      reader.setException(new Error("gone"));
      expect(await errorOf(reading)).toBeInstanceOf(asyncio.CancelledError);
      expect(String(reader)).not.toContain("waiter");
    });
  });

  test("only one may wait at a time", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(2));
      await sleep(0);
      const error = await errorOf(reader.readline());
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
      expect(String(error)).toContain("() called while another coroutine is already waiting for incoming data");
      reading.cancel();
    });
  });
});

describe("readers and protocols belong to a loop", () => {
  test("a reader outside of a loop is refused", () => {
    expect(() => new StreamReader()).toThrow(/no running event loop/);
  });

  test("a protocol outside of a loop is refused", async () => {
    let reader: asyncio.StreamReader | null = null;
    await play(async () => {
      reader = new StreamReader();
    });
    expect(() => new asyncio.StreamReaderProtocol(reader!)).toThrow(/no running event loop/);
  });

  test("without a loop given they take the running one, else the one that is given", async () => {
    await play(async ({ loop }) => {
      const reader = new StreamReader();
      const reading = createTask(reader.read(1));
      await feed(reader, "x");
      expect(String(await reading)).toBe("x");
      expect(() => new asyncio.StreamReaderProtocol(reader)).not.toThrow();
      expect(() => new asyncio.StreamReaderProtocol(reader, null, { loop })).not.toThrow();
    });
    const loop = asyncio.newEventLoop();
    expect(() => new asyncio.StreamReaderProtocol(new StreamReader({ loop }), null, { loop })).not.toThrow();
    loop.close();
  });
});

describe("a reader as text", () => {
  test("an empty one, and one with a limit of its own", async () => {
    await play(async () => {
      expect(String(new StreamReader())).toBe("<StreamReader>");
      expect(String(readerOf(123))).toBe("<StreamReader limit=123>");
    });
  });

  test("its end, its bytes and its error", async () => {
    await play(async () => {
      const reader = readerOf(LARGE, "data");
      expect(String(reader)).toBe("<StreamReader 4 bytes>");
      reader.feedEof();
      expect(String(reader)).toBe("<StreamReader 4 bytes eof>");
      const failed = readerOf(LARGE);
      failed.setException(new RangeError("bad"));
      expect(String(failed)).toMatch(/^<StreamReader exception=.*RangeError.*bad.*>$/);
    });
  });

  test("who waits, and its transport", async () => {
    await play(async () => {
      const reader = readerOf(LARGE);
      const reading = createTask(reader.read(1));
      await sleep(0);
      expect(String(reader)).toMatch(/^<StreamReader waiter=<Future pending.*>>$/);
      await feed(reader, "x");
      await reading;
      expect(String(reader)).toBe("<StreamReader>");
      reader.setTransport(new MemoryTransport(new asyncio.StreamReaderProtocol(reader)));
      expect(String(reader)).toBe("<StreamReader transport=<MemoryTransport>>");
    });
  });
});

/** A reader and writer on a transport without a network. */
function connected(): {
  readonly reader: asyncio.StreamReader;
  readonly writer: asyncio.StreamWriter;
  readonly protocol: asyncio.StreamReaderProtocol;
  readonly transport: MemoryTransport;
} {
  const reader = new StreamReader();
  const protocol = new asyncio.StreamReaderProtocol(reader);
  const transport = new MemoryTransport(protocol);
  protocol.connectionMade(transport);
  return { reader, writer: new asyncio.StreamWriter(transport, protocol, reader), protocol, transport };
}

describe("drain", () => {
  test("takes no turn while there is room", async () => {
    await play(async ({ loop }) => {
      const { writer, transport } = connected();
      const { turns } = loop.statistics();
      writer.write("hello");
      await writer.drain();
      expect([transport.sent, loop.statistics().turns]).toEqual(["hello", turns]);
    });
  });

  test("several may wait for room, and all go on when there is some", async () => {
    await play(async () => {
      const { writer, protocol } = connected();
      protocol.pauseWriting();
      const drained: number[] = [];
      const drains = [1, 2, 3].map((number) =>
        createTask(async () => {
          await writer.drain();
          drained.push(number);
        }),
      );
      await sleep(1);
      expect(drained).toEqual([]);
      protocol.resumeWriting();
      await asyncio.gather(drains);
      expect(drained).toEqual([1, 2, 3]);
    });
  });

  test("one of several who wait may be cancelled", async () => {
    await play(async () => {
      const { writer, protocol } = connected();
      protocol.pauseWriting();
      const [first, second] = [createTask(writer.drain()), createTask(writer.drain())];
      await sleep(0);
      first.cancel();
      await sleep(0);
      protocol.resumeWriting();
      expect(await errorOf(first)).toBeInstanceOf(asyncio.CancelledError);
      await second;
    });
  });

  test("the loss of the connection ends the wait, with its error if it has one", async () => {
    await play(async () => {
      const broken = connected();
      broken.protocol.pauseWriting();
      const failing = createTask(broken.writer.drain());
      await sleep(0);
      const error = new Error("cut");
      broken.protocol.connectionLost(error);
      expect(await errorOf(failing)).toBe(error);
      expect(await errorOf(broken.writer.drain())).toBe(error);
      const over = connected();
      over.protocol.pauseWriting();
      const draining = createTask(over.writer.drain());
      await sleep(0);
      over.protocol.connectionLost(null);
      await draining;
      expect(await errorOf(over.writer.drain())).toMatchObject({ message: "Connection lost", code: "ECONNRESET" });
    });
  });
});

/** Where a server of the test can be, and how to reach it. */
interface Place {
  readonly name: string;
  serve(
    net: Net,
    clientConnected: asyncio.ClientConnectedCallback,
    options?: { readonly ssl?: asyncio.Ssl },
  ): asyncio.Coroutine<asyncio.Server>;
  open(net: Net, server: asyncio.Server, options?: { readonly ssl?: asyncio.Ssl }): asyncio.Coroutine<asyncio.Streams>;
}

const places: readonly Place[] = [
  {
    name: "TCP",
    serve: (_net, clientConnected, options) => asyncio.startServer(clientConnected, "127.0.0.1", 0, options),
    open: (_net, server, options) => asyncio.openConnection("127.0.0.1", portOf(server), options),
  },
  {
    name: "a Unix socket",
    serve: ({ path }, clientConnected, options) => asyncio.startUnixServer(clientConnected, path, options),
    open: ({ path }, _server, options) =>
      asyncio.openUnixConnection(path, options === undefined ? {} : { ...options, serverHostname: "localhost" }),
  },
];

/** Answers one line with "hello" and closes. */
async function greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  const line = await reader.readline();
  writer.write(`hello ${String(line)}`);
  await writer.drain();
  writer.close();
}

/** Asks a server that greets, and closes the connection. */
async function ask([reader, writer]: asyncio.Streams): Promise<string> {
  writer.write("world\n");
  const answer = String(await reader.read());
  writer.close();
  await writer.waitClosed();
  return answer;
}

describe.each(places)("over $name", (place) => {
  test("a client asks, the server answers and closes", async () => {
    const reports = await online(async (world) => {
      await using server = await place.serve(world, greet);
      expect(await ask(await place.open(world, server))).toBe("hello world\n");
    });
    expect(reports).toEqual([]);
  });

  test("a client asks under TLS, the server answers and closes", async () => {
    const reports = await online(async (world) => {
      await using server = await place.serve(world, greet, { ssl: serverTls });
      expect(await ask(await place.open(world, server, { ssl: clientTls }))).toBe("hello world\n");
    });
    expect(reports).toEqual([]);
  });

  test("reading from a connection that was lost with an error raises it", async () => {
    await online(async (world) => {
      await using server = await place.serve(world, (_reader, writer) => writer.close());
      const [reader, writer] = await place.open(world, server);
      const error = new Error("cut");
      writer.transport.getProtocol().connectionLost?.(error);
      expect(await errorOf(reader.read())).toBe(error);
      writer.transport.abort();
    });
  });

  test.each([
    { form: "an async function", handler: greet },
    {
      form: "a generator function",
      *handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) {
        writer.write(`hello ${String(yield* reader.readline())}`);
        yield* writer.drain();
        writer.close();
      },
    },
    {
      form: "a function that makes a task of its own",
      handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) {
        createTask(() => greet(reader, writer));
      },
    },
  ])("a server calls $form for each client", async ({ handler }) => {
    const reports = await online(async (world) => {
      await using server = await place.serve(world, handler as asyncio.ClientConnectedCallback);
      const clients = [1, 2, 3].map(() => createTask(async () => await ask(await place.open(world, server))));
      expect(await asyncio.gather(clients)).toEqual(["hello world\n", "hello world\n", "hello world\n"]);
    });
    expect(reports).toEqual([]);
  });
});

describe("start_tls", () => {
  test("both sides go on under TLS", async () => {
    const reports = await online(async () => {
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          writer.write(`ready for ${String(await reader.readline())}`);
          await writer.drain();
          await writer.startTls(serverTls);
          expect(writer.getExtraInfo("cipher")).not.toBeNull();
          writer.write(`secret ${String(await reader.readline())}`);
          await writer.drain();
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      const before = writer.transport;
      writer.write("starttls\n");
      expect(String(await reader.readline())).toBe("ready for starttls\n");
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      expect(writer.transport).not.toBe(before);
      writer.write("word\n");
      expect(String(await reader.read())).toBe("secret word\n");
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("bytes of the handshake that were read too early are TLS's", async () => {
    const reports = await online(async () => {
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.readline();
          // The client does not wait for an answer: its first words of TLS come into the reader.
          while (!String(reader).includes("bytes")) await sleep(0);
          await writer.startTls(serverTls);
          writer.write(`secret ${String(await reader.readline())}`);
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      writer.write("starttls\n");
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      writer.write("word\n");
      expect(String(await reader.read())).toBe("secret word\n");
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("what was written before goes out first, in the clear", async () => {
    const reports = await online(async () => {
      const size = 5_000_000;
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          writer.transport.setWriteBufferLimits({ high: 2 * size });
          writer.write(Buffer.alloc(size));
          await writer.startTls(serverTls);
          writer.write(await reader.readexactly(6));
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      await reader.readexactly(size);
      await writer.startTls(clientTls, { serverHostname: "localhost" });
      writer.write("secret");
      expect(String(await reader.read())).toBe("secret");
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("a command in the clear behind the request to start TLS is never read", async () => {
    const reports = await online(async ({ loop }) => {
      const outcome = loop.createFuture<unknown>();
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.readline();
          while (!String(reader).includes("bytes")) await sleep(0);
          outcome.setResult(await errorOf(writer.startTls(serverTls)));
        },
        "127.0.0.1",
        0,
      );
      const [, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      writer.write("starttls\n");
      writer.write("delete everything\n".repeat(100));
      expect(await outcome).toMatchObject({ code: expect.stringMatching(/^ERR_SSL/) as unknown });
      writer.close();
      server.abortClients();
    });
    expect(reports).toEqual([]);
  });
});

/** A server that says "hello" and waits until the client has gone, and a connection to it. */
async function withConnection(
  body: (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async () => {
    await using server = await asyncio.startServer(
      async (reader, writer) => {
        writer.write("hello\nsecond line\n");
        await reader.read();
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
    await body(reader, writer);
  });
}

describe("closing a writer", () => {
  test("waitClosed waits until the connection is closed", async () => {
    const reports = await withConnection(async (reader, writer) => {
      const waiting = createTask(writer.waitClosed());
      await reader.readline();
      expect([waiting.done(), writer.isClosing()]).toEqual([false, false]);
      writer.close();
      expect(writer.isClosing()).toBe(true);
      await waiting;
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("waitClosed does not mind bytes that nobody read", async () => {
    const reports = await withConnection(async (reader, writer) => {
      await reader.readline();
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("waitClosed raises what the connection was lost with, as often as it is asked", async () => {
    await play(async () => {
      const { writer, protocol } = connected();
      const error = new Error("cut");
      protocol.connectionLost(error);
      expect([await errorOf(writer.waitClosed()), await errorOf(writer.waitClosed())]).toEqual([error, error]);
    });
  });

  test("one who waits for the end may be cancelled, and the others still hear of it", async () => {
    await withConnection(async (_reader, writer) => {
      const [first, second] = [createTask(writer.waitClosed()), createTask(writer.waitClosed())];
      await sleep(0);
      first.cancel();
      expect(await errorOf(first)).toBeInstanceOf(asyncio.CancelledError);
      writer.close();
      await second;
    });
  });

  test("everything that waits in the API can be awaited in turn", async () => {
    const reports = await withConnection(async (reader, writer) => {
      expect(String(await reader.readline())).toBe("hello\n");
      writer.write("some\n");
      await writer.drain();
      writer.writelines(["more ", bytes("bytes")]);
      await writer.drain();
      writer.close();
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("draining a writer that was closed raises", async () => {
    const reports = await withConnection(async (reader, writer) => {
      await reader.readline();
      writer.close();
      writer.write("too late");
      expect(await errorOf(writer.drain())).toBeInstanceOf(asyncio.ConnectionResetError);
      await writer.waitClosed();
    });
    expect(reports).toEqual([]);
  });

  test("the reader comes to the end of its stream when the writer is closed", async () => {
    const reports = await online(async () => {
      await using server = await asyncio.startServer((_reader, writer) => writer.close(), "127.0.0.1", 0);
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      writer.close();
      await writer.waitClosed();
      expect(String(await reader.read())).toBe("");
      expect(reader.atEof()).toBe(true);
    });
    expect(reports).toEqual([]);
  });

  test("one who writes and drains on and on hears that the peer has gone", async () => {
    await online(async () => {
      await using server = await asyncio.startServer((_reader, writer) => writer.transport.abort(), "127.0.0.1", 0);
      const [, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      const error = await errorOf(
        createTask(async () => {
          for (;;) {
            writer.write("foobar");
            await writer.drain();
          }
        }),
      );
      expect(error).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
      writer.close();
    });
  });
});

describe("what is left open", () => {
  test("a connection that nobody closed is reported when its loop closes, and is closed", async () => {
    let peer: asyncio.StreamWriter | null = null;
    const lines = await logOf(() =>
      online(async () => {
        const server = await asyncio.startServer(() => {}, "127.0.0.1", 0);
        [, peer] = await asyncio.openConnection("127.0.0.1", portOf(server));
        server.close();
      }),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^unclosed <StreamTransport open .*close it before the loop ends$/),
    );
    expect(peer!.isClosing()).toBe(true);
  });

  test("a server that nobody closed is reported when its loop closes, and is closed", async () => {
    const lines = await logOf(() =>
      online(() => asyncio.startServer(() => {}, "127.0.0.1", 0) as unknown as Promise<void>),
    );
    expect(lines).toEqual(["unclosed <Server serving connections=0>: close it before the loop ends"]);
  });
});

describe("a callback for clients that goes wrong", () => {
  test("its error is reported, and the connection closed", async () => {
    const error = new Error("my mistake");
    const reports = await online(async () => {
      await using server = await asyncio.startServer(
        async () => {
          throw error;
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      expect(String(await reader.read())).toBe("");
      writer.close();
    });
    expect(reports).toMatchObject([{ message: "Unhandled exception in client_connected_cb", exception: error }]);
    expect(reports[0]!["transport"]).toBeDefined();
  });

  test("one that is cancelled is not reported, and the connection is closed", async () => {
    const reports = await online(async () => {
      await using server = await asyncio.startServer(
        async () => {
          asyncio.currentTask()!.cancel();
          await sleep(0);
        },
        "127.0.0.1",
        0,
      );
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", portOf(server));
      expect(String(await reader.read())).toBe("");
      writer.close();
    });
    expect(reports).toEqual([]);
  });
});
