/** StreamTransport over a channel of the test's own: asyncio's rules of order, one by one. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { attach, StreamTransport } from "../../../../src/core/network/stream-transport.ts";
import { run as play } from "../../virtual.ts";
import { bytesOf, connect, connected, FakeChannel, Listener, logOf, run, settle, textOf } from "./support.ts";

const { sleep } = asyncio;
const failure = new Error("on purpose");

describe("the beginning", () => {
  test("connectionMade comes in a turn of its own, then the channel is opened, then the waiter is done", async () => {
    await run(async ({ loop }) => {
      const waiter = loop.createFuture();
      const { channel, listener } = connect({ waiter });
      listener.react = () => listener.heard.push(`open: ${channel.isOpen}, waiter: ${waiter.done()}`);
      expect(listener.heard).toEqual([]);
      await waiter;
      expect(listener.heard).toEqual(["made", "open: false, waiter: false"]);
      expect(channel.calls).toEqual(["open"]);
    });
  });

  test("bytes that the channel has at once come after connectionMade", async () => {
    await run(async () => {
      class Hasty extends FakeChannel {
        override open(client: Parameters<FakeChannel["open"]>[0]): void {
          super.open(client);
          this.receive("early");
        }
      }
      const { listener } = await connected({ channel: new Hasty() });
      expect(listener.heard).toEqual(["made", "early"]);
    });
  });

  test("reading that is paused in connectionMade begins when it is resumed", async () => {
    await run(async () => {
      const { channel, listener, transport } = connect();
      listener.react = (what) => what === "made" && transport.pauseReading();
      await settle();
      expect(channel.calls).toEqual(["pause", "open", "pause"]);
      expect(transport.isReading()).toBe(false);
      transport.resumeReading();
      expect(channel.calls.at(-1)).toBe("resume");
    });
  });

  test("closed in connectionMade, it reads nothing and is lost", async () => {
    await run(async () => {
      const { channel, listener, transport } = connect();
      listener.react = (what) => what === "made" && transport.close();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(channel.isOpen).toBe(false);
      expect(channel.calls.at(-1)).toBe("destroy");
    });
  });

  test("written to in connectionMade and closed, it sends before it is lost", async () => {
    await run(async () => {
      const { channel, listener, transport } = connect();
      listener.react = (what) => {
        if (what !== "made") return;
        transport.write("hello");
        transport.close();
      };
      await settle();
      expect(listener.heard).toEqual(["made"]);
      channel.flush();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("the protocol of an upgrade is not told of the connection a second time", async () => {
    await run(async () => {
      const { channel, listener } = await connected({ isUpgrade: true });
      channel.receive("data");
      await settle();
      expect(listener.heard).toEqual(["data"]);
    });
  });

  test("attach() is the transport and its protocol, in either syntax", async () => {
    await run(function* ({ loop }) {
      const [transport, protocol] = yield* attach(loop, new FakeChannel(), () => new Listener());
      expect(transport.getProtocol()).toBe(protocol);
      expect(protocol.heard).toEqual(["made"]);
      transport.close();
      yield* sleep(0);
    });
  });

  test("attach() with a factory that throws destroys the channel", async () => {
    await run(async ({ loop }) => {
      const channel = new FakeChannel();
      const attaching = loop.createTask(() =>
        attach(loop, channel, () => {
          throw failure;
        }),
      );
      await expect(Promise.resolve(attaching)).rejects.toBe(failure);
      expect(channel.calls).toEqual(["destroy"]);
    });
  });

  test("attach() that is cancelled closes the connection, of which the protocol hears", async () => {
    await run(async ({ loop }) => {
      const listener = new Listener();
      const channel = new FakeChannel();
      const attaching = loop.createTask(() => attach(loop, channel, () => listener));
      await sleep(0);
      attaching.cancel();
      await settle();
      expect(attaching.cancelled()).toBe(true);
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(channel.calls.at(-1)).toBe("destroy");
    });
  });
});

describe("receiving", () => {
  test("each piece comes in a turn of its own, in order, and the end after them", async () => {
    await run(async ({ loop }) => {
      const { channel, listener } = await connected();
      listener.react = (what) => {
        if (what.startsWith("after")) return undefined;
        loop.callSoon(() => listener.heard.push(`after ${what}`));
        return true;
      };
      channel.receive("1", "2");
      channel.client.ended();
      expect(listener.heard).toEqual(["made"]);
      await settle();
      expect(listener.heard.slice(1)).toEqual(["1", "2", "eof", "after 1", "after 2", "after eof"]);
    });
  });

  test("what comes while it is paused is held, and given one piece a turn, the end last", async () => {
    await run(async ({ loop }) => {
      const { channel, listener, transport } = await connected();
      listener.react = (what) => {
        loop.callSoon(() => listener.heard.push(`after ${what}`));
        return true;
      };
      transport.pauseReading();
      channel.receive("1", "2");
      channel.client.ended();
      await settle();
      expect(listener.heard).toEqual(["made"]);
      transport.resumeReading();
      expect(transport.isReading()).toBe(true);
      await settle();
      expect(listener.heard).toEqual(["made", "1", "after 1", "2", "after 2", "eof", "after eof"]);
      expect(channel.calls).toEqual(["open", "pause", "resume"]);
    });
  });

  test("paused and resumed between pieces that have come already, they keep their order", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      listener.react = (what) => {
        if (what === "1") transport.pauseReading();
        return true;
      };
      channel.receive("1", "2", "3");
      channel.client.ended();
      const resume = (): void => {
        // The second is held, the third and the end are still to be told.
        transport.resumeReading();
        channel.receive("4");
      };
      asyncio.getRunningLoop().callSoon(resume);
      await settle();
      expect(listener.heard).toEqual(["made", "1", "2", "3", "eof"]);
    });
  });

  test("resumed from inside of a turn in which more pieces wait, nothing is overtaken", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.pauseReading();
      channel.receive("1");
      await settle();
      channel.receive("2", "3");
      transport.resumeReading();
      await settle();
      expect(listener.heard).toEqual(["made", "1", "2", "3"]);
    });
  });

  test("paused again by the first of the pieces that were held, it holds the rest", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      listener.react = (what) => what === "1" && transport.pauseReading();
      transport.pauseReading();
      channel.receive("1", "2");
      await settle();
      transport.resumeReading();
      await settle();
      expect(listener.heard).toEqual(["made", "1"]);
      expect(transport.isReading()).toBe(false);
      transport.resumeReading();
      await settle();
      expect(listener.heard).toEqual(["made", "1", "2"]);
    });
  });

  test("paused again before the held pieces are given, it gives none", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.pauseReading();
      channel.receive("1");
      await settle();
      transport.resumeReading();
      transport.pauseReading();
      await settle();
      expect(listener.heard).toEqual(["made"]);
    });
  });

  test("closed by the first of the pieces that were held, it gives no more", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      listener.react = (what) => what === "1" && transport.close();
      transport.pauseReading();
      channel.receive("1", "2");
      await settle();
      transport.resumeReading();
      await settle();
      expect(listener.heard).toEqual(["made", "1", "lost null"]);
    });
  });

  test("pausing twice is pausing once, and so is resuming; closed, it neither pauses nor resumes", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      transport.resumeReading();
      transport.pauseReading();
      transport.pauseReading();
      transport.resumeReading();
      transport.resumeReading();
      expect(channel.calls).toEqual(["open", "pause", "resume"]);
      transport.close();
      expect(transport.isReading()).toBe(false);
      channel.calls.length = 0;
      transport.pauseReading();
      transport.resumeReading();
      expect(channel.calls).toEqual([]);
    });
  });

  test("after the end nothing comes, and the end comes once", async () => {
    await run(async () => {
      const { channel, listener } = await connected();
      listener.react = () => true;
      channel.client.ended();
      channel.client.ended();
      channel.receive("late");
      await settle();
      expect(listener.heard).toEqual(["made", "eof"]);
    });
  });

  test.each([
    ["returns true", true, true, "open"],
    ["returns nothing", undefined, true, "lost null"],
    ["returns false", false, true, "lost null"],
    ["returns true, but its end cannot be ended alone", true, false, "lost null"],
  ])("a protocol whose eofReceived %s", async (_name, answer, canWriteEof, state) => {
    await run(async () => {
      const { channel, listener, transport } = await connected({ channel: new FakeChannel({ canWriteEof }) });
      listener.react = () => answer;
      channel.client.ended();
      await settle();
      const expected = state === "open" ? [] : [state];
      expect(listener.heard).toEqual(["made", "eof", ...expected]);
      expect(transport.isClosing()).toBe(state !== "open");
    });
  });

  test("a protocol of which nothing is heard: data is dropped, and the end closes it", async () => {
    await run(async () => {
      const { channel, transport } = await connected({ protocol: {} });
      channel.receive("data");
      channel.client.ended();
      await settle();
      expect(channel.calls).toEqual(["open", "pause", "destroy"]);
      expect(String(transport)).toContain("closed");
    });
  });

  test("a protocol replaced in dataReceived does not get that piece, and its successor gets the next", async () => {
    await run(async () => {
      const next = new Listener();
      const { channel, listener, transport } = await connected();
      listener.react = () => transport.setProtocol(next);
      channel.receive("1", "2");
      await settle();
      expect([listener.heard, next.heard]).toEqual([["made", "1"], ["2"]]);
      expect(transport.getProtocol()).toBe(next);
      transport.close();
      await settle();
      expect(next.heard).toEqual(["2", "lost null"]);
    });
  });
});

describe("a protocol with buffers of its own", () => {
  class Buffered implements asyncio.BufferedProtocol {
    readonly heard: string[] = [];
    readonly hints: number[] = [];
    transport: asyncio.Transport | null = null;
    #buffer: Uint8Array;
    onUpdate: () => unknown = () => {};

    constructor(size: number) {
      this.#buffer = new Uint8Array(size);
    }

    connectionMade(transport: asyncio.Transport): void {
      this.transport = transport;
    }

    getBuffer(hint: number): Uint8Array {
      this.hints.push(hint);
      return this.#buffer;
    }

    bufferUpdated(count: number): void {
      this.heard.push(textOf(this.#buffer.subarray(0, count)));
      this.onUpdate();
    }

    connectionLost(error: unknown): void {
      this.heard.push(`lost ${error === null ? "null" : (error as Error).message}`);
    }
  }

  test("gets what fits, again and again, and is told how much there is", async () => {
    await run(async () => {
      const protocol = new Buffered(4);
      const { channel } = await connected({ protocol });
      channel.receive("0123456789");
      await settle();
      expect(protocol.heard).toEqual(["0123", "4567", "89"]);
      expect(protocol.hints).toEqual([10, 6, 2]);
    });
  });

  test("that gives too little room is an error, and ends the connection", async () => {
    const reports = await run(async () => {
      const protocol = new Buffered(0);
      const { channel } = await connected({ protocol });
      channel.receive("data");
      await settle();
      expect(protocol.heard).toEqual(["lost getBuffer() returned an empty buffer"]);
    });
    expect(reports.map(({ message }) => message)).toEqual(["Fatal error: protocol.getBuffer() call failed."]);
  });

  test("that throws in bufferUpdated ends the connection", async () => {
    const reports = await run(async () => {
      const protocol = new Buffered(2);
      protocol.onUpdate = () => {
        throw failure;
      };
      const { channel } = await connected({ protocol });
      channel.receive("data");
      await settle();
      expect(protocol.heard).toEqual(["da", "lost on purpose"]);
    });
    expect(reports.map(({ message }) => message)).toEqual(["Fatal error: protocol.bufferUpdated() call failed."]);
  });

  test("that closes with half a piece gets no more of it", async () => {
    await run(async () => {
      const protocol = new Buffered(2);
      protocol.onUpdate = () => protocol.transport!.close();
      const { channel } = await connected({ protocol });
      channel.receive("data");
      await settle();
      expect(protocol.heard).toEqual(["da", "lost null"]);
    });
  });

  test("that is replaced with half a piece leaves the rest to its successor", async () => {
    await run(async () => {
      const protocol = new Buffered(2);
      const next = new Listener();
      protocol.onUpdate = () => protocol.transport!.setProtocol(next);
      const { channel } = await connected({ protocol });
      channel.receive("data");
      await settle();
      expect([protocol.heard, next.heard]).toEqual([["da"], ["ta"]]);
    });
  });

  test("that pauses with half a piece gets the rest when it resumes, before what came later", async () => {
    await run(async () => {
      const protocol = new Buffered(2);
      protocol.onUpdate = () => protocol.heard.length === 1 && protocol.transport!.pauseReading();
      const { channel, transport } = await connected({ protocol });
      channel.receive("data", "more");
      await settle();
      expect(protocol.heard).toEqual(["da"]);
      transport.resumeReading();
      await settle();
      expect(protocol.heard).toEqual(["da", "ta", "mo", "re"]);
    });
  });

  test("its end closes it, as there is no eofReceived", async () => {
    await run(async () => {
      const protocol = new Buffered(2);
      const { channel } = await connected({ protocol });
      channel.client.ended();
      await settle();
      expect(protocol.heard).toEqual(["lost null"]);
    });
  });
});

describe("sending", () => {
  test("bytes and strings, alone and as one; nothing is not sent", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      transport.write("one");
      transport.write(bytesOf("two"));
      transport.write("");
      transport.writelines(["three", bytesOf("four"), ""]);
      transport.writelines([]);
      expect(channel.calls).toEqual(["open", "write one", "write two", "write three|four"]);
    });
  });

  test("what is neither bytes nor a string is a TypeError, and none of a list is sent", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      expect(() => transport.write(1 as unknown as string)).toThrow(TypeError);
      expect(() => transport.writelines(["good", null as unknown as string])).toThrow(TypeError);
      expect(channel.calls).toEqual(["open"]);
    });
  });

  test("writeEof once; after it write and writelines are errors, also when it is closed", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      transport.write("last");
      transport.writeEof();
      transport.writeEof();
      expect(channel.calls).toEqual(["open", "write last", "writeEof"]);
      expect(() => transport.write("more")).toThrow("Cannot call write() after writeEof()");
      expect(() => transport.writelines(["more"])).toThrow("Cannot call writelines() after writeEof()");
      expect(String(transport)).toContain("eof written");
      channel.flush();
      transport.close();
      await settle();
      expect(() => transport.write("more")).toThrow(asyncio.RuntimeError);
      transport.writeEof();
    });
  });

  test("writeEof after close does nothing", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      transport.close();
      transport.writeEof();
      expect(channel.calls).not.toContain("writeEof");
    });
  });

  test("writeEof on a channel without it is an error", async () => {
    await run(async () => {
      const { transport } = await connected({ channel: new FakeChannel({ canWriteEof: false }) });
      expect(transport.canWriteEof()).toBe(false);
      expect(() => transport.writeEof()).toThrow("writeEof() is not supported by this transport");
    });
  });

  test("writes to a lost connection are counted, and the fifth is warned of", async () => {
    await run(async () => {
      const { channel, transport } = await connected();
      transport.abort();
      await settle();
      const quiet = await logOf(async () => {
        for (let i = 0; i < 4; i++) transport.write("x");
      });
      expect(quiet).toEqual([]);
      const loud = await logOf(async () => transport.writelines(["x"]));
      expect(loud).toEqual([
        expect.stringContaining("writelines() to a connection that is lost: <StreamTransport closed"),
      ]);
      expect(channel.calls.filter((call) => call.startsWith("write"))).toEqual([]);
    });
  });
});

describe("write limits", () => {
  test("are 64 KiB and a quarter of it", async () => {
    await run(async () => {
      const { transport } = await connected();
      expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
    });
  });

  test("of a channel that has its own", async () => {
    await run(async () => {
      const channel = Object.assign(new FakeChannel(), { limits: { high: 1000 } });
      const { transport } = await connected({ channel });
      expect(transport.getWriteBufferLimits()).toEqual({ low: 250, high: 1000 });
      transport.setWriteBufferLimits({ high: 10 });
      transport.setWriteBufferLimits();
      expect(transport.getWriteBufferLimits()).toEqual({ low: 250, high: 1000 });
    });
  });

  test.each([
    [{}, { low: 16_384, high: 65_536 }],
    [{ high: 0 }, { low: 0, high: 0 }],
    [{ high: 10 }, { low: 2, high: 10 }],
    [{ low: 10 }, { low: 10, high: 40 }],
    [{ low: 0 }, { low: 0, high: 0 }],
    [
      { low: 5, high: 5 },
      { low: 5, high: 5 },
    ],
  ])("set to %j they are %j", async (given, limits) => {
    await run(async () => {
      const { transport } = await connected();
      transport.setWriteBufferLimits(given);
      expect(transport.getWriteBufferLimits()).toEqual(limits);
    });
  });

  test.each([
    [{ low: 2, high: 1 }],
    [{ low: -1 }],
    [{ high: -1 }],
    [{ high: Number.NaN }],
    [{ low: Number.NaN, high: 1 }],
  ])("%j is a RangeError, and changes nothing", async (given) => {
    await run(async () => {
      const { transport } = await connected();
      expect(() => transport.setWriteBufferLimits(given)).toThrow(RangeError);
      expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
    });
  });

  test("pauseWriting is called inside of the write that goes above high, once; resumeWriting at low, once", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.setWriteBufferLimits({ low: 2, high: 4 });
      transport.write("1234");
      expect(listener.heard).toEqual(["made"]);
      transport.write("5");
      expect(listener.heard).toEqual(["made", "pauseWriting"]);
      expect(transport.getWriteBufferSize()).toBe(5);
      expect(transport._isWritingPaused).toBe(true);
      transport.write("6");
      channel.flush(3);
      await settle();
      expect(listener.heard).toEqual(["made", "pauseWriting"]);
      channel.flush(2);
      channel.flush(0);
      expect(listener.heard).toEqual(["made", "pauseWriting"]);
      await settle();
      expect(listener.heard).toEqual(["made", "pauseWriting", "resumeWriting"]);
      transport.write("12345");
      expect(listener.heard.at(-1)).toBe("pauseWriting");
    });
  });

  test("setting them pauses or resumes at once, if what waits is beyond them", async () => {
    await run(async () => {
      const { listener, transport } = await connected();
      transport.write("12345");
      transport.setWriteBufferLimits({ high: 4 });
      transport.setWriteBufferLimits({ high: 4 });
      expect(listener.heard).toEqual(["made", "pauseWriting"]);
      transport.setWriteBufferLimits({ high: 20 });
      expect(listener.heard).toEqual(["made", "pauseWriting", "resumeWriting"]);
    });
  });

  test("high 0: everything that waits pauses, and the last byte sent resumes", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.setWriteBufferLimits({ high: 0 });
      transport.write("1");
      channel.flush();
      await settle();
      expect(listener.heard).toEqual(["made", "pauseWriting", "resumeWriting"]);
    });
  });

  test("a write from inside of resumeWriting may pause again", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.setWriteBufferLimits({ high: 4 });
      listener.react = (what) => what === "resumeWriting" && transport.write("again");
      transport.write("12345");
      channel.flush();
      await settle();
      expect(listener.heard).toEqual(["made", "pauseWriting", "resumeWriting", "pauseWriting"]);
    });
  });
});

describe("the end", () => {
  test("close sends what waits, reads no more, and tells of the loss once, in a turn of its own", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.write("12345");
      channel.receive("on its way");
      transport.close();
      transport.close();
      expect(transport.isClosing()).toBe(true);
      channel.receive("too late");
      channel.client.ended();
      await settle();
      expect(listener.heard).toEqual(["made"]);
      expect(String(transport)).toBe("<StreamTransport closing peername='the test' pending=5>");
      channel.flush(1);
      await settle();
      expect(listener.heard).toEqual(["made"]);
      channel.flush();
      expect(listener.heard).toEqual(["made"]);
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(channel.calls).toEqual(["open", "write 12345", "pause", "destroy"]);
      channel.client.flushed();
      channel.client.closed();
      transport.close();
      transport.abort();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("what was held is dropped by close", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.pauseReading();
      channel.receive("1");
      await settle();
      transport.resumeReading();
      transport.close();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("writes between close and the loss are sent too, if something still waits", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.write("1");
      transport.close();
      transport.write("2");
      expect(channel.calls).toContain("write 2");
      channel.flush();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("abort drops what waits, and destroys the channel at once", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.write("12345");
      transport.abort();
      transport.abort();
      expect(channel.calls.at(-1)).toBe("destroy");
      expect(transport.getWriteBufferSize()).toBe(0);
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("abort while it is closing does not wait any more", async () => {
    await run(async () => {
      const { listener, transport } = await connected();
      transport.write("12345");
      transport.close();
      transport.abort();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("a channel that fails: connectionLost has the error, once, after the bytes that came before", async () => {
    await run(async () => {
      const { channel, listener } = await connected();
      channel.receive("before");
      channel.client.failed(failure);
      channel.client.failed(new Error("a second time"));
      await settle();
      expect(listener.heard).toEqual(["made", "before", "lost on purpose"]);
    });
  });

  test("a channel that fails is a matter for the log in debug mode, and no report", async () => {
    const log = await logOf(async () => {
      const reports = await play(
        async () => {
          const { channel } = await connected();
          channel.client.failed(failure);
          await settle();
        },
        { debug: true },
      );
      expect(reports).toEqual([]);
    });
    expect(log).toEqual(["<StreamTransport open peername='the test' pending=0>: Error: on purpose"]);
  });

  test("a channel that is closed by itself: connectionLost has no error", async () => {
    await run(async () => {
      const { channel, listener } = await connected();
      channel.client.closed();
      channel.client.failed(failure);
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("a channel that is closed while bytes wait: they are lost, and close is over", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.write("12345");
      transport.close();
      channel.client.closed();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("a channel with a farewell says it when everything is sent, and is lost when it is answered", async () => {
    await run(async () => {
      const said: string[] = [];
      const channel = new FakeChannel({ farewell: () => said.push("goodbye") });
      const { listener, transport } = await connected({ channel });
      transport.write("12345");
      transport.close();
      await settle();
      expect(said).toEqual([]);
      channel.flush();
      await settle();
      expect([said, listener.heard]).toEqual([["goodbye"], ["made"]]);
      channel.client.flushed();
      await settle();
      expect([said, listener.heard]).toEqual([["goodbye"], ["made"]]);
      channel.client.closed();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
    });
  });

  test("a farewell that fails: connectionLost has the error", async () => {
    await run(async () => {
      const channel = new FakeChannel({ farewell: () => {} });
      const { listener, transport } = await connected({ channel });
      transport.close();
      channel.client.failed(failure);
      await settle();
      expect(listener.heard).toEqual(["made", "lost on purpose"]);
      expect(channel.calls.at(-1)).toBe("destroy");
    });
  });

  test("connectionLost is the last: a write to a transport that was lost while it closed goes nowhere", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected();
      transport.setWriteBufferLimits({ high: 4 });
      transport.write("12345");
      transport.close();
      channel.client.failed(failure);
      transport.write("late");
      await settle();
      transport.write("too late");
      await settle();
      expect(channel.calls.filter((call) => call.startsWith("write"))).toEqual(["write 12345"]);
      expect(listener.heard).toEqual(["made", "pauseWriting", "lost on purpose"]);
    });
  });

  test("connectionLost is the last: limits set after it resume nothing", async () => {
    await run(async () => {
      const { listener, transport } = await connected();
      transport.setWriteBufferLimits({ high: 4 });
      transport.write("12345");
      transport.abort();
      await settle();
      transport.setWriteBufferLimits({ high: 1000 });
      expect(listener.heard).toEqual(["made", "pauseWriting", "lost null"]);
      expect(transport.getWriteBufferLimits()).toEqual({ low: 250, high: 1000 });
    });
  });

  test("it is open, then closing, then closed, with or without a farewell", async () => {
    await run(async () => {
      const wordsOf = async (channel: FakeChannel): Promise<string[]> => {
        const { transport } = await connected({ channel });
        const words = [String(transport)];
        transport.write("12345");
        transport.close();
        words.push(String(transport));
        channel.flush();
        await settle();
        words.push(String(transport));
        if (channel.farewell !== undefined) channel.client.closed();
        return [...words, String(transport)].map((text) => text.split(" ")[1]!);
      };
      expect(await wordsOf(new FakeChannel())).toEqual(["open", "closing", "closed", "closed"]);
      expect(await wordsOf(new FakeChannel({ farewell: () => {} }))).toEqual(["open", "closing", "closing", "closed"]);
    });
  });

  test.each([
    ["without a farewell", new FakeChannel()],
    ["with a farewell, which is not said", new FakeChannel({ farewell: () => expect.fail("said") })],
  ])("a channel %s that is broken when it is closed: connectionLost has the error, once", async (_kind, channel) => {
    await run(async () => {
      const { listener, transport } = await connected({ channel: Object.assign(channel, { error: failure }) });
      transport.close();
      channel.client.failed(failure);
      await settle();
      expect(listener.heard).toEqual(["made", "lost on purpose"]);
    });
  });

  test("an owner is told of it at the beginning and at the end", async () => {
    await run(async () => {
      const owner = new Owner();
      const { transport } = await connected({ owner });
      expect([...owner.known]).toEqual([transport]);
      transport.close();
      await settle();
      expect(owner.known.size).toBe(0);
    });
  });

  test("a transport that nobody closes is warned of at the end of the loop, and destroyed", async () => {
    const channel = new FakeChannel();
    const log = await logOf(() => play(() => connected({ channel })));
    expect(log).toEqual([expect.stringContaining("unclosed <StreamTransport open")]);
    expect(channel.calls).toEqual(["open", "destroy"]);
  });

  test("a transport that is closing at the end of the loop is destroyed without a word", async () => {
    const channel = new FakeChannel();
    const log = await logOf(() =>
      play(async () => {
        const { transport } = await connected({ channel });
        transport.write("12345");
        transport.close();
      }),
    );
    expect(log).toEqual([]);
    expect(channel.calls.at(-1)).toBe("destroy");
  });

  test("what a channel reports after the loop is closed reaches nobody", async () => {
    const channel = new FakeChannel();
    const listener = new Listener();
    await run(async () => {
      const { transport } = await connected({ channel, protocol: listener });
      transport.write("12345");
      transport.close();
    });
    channel.client.closed();
    channel.client.failed(failure);
    channel.receive("data");
    channel.client.ended();
    await new Promise((resolve) => setImmediate(resolve));
    expect(listener.heard).toEqual(["made"]);
  });

  test("a transport that is lost after the loop is closed is lost without a word", async () => {
    const { loop } = await new Promise<{ loop: asyncio.BaseEventLoop }>((resolve, reject) => {
      run(async (world) => resolve(world)).catch(reject);
    });
    await new Promise((resolve) => setImmediate(resolve));
    const transport = new StreamTransport(loop, new FakeChannel(), new Listener());
    transport.abort();
    expect(String(transport)).toContain("closed");
  });
});

describe("a protocol that throws", () => {
  test.each([
    ["connectionMade", "made", ["made", "lost on purpose"]],
    ["dataReceived", "data", ["made", "data", "lost on purpose"]],
    ["eofReceived", "eof", ["made", "data", "eof", "lost on purpose"]],
  ])("in %s is reported, and the connection is lost with the error", async (name, what, heard) => {
    const reports = await run(async () => {
      const { channel, listener, transport } = connect();
      listener.react = (heardNow) => {
        if (heardNow === what) throw failure;
      };
      await settle();
      if (channel.isOpen) {
        channel.receive("data");
        channel.client.ended();
        await settle();
      }
      expect(listener.heard).toEqual(heard);
      expect(transport.isClosing()).toBe(true);
      expect(channel.calls.at(-1)).toBe("destroy");
    });
    expect(reports).toMatchObject([{ message: `Fatal error: protocol.${name}() call failed.`, exception: failure }]);
    expect(reports[0]).toHaveProperty("transport");
    expect(reports[0]).toHaveProperty("protocol");
  });

  test("in connectionLost is reported, and everything is put away all the same", async () => {
    const owner = new Owner();
    const reports = await run(async () => {
      const { channel, listener, transport } = await connected({ owner });
      listener.react = () => {
        throw failure;
      };
      transport.close();
      await settle();
      expect(listener.heard).toEqual(["made", "lost null"]);
      expect(channel.calls.at(-1)).toBe("destroy");
      expect(owner.known.size).toBe(0);
    });
    expect(reports.map(({ message }) => message)).toEqual(["Fatal error: protocol.connectionLost() call failed."]);
  });

  test.each(["pauseWriting", "resumeWriting"] as const)(
    "in %s is reported, and the connection goes on",
    async (name) => {
      const reports = await run(async () => {
        const { channel, listener, transport } = await connected();
        transport.setWriteBufferLimits({ high: 1 });
        listener.react = (what) => {
          if (what === name) throw failure;
        };
        transport.write("12345");
        channel.flush();
        await settle();
        expect(listener.heard).toEqual(["made", "pauseWriting", "resumeWriting"]);
        expect(transport.isClosing()).toBe(false);
      });
      expect(reports).toMatchObject([{ message: `protocol.${name}() failed`, exception: failure }]);
    },
  );

  test.each(["made", "pauseWriting"])("SystemExit at %s leaves the loop", async (what) => {
    const program = run(async () => {
      const { listener, transport } = connect();
      listener.react = (heard) => {
        if (heard === what) throw new asyncio.SystemExit(3);
      };
      await settle();
      transport.setWriteBufferLimits({ high: 1 });
      await logOf(async () => transport.write("12345"));
      await settle();
    });
    await expect(program).rejects.toBeInstanceOf(asyncio.SystemExit);
  });
});

describe("handing over the channel", () => {
  test("gives what the protocol has not got, and nobody hears of it", async () => {
    await run(async () => {
      const owner = new Owner();
      const { channel, listener, transport } = await connected({ owner });
      transport.pauseReading();
      channel.receive("held");
      await settle();
      channel.receive("waiting");
      expect(transport._handOver().map(textOf)).toEqual(["held", "waiting"]);
      expect([transport._owner, transport._channel]).toEqual([owner, channel]);
      expect(transport.isClosing()).toBe(true);
      const other = new StreamTransport(asyncio.getRunningLoop(), channel, listener, { owner, isUpgrade: true });
      transport._replacedBy(other);
      expect([...owner.known]).toEqual([other]);
      await settle();
      expect(listener.heard).toEqual(["made"]);
      expect(channel.calls).not.toContain("destroy");
    });
  });

  test("that fails is told to the protocol, and there is nothing to give a second time", async () => {
    await run(async () => {
      const { listener, transport } = await connected();
      transport._handOver();
      expect(() => transport._handOver()).toThrow("is closing");
      transport._failed(failure);
      await settle();
      expect(listener.heard).toEqual(["made", "lost on purpose"]);
    });
  });
});

describe("waiting until everything is sent", () => {
  test("takes no time if nothing waits, and ends with the last byte", async () => {
    await run(async ({ loop }) => {
      const { channel, transport } = await connected();
      await loop.createTask(() => transport._allSent());
      transport.write("12345");
      const sending = [1, 2].map(() => loop.createTask(() => transport._allSent()));
      channel.flush(1);
      await settle();
      expect(sending.map((task) => task.done())).toEqual([false, false]);
      channel.flush();
      await settle();
      expect(sending.map((task) => task.done())).toEqual([true, true]);
    });
  });

  test("ends with the connection too", async () => {
    await run(async ({ loop }) => {
      const { transport } = await connected();
      transport.write("12345");
      const sending = loop.createTask(() => transport._allSent());
      await settle();
      transport.abort();
      await sending;
      await loop.createTask(() => transport._allSent());
    });
  });
});

describe("getExtraInfo", () => {
  test("knows what it was given, then what the channel knows, else the fallback", async () => {
    await run(async () => {
      const { transport } = await connected({ extra: { host: "example.org" } });
      expect(transport.getExtraInfo("host")).toBe("example.org");
      expect(transport.getExtraInfo("peername")).toBe("the test");
      expect(transport.getExtraInfo("nothing")).toBeNull();
      expect(transport.getExtraInfo("nothing", "a fallback")).toBe("a fallback");
    });
  });
});

/** Keeps count of transports, as a server does. */
class Owner {
  readonly known: Set<StreamTransport> = new Set();

  _attach(transport: StreamTransport): void {
    this.known.add(transport);
  }

  _detach(transport: StreamTransport): void {
    this.known.delete(transport);
  }

  _replace(transport: StreamTransport, other: StreamTransport): void {
    this.known.delete(transport);
    this.known.add(other);
  }

  _idles(): void {}
}
