/** Floods of small things: tiny chunks, lines that never end, writes of nothing, and the order of what comes. */

import type * as net from "node:net";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import type { ByteChannel, ByteChannelClient } from "../../../src/core/network/byte-channels.ts";
import { StreamTransport } from "../../../src/core/network/stream-transport.ts";
import {
  closing,
  dial,
  eventually,
  everything,
  host,
  leavingNothing,
  outcome,
  portOf,
  run,
  soon,
  until,
} from "./support.ts";

/** Writes each byte of `text` as a packet of its own, as far as the system goes along. */
async function drip(socket: net.Socket, text: string): Promise<void> {
  socket.setNoDelay(true);
  for (const letter of text) {
    await eventually(new Promise<void>((resolve) => void socket.write(letter, () => resolve())));
  }
}

describe("fragments of one byte", () => {
  test("make lines", async () => {
    await run(() =>
      leavingNothing(async () => {
        const lines: string[] = [];
        await using server = await asyncio.startServer(
          async (reader, writer) => {
            for await (const line of reader) lines.push(String(line));
            writer.close();
          },
          "127.0.0.1",
          0,
        );
        const socket = await dial(portOf(server));
        await drip(socket, "first\nsecond\n\nlast");
        socket.end();
        await eventually(closing(socket.resume()));
        expect(lines).toEqual(["first\n", "second\n", "\n", "last"]);
      }),
    );
  });

  test("of a line that is too long: the limit holds, and the line after it is read", async () => {
    await run(() =>
      leavingNothing(async () => {
        const results: unknown[] = [];
        await using server = await asyncio.startServer(
          async (reader, writer) => {
            for (let count = 0; count < 20 && !reader.atEof(); count++) {
              const result = await outcome(reader.readline());
              results.push(result instanceof Uint8Array ? String(result) : (result as Error).constructor.name);
            }
            writer.close();
          },
          "127.0.0.1",
          0,
          { limit: 16 },
        );
        const socket = await dial(portOf(server));
        await drip(socket, `${"x".repeat(40)}\nshort\n`);
        socket.end();
        await eventually(closing(socket.resume()));
        expect(results).toContain("RangeError");
        expect(results).toContain("short\n");
      }),
    );
  });

  test("of a separator: it is found across them", async () => {
    await run(() =>
      leavingNothing(async () => {
        const parts: string[] = [];
        await using server = await asyncio.startServer(
          async (reader, writer) => {
            for (let part = 0; part < 2; part++) parts.push(String(await reader.readuntil(["\r\n\r\n", "ENDEND"])));
            writer.close();
          },
          "127.0.0.1",
          0,
        );
        const socket = await dial(portOf(server));
        await drip(socket, "a\r\n\r\r\n\r\nbENDENEND");
        await drip(socket, "END");
        await eventually(closing(socket.resume()));
        expect(parts).toEqual(["a\r\n\r\r\n\r\n", "bENDENENDEND"]);
      }),
    );
  });
});

describe("a flood", () => {
  test("of 100,000 tiny chunks arrives in order", async () => {
    await run(() =>
      leavingNothing(async () => {
        const count = 100_000;
        let received = 0;
        let isInOrder = true;
        await using server = await asyncio.startServer(
          async (reader, writer) => {
            for await (const line of reader) isInOrder &&= Number(String(line)) === received++;
            writer.close();
          },
          "127.0.0.1",
          0,
        );
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        for (let number = 0; number < count; number++) {
          writer.write(`${number}\n`);
          if (number % 100 === 0) await writer.drain();
        }
        writer.writeEof();
        await soon(reader.read());
        writer.close();
        await soon(writer.waitClosed());
        expect([received, isInOrder]).toEqual([count, true]);
      }),
    );
  }, 20_000);

  test("of writes of nothing sends nothing, and holds nothing", async () => {
    await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.on("end", () => socket.end()));
        const [, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        for (let count = 0; count < 10_000; count++) {
          writer.write("");
          writer.write(new Uint8Array(0));
          writer.writelines([]);
          writer.writelines(["", ""]);
        }
        expect(writer.transport.getWriteBufferSize()).toBe(0);
        await soon(writer.drain());
        expect((writer.getExtraInfo("socket") as net.Socket).bytesWritten).toBe(0);
        writer.close();
        await soon(writer.waitClosed());
        server.close();
      }),
    );
  });

  test("of writes to a connection that is lost is warned of, and holds nothing", async () => {
    const { log } = await run(() =>
      leavingNothing(async () => {
        const server = await host((socket) => void socket.once("data", () => socket.resetAndDestroy()));
        const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
        writer.write("x");
        await outcome(reader.read());
        for (let count = 0; count < 100; count++) writer.write(Buffer.alloc(10_000));
        expect(writer.transport.getWriteBufferSize()).toBe(0);
        server.close();
      }),
    );
    expect(log.length).toBeGreaterThan(0);
  });

  test("of small chunks after large ones keeps no more memory than one block to read into", async () => {
    await run(() =>
      leavingNothing(async () => {
        const chunks: Uint8Array[] = [];
        const protocol: asyncio.Protocol = { dataReceived: (data) => void chunks.push(data) };
        const loop = asyncio.getRunningLoop();
        await using server = await loop.createServer(() => protocol, "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        // Large reads first, so that the memory to read into grows; then small pieces, which somebody keeps.
        socket.write(Buffer.alloc(4 << 20));
        await until(() => chunks.reduce((sum, chunk) => sum + chunk.length, 0) === 4 << 20);
        chunks.length = 0;
        for (let count = 0; count < 20; count++) {
          socket.write(Buffer.alloc(3000));
          await until(() => chunks.reduce((sum, chunk) => sum + chunk.length, 0) === 3000 * (count + 1));
        }
        const held = [...new Set(chunks.map((chunk) => chunk.buffer))].reduce((sum, one) => sum + one.byteLength, 0);
        socket.end();
        await eventually(closing(socket.resume()));
        expect(held).toBeLessThanOrEqual(1 << 20);
      }),
    );
  });
});

describe("reading that pauses", () => {
  /** Takes a chunk, pauses, and goes on when it is told. */
  class Hesitant implements asyncio.Protocol {
    transport: asyncio.Transport | null = null;
    text = "";
    isOver = false;
    whilePaused = 0;

    connectionMade(transport: asyncio.Transport): void {
      this.transport = transport;
    }

    dataReceived(data: Uint8Array): void {
      if (!this.transport!.isReading()) this.whilePaused++;
      this.text += Buffer.from(data).toString("latin1");
      this.transport!.pauseReading();
    }

    connectionLost(): void {
      this.isOver = true;
    }
  }

  /** Text in which each place can be told from every other. */
  const alphabet = Array.from({ length: 20_000 }, (_, index) => `${index},`).join("");

  test("and goes on in the same turns in which bytes come keeps their order", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const hesitant = new Hesitant();
        await using server = await loop.createServer(() => hesitant, "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        let isResuming = true;
        const resume = (): void => {
          hesitant.transport?.resumeReading();
          if (isResuming) loop.callSoon(resume);
        };
        resume();
        for (let at = 0; at < alphabet.length; at += 997) {
          socket.write(alphabet.slice(at, at + 997));
          if (at % 5 === 0) await asyncio.sleep(0);
        }
        socket.end();
        socket.resume();
        await until(() => hesitant.isOver);
        isResuming = false;
        expect(hesitant.text === alphabet).toBe(true);
        expect(hesitant.whilePaused).toBe(0);
      }),
    );
  });

  test("keeps the order when the loop is busy, and another connection is what makes it go on", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const hesitant = new Hesitant();
        const resumer: asyncio.Protocol = { dataReceived: () => hesitant.transport!.resumeReading() };
        await using server = await loop.createServer(() => hesitant, "127.0.0.1", 0);
        await using other = await loop.createServer(() => resumer, "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        const ticker = await dial(portOf(other));
        await until(() => hesitant.transport !== null && other.statistics().connections === 1);
        let isBusy = true;
        // Entries that take so long that the system is asked between them, and inboxes have several events.
        const busy = (): void => {
          for (const end = performance.now() + 12; performance.now() < end;);
          if (isBusy) loop.callSoon(busy);
        };
        for (let count = 0; count < 3; count++) busy();
        for (let at = 0; at < 30_000; at += 3000) {
          socket.write(alphabet.slice(at, at + 3000));
          ticker.write("tick");
          await asyncio.sleep(0);
        }
        isBusy = false;
        socket.end();
        socket.resume();
        const going = asyncio.createTask(async () => {
          while (!hesitant.isOver) {
            hesitant.transport!.resumeReading();
            await asyncio.sleep(0);
          }
        });
        await soon(going);
        ticker.end();
        await eventually(closing(ticker.resume()));
        expect(hesitant.text === alphabet.slice(0, 30_000)).toBe(true);
      }),
    );
  });

  /** A transport over nothing: the test says what comes, and in which turn. */
  async function overNothing(protocol: asyncio.Protocol): Promise<[StreamTransport, ByteChannelClient]> {
    let client: ByteChannelClient | null = null;
    const nothing = (): void => {};
    const channel: ByteChannel = {
      open: (opened) => void (client = opened),
      getExtraInfo: nothing,
      pause: nothing,
      resume: nothing,
      write: nothing,
      pending: 0,
      canWriteEof: true,
      writeEof: nothing,
      destroy: nothing,
    };
    const transport = new StreamTransport(asyncio.getRunningLoop(), channel, protocol);
    transport.start();
    await until(() => client !== null);
    return [transport, client!];
  }

  test.each(["data", "the end"])(
    "and goes on between two events: %s does not overtake what was held back",
    async (last) => {
      await run(async ({ loop }) => {
        const order: string[] = [];
        let isOver = false;
        const [transport, client] = await overNothing({
          dataReceived: (data) => {
            order.push(String(data));
            if (order.length === 1) transport.pauseReading();
          },
          eofReceived: () => void order.push("eof"),
          connectionLost: () => void (isOver = true),
        });
        client.received(Buffer.from("first"));
        client.received(Buffer.from("second"));
        loop.callSoon(() => transport.resumeReading());
        if (last === "data") client.received(Buffer.from("third"));
        client.ended();
        await until(() => isOver);
        expect(order).toEqual(["first", "second", ...(last === "data" ? ["third"] : []), "eof"]);
      });
    },
  );

  test("is obeyed by a protocol with buffers of its own, in the middle of a chunk", async () => {
    await run(({ loop }) =>
      leavingNothing(async () => {
        const buffer = Buffer.alloc(4);
        let transport: asyncio.Transport | null = null;
        let text = "";
        let whilePaused = 0;
        let isOver = false;
        const protocol: asyncio.BufferedProtocol & { connectionMade(made: asyncio.Transport): void } = {
          connectionMade: (made) => void (transport = made),
          getBuffer: () => {
            if (!transport!.isReading()) whilePaused++;
            return buffer;
          },
          bufferUpdated: (nbytes) => {
            text += buffer.toString("latin1", 0, nbytes);
            transport!.pauseReading();
            loop.callSoon(() => transport!.resumeReading());
          },
          connectionLost: () => void (isOver = true),
        };
        await using server = await loop.createServer(() => protocol, "127.0.0.1", 0);
        const socket = await dial(portOf(server));
        socket.end(alphabet.slice(0, 1000));
        await everything(socket);
        await until(() => isOver);
        expect(text).toBe(alphabet.slice(0, 1000));
        expect(whilePaused).toBe(0);
      }),
    );
  });
});
