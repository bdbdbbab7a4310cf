/** Node's streams as ours, and ours as Node's: what `fromNodeStream` and `toNodeStream` promise. */

import type { Duplex } from "node:stream";
import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import * as asyncio from "asyncio-ts";
import { memoryStreams } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { settle, textOf } from "./support.ts";

const { createTask, fromNodeStream, fromPromise, toNodeStream } = asyncio;

/** Runs `main` on the real loop; nothing may be reported. */
async function run(main: () => Promise<void>): Promise<void> {
  const reports: unknown[] = [];
  const loop = asyncio.newEventLoop();
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await asyncio.run(main, { loopFactory: () => loop });
  expect(reports).toEqual([]);
}

/** A writable stream, and what came to it. */
function sink(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

describe("fromNodeStream()", () => {
  test("reads a Readable line by line, to its end", async () => {
    await run(async () => {
      const [reader, writer] = await fromNodeStream(Readable.from([Buffer.from("one\ntwo\nth"), Buffer.from("ree")]));
      const lines: string[] = [];
      for await (const line of reader) lines.push(textOf(line));
      expect(lines).toEqual(["one\n", "two\n", "three"]);
      writer.close();
      await writer.waitClosed();
    });
  });

  test("a Readable has nothing to write to: writeEof is not supported", async () => {
    await run(async () => {
      const [, writer] = await fromNodeStream(new Readable({ read() {} }));
      expect(writer.canWriteEof()).toBe(false);
      expect(() => writer.writeEof()).toThrow(asyncio.RuntimeError);
      writer.close();
      await writer.waitClosed();
    });
  });

  test("writes to a Writable, and closing it finishes it", async () => {
    await run(async () => {
      const { stream, text } = sink();
      const finished = new Promise<void>((resolve) => void stream.once("finish", resolve));
      const [, writer] = await fromNodeStream(stream);
      writer.write("one ");
      writer.writelines(["two ", "three"]);
      writer.close();
      await writer.waitClosed();
      expect(text()).toBe("one two three");
      await asyncio.waitFor(fromPromise(finished), 2);
    });
  });

  test("closing the writer of a compressor ends what it gives out with all that belongs to it", async () => {
    await run(async () => {
      const [gzip, gunzip] = [createGzip(), createGunzip()];
      gzip.pipe(gunzip);
      const [reader, end] = await fromNodeStream(gunzip);
      const [, writer] = await fromNodeStream(
        new Writable({
          write: (chunk, encoding, done) => void gzip.write(chunk as Buffer, encoding, done),
          final: (done) => void gzip.end(done),
        }),
      );
      writer.write("compressed and back");
      writer.close();
      expect(textOf(await asyncio.waitFor(reader.read(), 2))).toBe("compressed and back");
      end.close();
      await end.waitClosed();
    });
  });

  test("an error of the stream is the reader's and the writer's", async () => {
    await run(async () => {
      const stream = new PassThrough();
      const [reader, writer] = await fromNodeStream(stream);
      const reading = createTask(reader.read(1));
      await settle();
      const failure = new Error("broken");
      stream.destroy(failure);
      await expect(Promise.resolve(reading)).rejects.toBe(failure);
      await expect(Promise.resolve(writer.drain())).rejects.toBe(failure);
      await expect(Promise.resolve(writer.waitClosed())).rejects.toBe(failure);
    });
  });

  test("a stream that somebody else destroys has ended", async () => {
    await run(async () => {
      const stream = new PassThrough();
      const [reader, writer] = await fromNodeStream(stream);
      stream.destroy();
      expect(await reader.read()).toHaveLength(0);
      await writer.waitClosed();
    });
  });

  test("a stream that is broken already is found out at once", async () => {
    await run(async () => {
      const stream = new PassThrough().on("error", () => {});
      stream.destroy(new Error("long ago"));
      await settle();
      const [reader, writer] = await fromNodeStream(stream);
      await expect(Promise.resolve(reader.read())).rejects.toThrow("long ago");
      await expect(Promise.resolve(writer.waitClosed())).rejects.toThrow("long ago");
    });
  });

  test("its transport knows the stream", async () => {
    await run(async () => {
      const stream = new PassThrough();
      const [, writer] = await fromNodeStream(stream);
      expect(writer.getExtraInfo("pipe")).toBe(stream);
      writer.close();
      await writer.waitClosed();
      expect(stream.destroyed).toBe(true);
    });
  });

  test("cancelled before it is connected, it destroys the stream", async () => {
    await run(async () => {
      const stream = new PassThrough();
      const connecting = createTask(fromNodeStream(stream));
      await asyncio.sleep(0);
      connecting.cancel();
      await settle();
      expect(connecting.cancelled()).toBe(true);
      expect(stream.destroyed).toBe(true);
    });
  });

  test("limit is the reader's", async () => {
    await run(async () => {
      const [reader, writer] = await fromNodeStream(new PassThrough(), { limit: 4 });
      writer.write("too long a line\n");
      await expect(Promise.resolve(reader.readline())).rejects.toBeInstanceOf(RangeError);
      writer.close();
      await writer.waitClosed();
    });
  });
});

describe("toNodeStream()", () => {
  async function withDuplex(use: (duplex: Duplex, peer: asyncio.Streams) => Promise<void>): Promise<void> {
    await run(async () => {
      const [[reader, writer], peer] = await memoryStreams();
      try {
        await use(toNodeStream(reader, writer), peer);
      } finally {
        for (const end of [writer, peer[1]]) {
          end.transport.abort();
          await asyncio.gather([end.waitClosed()], { returnExceptions: true });
        }
      }
    });
  }

  test("is a Duplex: what is read and what is written", async () => {
    await withDuplex(async (duplex, [reader, writer]) => {
      duplex.setEncoding("utf8");
      duplex.write("to the peer\n");
      expect(textOf(await reader.readline())).toBe("to the peer\n");
      const data = new Promise<string>((resolve) => void duplex.once("data", resolve));
      writer.write("from the peer");
      expect(await fromPromise(data)).toBe("from the peer");
      duplex.destroy();
    });
  });

  test("the peer's end is its end, and its end is the peer's; the other direction goes on", async () => {
    await withDuplex(async (duplex, [reader, writer]) => {
      const ended = new Promise<void>((resolve) => void duplex.resume().once("end", resolve));
      writer.writeEof();
      await fromPromise(ended);
      duplex.end("the last\n");
      expect(textOf(await reader.read())).toBe("the last\n");
      writer.close();
      await writer.waitClosed();
    });
  });

  test("works with pipeline(), with as much as one likes, and holds back those who write too much", async () => {
    await withDuplex(async (duplex, [reader]) => {
      const pieces = Array.from({ length: 64 }, (_, i) => Buffer.alloc(16_384, i));
      const piped = fromPromise(pipeline(Readable.from(pieces), duplex, { end: true }));
      for (const piece of pieces) expect(Buffer.compare(await reader.readexactly(16_384), piece)).toBe(0);
      expect(await reader.read()).toHaveLength(0);
      duplex.destroy();
      await asyncio.wait([piped]);
      if (!piped.cancelled()) piped.exception();
    });
  });

  test("a connection that breaks is its error", async () => {
    await withDuplex(async (duplex, [, writer]) => {
      const failed = new Promise<Error>((resolve) => void duplex.once("error", resolve));
      writer.transport.abort();
      await writer.waitClosed();
      duplex.resume();
      const write = (): void => void duplex.write("into the void", (error) => error ?? setImmediate(write));
      write();
      expect(await fromPromise(failed)).toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("destroying it closes the writer, though it is waiting for bytes", async () => {
    await withDuplex(async (duplex, [reader]) => {
      duplex.resume();
      await settle();
      const closed = new Promise<void>((resolve) => void duplex.once("close", resolve));
      duplex.destroy();
      await fromPromise(closed);
      expect(await reader.read()).toHaveLength(0);
    });
  });

  test("a task that writes to it and is cancelled breaks nothing", async () => {
    await withDuplex(async (duplex, [reader, writer]) => {
      const using = createTask(async () => {
        duplex.resume();
        duplex.write("before ");
        await asyncio.sleep(Infinity);
      });
      await settle();
      using.cancel();
      await settle();
      expect(duplex.destroyed).toBe(false);
      duplex.end("and after");
      expect(textOf(await reader.read())).toBe("before and after");
      writer.close();
    });
  });

  test("reads after the loop is closed break nothing", async () => {
    let left: Duplex | null = null;
    const [log, keep]: [string[], (line: string) => void] = [[], (line) => void log.push(line)];
    asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
    try {
      await run(async () => {
        const [reader, writer] = await fromNodeStream(new PassThrough());
        left = toNodeStream(reader, writer);
      });
    } finally {
      asyncio.setLogger(null);
    }
    const errors: unknown[] = [];
    left!.on("error", (error) => void errors.push(error));
    expect(() => left!.read()).not.toThrow();
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toHaveLength(1);
    expect(log).toHaveLength(1);
  });
});
