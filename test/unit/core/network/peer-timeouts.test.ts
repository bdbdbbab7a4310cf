/** Giving up on peers: `firstByteTimeout` and `idleTimeout`, on the virtual clock. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import type { PeerTimeouts } from "../../../../src/core/network/peer-timeouts.ts";
import { watched } from "../../../../src/core/network/peer-timeouts.ts";
import { StreamTransport } from "../../../../src/core/network/stream-transport.ts";
import { FakeChannel, Listener, run, settle } from "./support.ts";

const { sleep } = asyncio;

interface Watched {
  readonly channel: FakeChannel;
  readonly listener: Listener;
  readonly transport: StreamTransport;
}

async function connected(timeouts: PeerTimeouts, channel: FakeChannel = new FakeChannel()): Promise<Watched> {
  const loop = asyncio.getRunningLoop();
  const listener = new Listener();
  listener.react = () => true;
  const transport = new StreamTransport(loop, watched(loop, channel, timeouts), listener);
  transport.start();
  await settle();
  return { channel, listener, transport };
}

test("without a timeout there is no watch", async () => {
  await run(async ({ loop }) => {
    const channel = new FakeChannel();
    expect(watched(loop, channel, {})).toBe(channel);
  });
});

describe("firstByteTimeout", () => {
  test("a peer that says nothing is given up, with a TimeoutError", async () => {
    await run(async () => {
      const { listener, transport, channel } = await connected({ firstByteTimeout: 10 });
      await sleep(9.9);
      expect(listener.heard).toEqual(["made"]);
      await sleep(0.2);
      expect(listener.heard).toEqual(["made", "lost the peer sent nothing for 10 seconds"]);
      expect(transport.isClosing()).toBe(true);
      expect(channel.calls.at(-1)).toBe("destroy");
    });
  });

  test("one byte in time is enough", async () => {
    await run(async () => {
      const { channel, listener } = await connected({ firstByteTimeout: { seconds: 10 } });
      await sleep(9);
      channel.receive("x");
      await sleep(1000);
      expect(listener.heard).toEqual(["made", "x"]);
    });
  });

  test("what we send does not count", async () => {
    await run(async () => {
      const { listener, transport } = await connected({ firstByteTimeout: 10 });
      await sleep(5);
      transport.write("hello?");
      await sleep(6);
      expect(listener.heard.at(-1)).toBe("lost the peer sent nothing for 10 seconds");
    });
  });
});

describe("idleTimeout", () => {
  test("a connection without a byte in either direction is given up", async () => {
    await run(async () => {
      const { channel, listener } = await connected({ idleTimeout: 10 });
      await sleep(9);
      channel.receive("x");
      await sleep(9);
      expect(listener.heard).toEqual(["made", "x"]);
      await sleep(2);
      expect(listener.heard).toEqual(["made", "x", "lost the connection was idle for 10 seconds"]);
    });
  });

  test("bytes sent count when they are sent, and not before", async () => {
    await run(async () => {
      const { channel, listener, transport } = await connected({ idleTimeout: 10 });
      await sleep(8);
      transport.write("slowly");
      await sleep(1);
      channel.flush();
      await sleep(9.9);
      expect(listener.heard).toEqual(["made"]);
      await sleep(0.2);
      expect(listener.heard.at(-1)).toContain("idle for 10 seconds");
    });
  });

  test("a write that takes no time counts at once", async () => {
    await run(async () => {
      class Fast extends FakeChannel {
        override write(): void {
          this.calls.push("write");
        }
      }
      const { listener, transport } = await connected({ idleTimeout: 10 }, new Fast());
      await sleep(8);
      transport.write("at once");
      await sleep(9);
      expect(listener.heard).toEqual(["made"]);
    });
  });

  test("a peer that does not take what we send is idle", async () => {
    await run(async () => {
      const { listener, transport } = await connected({ idleTimeout: 10 });
      transport.write("never taken");
      await sleep(11);
      expect(listener.heard.at(-1)).toContain("idle for 10 seconds");
    });
  });

  test("a connection that we do not read from is not idle; resumed, the time begins anew", async () => {
    await run(async () => {
      const { listener, transport } = await connected({ idleTimeout: 10 });
      transport.pauseReading();
      await sleep(95);
      transport.resumeReading();
      await sleep(9.9);
      expect(listener.heard).toEqual(["made"]);
      await sleep(0.2);
      expect(listener.heard.at(-1)).toContain("idle for 10 seconds");
    });
  });
});

test("both: each has its own time", async () => {
  await run(async () => {
    const { channel, listener } = await connected({ firstByteTimeout: 3, idleTimeout: 10 });
    await sleep(2);
    channel.receive("x");
    await sleep(9);
    expect(listener.heard).toEqual(["made", "x"]);
    await sleep(2);
    expect(listener.heard.at(-1)).toContain("idle for 10 seconds");
  });
});

test("no timer is left when the connection has ended", async () => {
  await run(async ({ loop }) => {
    const { transport } = await connected({ firstByteTimeout: 1000, idleTimeout: 1000 });
    transport.close();
    await settle();
    const { timers, cancelledTimers } = loop.statistics();
    expect(timers).toBe(cancelledTimers);
  });
});

test("everything else is the channel's", async () => {
  await run(async () => {
    const said: string[] = [];
    const channel = Object.assign(new FakeChannel({ canWriteEof: false, farewell: () => said.push("goodbye") }), {
      limits: { high: 100 },
    });
    const { listener, transport } = await connected({ idleTimeout: 10 }, channel);
    expect(transport.getExtraInfo("peername")).toBe("the test");
    expect(transport.canWriteEof()).toBe(false);
    expect(transport.getWriteBufferLimits()).toEqual({ low: 25, high: 100 });
    transport.write("12345");
    expect(transport.getWriteBufferSize()).toBe(5);
    channel.client.ended();
    await settle();
    channel.flush();
    await settle();
    expect(said).toEqual(["goodbye"]);
    channel.client.closed();
    await settle();
    expect(listener.heard).toEqual(["made", "eof", "lost null"]);
  });
});

test("writeEof and a failure go through it", async () => {
  await run(async () => {
    const { channel, listener, transport } = await connected({ idleTimeout: 10 });
    expect(transport.getWriteBufferLimits()).toEqual({ low: 16_384, high: 65_536 });
    transport.writeEof();
    expect(channel.calls).toContain("writeEof");
    channel.client.failed(new Error("torn"));
    await settle();
    expect(listener.heard).toEqual(["made", "lost torn"]);
  });
});

test("the channel is told that what waits will be the last, and the watch goes on over another channel", async () => {
  await run(async ({ loop }) => {
    const told: string[] = [];
    const channel = Object.assign(new FakeChannel(), { closing: () => void told.push("closing") });
    const { transport } = await connected({ firstByteTimeout: 5, idleTimeout: 10 }, channel);
    transport.write("12345");
    transport.close();
    expect(told).toEqual(["closing"]);
    const watch = watched(loop, channel, { firstByteTimeout: 5, idleTimeout: 10 }) as unknown as Watch;
    expect(watch.watchedChannel).toBe(channel);
    watch.stop();
    const other = new FakeChannel();
    const listener = new Listener();
    new StreamTransport(loop, watch.goOnWith(other), listener).start();
    await sleep(9);
    expect(listener.heard).toEqual(["made"]);
    await sleep(2);
    expect(listener.heard.at(-1)).toContain("idle for 10 seconds");
  });
});

/** What a watched channel can do beside, for STARTTLS. */
interface Watch {
  readonly watchedChannel: FakeChannel;
  stop(): void;
  goOnWith(channel: FakeChannel): FakeChannel;
}
