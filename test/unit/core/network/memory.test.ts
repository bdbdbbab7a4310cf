/** Connections in memory: what `memoryStreams` and `memoryChannels` promise. */

import * as asyncio from "asyncio-ts";
import type { MemoryChannel, MemoryOptions } from "asyncio-ts/testing";
import { memoryChannels, memoryStreams } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { attach } from "../../../../src/core/network/stream-transport.ts";
import { run as runAsItIs } from "../../virtual.ts";
import { Listener, logOf, run as play, settle, textOf } from "./support.ts";

const { createTask, sleep } = asyncio;

/** What a test has opened: put away at its end. */
const open: asyncio.WriteTransport[] = [];

async function run(main: (world: { loop: asyncio.BaseEventLoop }) => Promise<void>): Promise<void> {
  await play(async (world) => {
    try {
      await main(world);
    } finally {
      for (const transport of open.splice(0)) transport.abort();
      await settle();
    }
  });
}

async function connected(options: MemoryOptions = {}): Promise<[asyncio.Streams, asyncio.Streams]> {
  const ends = await memoryStreams(options);
  open.push(...ends.map(([, writer]) => writer.transport));
  return ends;
}

/** A transport over one end. */
async function over(channel: MemoryChannel, listener: Listener = new Listener()): Promise<asyncio.Transport> {
  const loop = asyncio.getRunningLoop();
  const [transport] = await createTask(() => attach(loop, channel, () => listener));
  open.push(transport);
  return transport;
}

describe("memoryStreams()", () => {
  test("is two ends of one connection, in either syntax", async () => {
    await run(async () => {
      const [[here, write], [there, answer]] = await connected();
      write.write("question\n");
      expect(textOf(await there.readline())).toBe("question\n");
      answer.write("answer\n");
      expect(textOf(await here.readline())).toBe("answer\n");
      expect(write.getExtraInfo("peername")).toBe("memory");
      expect(write.getExtraInfo("sockname")).toBe("memory");
      expect(write.getExtraInfo("socket")).toBeNull();
    });
    await play(function* () {
      const [[, write], [there, answer]] = yield* memoryStreams();
      write.write("line\n");
      expect(textOf(yield* there.readline())).toBe("line\n");
      write.close();
      answer.close();
      yield* write.waitClosed();
      yield* answer.waitClosed();
    });
  });

  test("bytes may be changed once they are written", async () => {
    await run(async () => {
      const [[, writer], [reader]] = await connected();
      const bytes = Uint8Array.of(1, 2, 3);
      writer.write(bytes);
      bytes.fill(9);
      expect([...(await reader.readexactly(3))]).toEqual([1, 2, 3]);
    });
  });

  test("limit is that of both readers", async () => {
    await run(async () => {
      const [[, writer], [reader]] = await connected({ limit: 4 });
      writer.write("too long a line\n");
      await expect(Promise.resolve(reader.readline())).rejects.toBeInstanceOf(RangeError);
    });
  });

  test("latency is how long bytes are on their way", async () => {
    await run(async ({ loop }) => {
      const [[, writer], [reader]] = await connected({ latency: { minutes: 1 } });
      writer.write("a");
      await reader.readexactly(1);
      expect(loop.time()).toBe(60);
      writer.close();
      expect((await reader.read()).length).toBe(0);
      expect(loop.time()).toBe(120);
    });
  });

  test("latency is that of each write: the second does not come earlier for the first", async () => {
    await run(async ({ loop }) => {
      const [[, writer], [reader]] = await connected({ latency: 60 });
      writer.write("a");
      await sleep(30);
      writer.write("b");
      await reader.readexactly(1);
      expect(loop.time()).toBe(60);
      await reader.readexactly(1);
      expect(loop.time()).toBe(90);
    });
  });

  test("latency is no pause between pieces: what was written at once arrives at once", async () => {
    await run(async ({ loop }) => {
      const [[, writer], [reader]] = await connected({ latency: 60, chunk: () => 1 });
      writer.write("many bytes");
      expect(textOf(await reader.readexactly(10))).toBe("many bytes");
      expect(loop.time()).toBe(60);
    });
  });

  test("chunk says how many bytes come at once: at least one, and no more than there are", async () => {
    await run(async () => {
      const sizes = [2, 0, -1, Infinity];
      const asked: number[] = [];
      const chunk = (available: number): number => {
        asked.push(available);
        return sizes.shift() ?? 1;
      };
      const [[, writer], [reader]] = await connected({ chunk });
      writer.write("abcdefgh");
      const pieces: string[] = [];
      for (let i = 0; i < 4; i++) pieces.push(textOf(await reader.read(100)));
      expect(pieces).toEqual(["ab", "c", "d", "efgh"]);
      expect(asked).toEqual([8, 6, 5, 4]);
    });
  });

  test("capacity is how much is on its way, before the sender has something that waits", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop, { capacity: 4 });
      const transport = await over(here);
      transport.write("1234");
      expect(transport.getWriteBufferSize()).toBe(0);
      transport.write("567");
      expect(transport.getWriteBufferSize()).toBe(3);
      const listener = new Listener();
      await over(there, listener);
      await settle();
      expect(listener.heard).toEqual(["made", "1234", "567"]);
      expect(transport.getWriteBufferSize()).toBe(0);
    });
  });

  test("abort loses what had no room; what is on its way arrives, and then the end", async () => {
    await run(async () => {
      const [[, writer], [reader]] = await connected({ capacity: 4, latency: 1 });
      writer.write("12345678");
      writer.transport.abort();
      expect(textOf(await reader.read())).toBe("1234");
    });
  });

  test("a sender with bytes that wait is told when the other end is closed", async () => {
    await run(async () => {
      const [[, writer], [, other]] = await connected({ capacity: 4, latency: 1 });
      writer.transport.setWriteBufferLimits({ high: 0 });
      writer.write("12345678");
      const draining = createTask(writer.drain());
      await settle();
      other.close();
      await expect(Promise.resolve(draining)).rejects.toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("left open at the end of the loop it is warned of, and the loop is closed", async () => {
    const log = await logOf(async () => {
      await runAsItIs(async () => {
        const [[, writer]] = await memoryStreams();
        writer.write("unread");
      });
    });
    expect(log).toHaveLength(2);
    expect(log[0]).toContain("unclosed <StreamTransport open");
  });

  test("writing to an end that is closed is a reset, in a later turn", async () => {
    await run(async () => {
      const [[reader, writer], [, other]] = await connected();
      other.close();
      await other.waitClosed();
      writer.write("too late");
      expect(writer.isClosing()).toBe(false);
      await expect(Promise.resolve(writer.waitClosed())).rejects.toBeInstanceOf(asyncio.ConnectionResetError);
      expect(reader.exception()).toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });
});

describe("MemoryChannel", () => {
  test("reset() breaks both ends at once, and what was on its way is lost", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop, { latency: 1 });
      const [one, other] = [new Listener(), new Listener()];
      const transport = await over(here, one);
      await over(there, other);
      transport.write("lost");
      here.reset();
      await sleep(2);
      expect(one.heard).toEqual(["made", "lost reset by peer"]);
      expect(other.heard).toEqual(["made", "lost reset by peer"]);
    });
  });

  test("reset(error) is the error of both", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop);
      const [one, other] = [new Listener(), new Listener()];
      await over(here, one);
      await over(there, other);
      there.reset(new Error("unplugged"));
      await settle();
      expect([one.heard, other.heard]).toEqual([
        ["made", "lost unplugged"],
        ["made", "lost unplugged"],
      ]);
    });
  });

  test("what was written before the other end is opened waits for it", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop);
      const transport = await over(here);
      transport.write("early");
      transport.close();
      await settle();
      const listener = new Listener();
      await over(there, listener);
      await settle();
      expect(listener.heard).toEqual(["made", "early", "eof", "lost null"]);
    });
  });

  test("a reset before an end is opened is heard of when it is", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop);
      here.reset();
      const listener = new Listener();
      await over(there, listener);
      await settle();
      expect(listener.heard).toEqual(["made", "lost reset by peer"]);
    });
  });

  test("pause and resume while bytes are on their way", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop, { latency: 1 });
      const sender = await over(here);
      const listener = new Listener();
      const receiver = await over(there, listener);
      sender.write("data");
      receiver.pauseReading();
      await sleep(5);
      expect(listener.heard).toEqual(["made"]);
      receiver.resumeReading();
      await sleep(5);
      expect(listener.heard).toEqual(["made", "data"]);
    });
  });

  test("destroying twice is destroying once", async () => {
    await run(async ({ loop }) => {
      const [here, there] = memoryChannels(loop);
      const listener = new Listener();
      await over(there, listener);
      here.destroy();
      here.destroy();
      await settle();
      expect(listener.heard).toEqual(["made", "eof", "lost null"]);
    });
  });
});

describe("bad lines", () => {
  test("a slow line sends so many bytes a second", async () => {
    await run(async ({ loop }) => {
      const [[, write], [there]] = await connected({ bytesPerSecond: 10, latency: 1 });
      write.write("0123456789");
      write.write("01234");
      await there.readexactly(10);
      expect(loop.time()).toBeCloseTo(2);
      await there.readexactly(5);
      expect(loop.time()).toBeCloseTo(2.5);
      write.write("0123456789");
      await there.readexactly(10);
      expect(loop.time()).toBeCloseTo(4.5);
    });
  });

  test("one that loses its connection resets both ends, after so many bytes in one direction", async () => {
    await run(async () => {
      const [[here, write], [there, answer]] = await connected({ resetAfter: 4 });
      answer.write("ok");
      write.write("0123");
      expect(String(await there.readexactly(4))).toBe("0123");
      expect(String(await here.read(2))).toBe("ok");
      write.write("4");
      await expect(there.read()).rejects.toThrow(asyncio.ConnectionResetError);
      await expect(here.read()).rejects.toThrow("reset by peer");
    });
  });

  test("what was written in one piece is sent as far as it goes", async () => {
    await run(async () => {
      const [[, write], [there]] = await connected({ resetAfter: 4 });
      write.write("01234567");
      expect(String(await there.readexactly(4))).toBe("0123");
      await expect(there.read()).rejects.toThrow(asyncio.ConnectionResetError);
    });
  });
});
