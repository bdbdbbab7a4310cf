/** Streams in memory, their tasks cancelled at every moment: no byte is lost, nothing is left, nobody else is disturbed. */

import * as asyncio from "asyncio-ts";
import { memoryChannels, memoryStreams } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { Server } from "../../../../src/core/network/server.ts";
import type { Listener } from "../../../../src/core/network/server.ts";
import { StreamTransport } from "../../../../src/core/network/stream-transport.ts";
import { textOf } from "./support.ts";
import type { Script, Stage } from "../coordination/cancel-everywhere.ts";
import { cancelEverywhere, SYNTAXES } from "../coordination/cancel-everywhere.ts";

const { sleep } = asyncio;

/** Both ends, once a helper has connected them. */
class Ends {
  readonly connected: asyncio.Event = new asyncio.Event();
  streams: [asyncio.Streams, asyncio.Streams] | null = null;

  get writer(): asyncio.StreamWriter {
    return this.streams![0][1];
  }

  get reader(): asyncio.StreamReader {
    return this.streams![1][0];
  }

  get other(): asyncio.StreamWriter {
    return this.streams![1][1];
  }

  *connect(options: Parameters<typeof memoryStreams>[0]): Script<void> {
    this.streams = (yield memoryStreams(options)) as [asyncio.Streams, asyncio.Streams];
    this.connected.set();
  }

  *close(): Script<void> {
    this.writer.close();
    this.other.close();
    yield this.writer.waitClosed();
    yield this.other.waitClosed();
    // What is on its way to an end that is closed comes to nothing.
    yield sleep(1);
  }
}

/** In so many seconds of the virtual clock everybody else has ended. */
const LONG = 100;

const sent = "one\ntwo\nthree\nfour\nfive\n";

/** Writes `sent` in pieces, one every half second. */
function* send(ends: Ends): Script<void> {
  for (let at = 0; at < sent.length; at += 3) {
    ends.writer.write(sent.slice(at, at + 3));
    yield sleep(0.5);
  }
}

describe.each(SYNTAXES)("in %s", (syntax) => {
  test.each([
    ["read", (reader: asyncio.StreamReader) => reader.read(5)],
    ["readline", (reader: asyncio.StreamReader) => reader.readline()],
    ["readexactly", (reader: asyncio.StreamReader) => reader.readexactly(5)],
    ["readuntil", (reader: asyncio.StreamReader) => reader.readuntil(["\n", "t"])],
  ])("%s: what the cancelled one has not returned is there for the next", async (_name, read) => {
    const { plays } = await cancelEverywhere(syntax, (stage: Stage) => {
      const ends = new Ends();
      const got: string[] = [];
      stage.task("reader", function* () {
        yield ends.connected.wait();
        for (let i = 0; i < 3; i++) got.push(textOf((yield read(ends.reader)) as Uint8Array));
      });
      stage.helper("rest", function* () {
        yield* ends.connect({ latency: 0.1, chunk: () => 2 });
        yield* send(ends);
        ends.writer.writeEof();
        yield sleep(LONG);
        got.push(textOf((yield ends.reader.read()) as Uint8Array));
        expect(got.join("")).toBe(sent);
        yield* ends.close();
      });
    });
    expect(plays).toBeGreaterThan(5);
  });

  test("drain: those who are not cancelled are woken when there is room, and every byte arrives once", async () => {
    await cancelEverywhere(syntax, (stage: Stage) => {
      const ends = new Ends();
      let written = "";
      for (const name of ["a", "b"]) {
        stage.task(name, function* () {
          yield ends.connected.wait();
          for (let i = 0; i < 3; i++) {
            const piece = name.repeat(10);
            ends.writer.write(piece);
            written += piece;
            yield ends.writer.drain();
          }
        });
      }
      stage.helper("reader", function* () {
        yield* ends.connect({ latency: 0.1, capacity: 8, limit: 4 });
        ends.writer.transport.setWriteBufferLimits({ high: 8 });
        yield sleep(1);
        let got = "";
        stage.loop.callLater(LONG, () => ends.writer.writeEof());
        while (!ends.reader.atEof()) got += textOf((yield ends.reader.read(4)) as Uint8Array);
        expect(got).toBe(written);
        yield* ends.close();
      });
    });
  });

  test("waitClosed: who is cancelled disturbs no other who waits, and the connection is closed", async () => {
    await cancelEverywhere(
      syntax,
      (stage: Stage) => {
        const ends = new Ends();
        for (const name of ["a", "b"]) {
          stage.task(name, function* () {
            yield ends.connected.wait();
            ends.writer.close();
            yield ends.writer.waitClosed();
          });
        }
        stage.helper("peer", function* () {
          yield* ends.connect({ latency: 0.1, capacity: 4 });
          ends.writer.write("to be read");
          yield sleep(1);
          expect(textOf((yield ends.reader.readexactly(10)) as Uint8Array)).toBe("to be read");
          yield* ends.close();
        });
      },
      { twice: syntax !== "nests of both" },
    );
  });

  test("Server.shutdown: cancelled, it has stopped listening; the next one ends everything", async () => {
    await cancelEverywhere(syntax, (stage: Stage) => {
      const { loop } = stage;
      const listener = new MemoryListener();
      const server = new Server(loop, [listener]);
      const served: string[] = [];
      stage.task("shutdown", function* () {
        yield sleep(0.5);
        yield server.shutdown({ grace: 1 });
      });
      stage.helper("client", function* () {
        yield server.startServing();
        const [here, there] = memoryChannels(loop);
        const reader = new asyncio.StreamReader();
        const serve = function* (input: asyncio.StreamReader): asyncio.CoroutineGenerator<void> {
          try {
            yield* input.read();
          } finally {
            served.push("ended");
          }
        };
        const protocol = new asyncio.StreamReaderProtocol(reader, serve);
        new StreamTransport(loop, here, protocol, { owner: server }).start();
        const client = new asyncio.StreamReaderProtocol(new asyncio.StreamReader());
        const transport = new StreamTransport(loop, there, client);
        transport.start();
        yield sleep(LONG);
        yield server.shutdown({ grace: 0 });
        expect(server.statistics()).toEqual({ connections: 0, accepted: 1, refused: 0 });
        expect(served).toEqual(["ended"]);
        expect(listener.calls).toEqual(["listen", "close"]);
        transport.close();
        yield sleep(1);
      });
    });
  });
});

/** Listens nowhere. */
class MemoryListener implements Listener {
  readonly calls: string[] = [];
  readonly socket: unknown = "a socket";
  readonly address = "nowhere";

  *listen(): asyncio.CoroutineGenerator<void> {
    this.calls.push("listen");
    yield* sleep(0);
  }

  close(): void {
    this.calls.push("close");
  }
}
