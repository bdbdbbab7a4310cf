/** The Web's streams as ours, and ours as the Web's: what `fromWebStreams` and its like promise. */

import * as asyncio from "asyncio-ts";
import { memoryStreams } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { bytesOf, settle, textOf } from "./support.ts";

const { createTask, fromPromise, fromWebStreams, toReadableStream, toWritableStream } = asyncio;

/** Runs `main` on the real loop; nothing may be reported. */
async function run(main: () => Promise<void>): Promise<void> {
  const reports: unknown[] = [];
  const loop = asyncio.newEventLoop();
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await asyncio.run(main, { loopFactory: () => loop });
  expect(reports).toEqual([]);
}

/** Both ends of a connection in memory, put away in the end. */
async function withEnds(use: (ours: asyncio.Streams, theirs: asyncio.Streams) => Promise<void>): Promise<void> {
  await run(async () => {
    const ends = await memoryStreams();
    try {
      await use(...ends);
    } finally {
      for (const [, writer] of ends) {
        writer.transport.abort();
        await asyncio.gather([writer.waitClosed()], { returnExceptions: true });
      }
    }
  });
}

async function closed(writer: asyncio.StreamWriter): Promise<void> {
  writer.close();
  await writer.waitClosed();
}

/** A writable stream, and what happened to it. */
function sink(options: { readonly fails?: boolean } = {}): {
  readonly stream: WritableStream<Uint8Array>;
  readonly events: string[];
} {
  const events: string[] = [];
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      if (options.fails === true) throw new Error("full");
      events.push(textOf(chunk));
    },
    close: () => void events.push("close"),
    abort: () => void events.push("abort"),
  });
  return { stream, events };
}

describe("fromWebStreams()", () => {
  test("reads to the end, and writes", async () => {
    await run(async () => {
      const readable = new Blob(["one\ntwo\n"]).stream();
      const { stream, events } = sink();
      const [reader, writer] = await fromWebStreams({ readable, writable: stream });
      expect(textOf(await reader.readline())).toBe("one\n");
      expect(textOf(await reader.read())).toBe("two\n");
      writer.writelines(["three", "four"]);
      await closed(writer);
      await settle();
      expect(events).toEqual(["three", "four", "close"]);
    });
  });

  test("a readable alone: nothing can be written, and closing it cancels it", async () => {
    await run(async () => {
      let isCancelled = false;
      const readable = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
      const [, writer] = await fromWebStreams({ readable });
      expect(writer.canWriteEof()).toBe(false);
      await closed(writer);
      await settle();
      expect(isCancelled).toBe(true);
    });
  });

  test("a writable alone: what is read never comes, and closing it ends that", async () => {
    await run(async () => {
      const { stream, events } = sink();
      const [reader, writer] = await fromWebStreams({ writable: stream });
      const reading = createTask(reader.read());
      writer.write("data");
      await settle();
      expect(reading.done()).toBe(false);
      await closed(writer);
      expect(await reading).toHaveLength(0);
      expect(events).toEqual(["data", "close"]);
    });
  });

  test("writeEof closes the writable after what was written, once", async () => {
    await run(async () => {
      const { stream, events } = sink();
      const [, writer] = await fromWebStreams({ writable: stream });
      writer.write("data");
      writer.writeEof();
      await settle();
      expect(events).toEqual(["data", "close"]);
      await closed(writer);
      expect(events).toEqual(["data", "close"]);
    });
  });

  test("aborting with bytes that wait aborts the writable", async () => {
    await run(async () => {
      const events: string[] = [];
      const stream = new WritableStream<Uint8Array>({
        write: () => new Promise(() => {}),
        abort: () => void events.push("abort"),
      });
      const [, writer] = await fromWebStreams({ writable: stream });
      writer.write("one");
      writer.write("two");
      expect(writer.transport.getWriteBufferSize()).toBe(6);
      writer.transport.abort();
      await writer.waitClosed();
      await expect(Promise.resolve(writer.drain())).rejects.toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("a writable that fails is the error of those who drain and read", async () => {
    await run(async () => {
      const [reader, writer] = await fromWebStreams({ writable: sink({ fails: true }).stream });
      const reading = createTask(reader.read(1));
      writer.write("data");
      await expect(Promise.resolve(reading)).rejects.toThrow("full");
      await expect(Promise.resolve(writer.drain())).rejects.toThrow("full");
      await expect(Promise.resolve(writer.waitClosed())).rejects.toThrow("full");
    });
  });

  test("a writable whose close fails is an error too", async () => {
    await run(async () => {
      const stream = new WritableStream<Uint8Array>({
        close() {
          throw new Error("cannot close");
        },
      });
      const [reader, writer] = await fromWebStreams({ writable: stream });
      writer.writeEof();
      await expect(Promise.resolve(reader.read())).rejects.toThrow("cannot close");
      await expect(Promise.resolve(writer.waitClosed())).rejects.toThrow("cannot close");
    });
  });

  test("a readable that fails is the reader's error", async () => {
    await run(async () => {
      const readable = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.error(new Error("torn"));
        },
      });
      const [reader, writer] = await fromWebStreams({ readable });
      await expect(Promise.resolve(reader.read())).rejects.toThrow("torn");
      await expect(Promise.resolve(writer.waitClosed())).rejects.toThrow("torn");
    });
  });

  test("a peer that cancels what we write without a reason is an error all the same", async () => {
    await run(async () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const [, writer] = await fromWebStreams({ writable });
      await fromPromise(readable.cancel());
      writer.write("data");
      const outcome = await asyncio.gather([writer.waitClosed()], { returnExceptions: true });
      expect(outcome[0]).toBeInstanceOf(Error);
    });
  });

  test("reads no more than one piece while the reader has enough", async () => {
    await run(async () => {
      let pulled = 0;
      const readable = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            // One that is always ready must not keep the loop from its turns.
            if (++pulled > 1000) throw new Error("pulled without an end");
            controller.enqueue(new Uint8Array(1000));
          },
        },
        { highWaterMark: 0 },
      );
      const [reader, writer] = await fromWebStreams({ readable }, { limit: 1000 });
      await settle();
      await settle();
      // Two thousand bytes are enough, the third thousand says so, and some are on their way.
      expect(pulled).toBeLessThan(10);
      const before = pulled;
      await settle();
      expect(pulled).toBe(before);
      await reader.readexactly(20_000);
      expect(pulled).toBeGreaterThanOrEqual(20);
      await closed(writer);
    });
  });

  test("cancelled before it is connected, both streams are closed", async () => {
    await run(async () => {
      let isCancelled = false;
      const readable = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
      const { stream, events } = sink();
      const connecting = createTask(fromWebStreams({ readable, writable: stream }));
      await asyncio.sleep(0);
      connecting.cancel();
      await settle();
      expect(connecting.cancelled()).toBe(true);
      expect(isCancelled).toBe(true);
      expect(events).toHaveLength(1);
    });
  });

  test("left open, it is closed with the loop", async () => {
    const log: string[] = [];
    const keep = (line: string): void => void log.push(line);
    asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
    try {
      await run(async () => {
        await fromWebStreams({ readable: new ReadableStream<Uint8Array>({}) });
      });
    } finally {
      asyncio.setLogger(null);
    }
    expect(log).toEqual([expect.stringContaining("unclosed <StreamTransport open")]);
  });
});

describe("toReadableStream()", () => {
  test("gives what comes, and ends", async () => {
    await withEnds(async ([reader], [, theirs]) => {
      theirs.write("one two");
      theirs.close();
      const response = new Response(toReadableStream(reader));
      expect(await fromPromise(response.text())).toBe("one two");
    });
  });

  test("reads nothing before somebody asks", async () => {
    await withEnds(async ([reader], [, theirs]) => {
      const readable = toReadableStream(reader);
      theirs.write("for others");
      await settle();
      expect(textOf(await reader.readexactly(10))).toBe("for others");
      await fromPromise(readable.cancel());
    });
  });

  test("fails with the connection", async () => {
    await withEnds(async ([reader, writer], [, theirs]) => {
      const readable = toReadableStream(reader).getReader();
      const reading = fromPromise(readable.read());
      await settle();
      theirs.transport.abort();
      await theirs.waitClosed();
      writer.write("into the void");
      const outcome = await asyncio.gather([reading], { returnExceptions: true });
      expect(outcome[0]).toMatchObject({ done: true });
    });
  });

  test("fails with the reader's error", async () => {
    await run(async () => {
      const reader = new asyncio.StreamReader();
      const reading = fromPromise(toReadableStream(reader).getReader().read());
      await settle();
      reader.setException(new Error("torn"));
      await expect(Promise.resolve(reading)).rejects.toThrow("torn");
    });
  });

  test("cancelled while it waits, it gives the reader back: no byte is lost, and others may read", async () => {
    await withEnds(async ([reader], [, theirs]) => {
      const readable = toReadableStream(reader).getReader();
      const reading = fromPromise(readable.read());
      await settle();
      await fromPromise(readable.cancel());
      await asyncio.wait([reading]);
      await settle();
      const line = createTask(reader.readline());
      await settle();
      theirs.write("for others\n");
      expect(textOf(await line)).toBe("for others\n");
    });
  });

  test("a task that reads from it and is cancelled breaks nothing", async () => {
    await withEnds(async ([reader], [, theirs]) => {
      const readable = toReadableStream(reader).getReader();
      const impatient = createTask(async () => await readable.read());
      await settle();
      impatient.cancel();
      await settle();
      theirs.write("first ");
      await settle();
      theirs.write("second");
      theirs.close();
      const rest: string[] = [];
      for (;;) {
        const { done, value } = await fromPromise(readable.read());
        if (done) break;
        rest.push(textOf(value));
      }
      expect("first second".endsWith(rest.join(""))).toBe(true);
      expect(rest.join("")).toContain("second");
    });
  });
});

describe("toWritableStream()", () => {
  test("sends what is written, and closing it closes the writer", async () => {
    await withEnds(async ([, writer], [theirs]) => {
      const sending = toWritableStream(writer).getWriter();
      await fromPromise(sending.write(bytesOf("data")));
      await fromPromise(sending.close());
      expect(textOf(await theirs.read())).toBe("data");
      expect(writer.isClosing()).toBe(true);
    });
  });

  test("aborting it closes the writer", async () => {
    await withEnds(async ([, writer]) => {
      await fromPromise(toWritableStream(writer).abort());
      expect(writer.isClosing()).toBe(true);
    });
  });

  test("a write waits while too much waits to be sent", async () => {
    await withEnds(async ([, writer], [theirs]) => {
      const sending = toWritableStream(writer).getWriter();
      const writing = fromPromise(sending.write(new Uint8Array(1_000_000)));
      await settle();
      expect(writing.done()).toBe(false);
      await theirs.readexactly(1_000_000);
      await writing;
    });
  });

  test("fails with the connection", async () => {
    await withEnds(async ([, writer]) => {
      const sending = toWritableStream(writer).getWriter();
      sending.closed.catch(() => {});
      writer.transport.abort();
      await writer.waitClosed();
      await expect(sending.write(bytesOf("data"))).rejects.toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("a task that writes to it and is cancelled breaks nothing", async () => {
    await withEnds(async ([, writer], [theirs]) => {
      const sending = toWritableStream(writer).getWriter();
      const impatient = createTask(async () => await sending.write(new Uint8Array(1_000_000)));
      await settle();
      impatient.cancel();
      await settle();
      await theirs.readexactly(1_000_000);
      await fromPromise(sending.write(bytesOf("after")));
      expect(textOf(await theirs.readexactly(5))).toBe("after");
    });
  });
});
