/** CPython's test_buffered_proto in our words, and what the reference says of protocols with buffers of their own. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { online, portOf, Recorder } from "./network.ts";

/** Receives into one buffer of `size` bytes, over and over. */
class Buffered implements asyncio.BufferedProtocol {
  readonly made: asyncio.Event = new asyncio.Event();
  readonly lost: asyncio.Event = new asyncio.Event();
  readonly hints: number[] = [];
  transport: asyncio.Transport | null = null;
  error: unknown = null;
  text: string = "";
  ended: boolean = false;
  protected readonly memory: Uint8Array;

  constructor(size: number) {
    this.memory = new Uint8Array(size);
  }

  connectionMade(transport: asyncio.Transport): void {
    this.transport = transport;
    this.made.set();
  }

  getBuffer(sizeHint: number): Uint8Array {
    this.hints.push(sizeHint);
    return this.memory;
  }

  bufferUpdated(nbytes: number): void {
    this.text += Buffer.from(this.memory.subarray(0, nbytes)).toString("latin1");
  }

  eofReceived(): void {
    this.ended = true;
  }

  connectionLost(error: unknown): void {
    this.error = error;
    this.lost.set();
  }
}

/** Sends what `speak` writes to a client with `protocol`, which has gone when `body` is called. */
async function tell(
  protocol: Buffered,
  speak: (transport: asyncio.Transport) => void,
  body: () => void | Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async ({ loop }) => {
    class Speaker extends Recorder {
      override connectionMade(transport: asyncio.Transport): void {
        super.connectionMade(transport);
        speak(transport);
      }
    }
    await using server = await loop.createServer(() => new Speaker(), "127.0.0.1", 0);
    await loop.createConnection(() => protocol, "127.0.0.1", portOf(server));
    await protocol.lost.wait();
    await body();
  });
}

test.each([1, 100, 1_000_000])("a buffer of %i bytes is filled again and again, in order", async (size) => {
  const protocol = new Buffered(size);
  const sent = Array.from({ length: 1000 }, (_, i) => `message ${i}\n`).join("");
  const reports = await tell(
    protocol,
    (transport) => {
      transport.write(sent);
      transport.close();
    },
    () => {
      expect(protocol.text).toBe(sent);
      expect([protocol.ended, protocol.error]).toEqual([true, null]);
      expect(protocol.hints.every((hint) => hint > 0 || hint === -1)).toBe(true);
    },
  );
  expect(reports).toEqual([]);
});

const mistake = new Error("my mistake");
const fail = (): never => {
  throw mistake;
};

test.each([{ method: "getBuffer" }, { method: "bufferUpdated" }] as const)(
  "an error in $method is reported, and loses the connection with it",
  async ({ method }) => {
    const protocol = new Buffered(10);
    protocol[method] = fail;
    const reports = await tell(
      protocol,
      (transport) => transport.write("a few bytes more than ten"),
      () => expect(protocol.error).toBe(mistake),
    );
    expect(reports).toMatchObject([{ message: `Fatal error: protocol.${method}() call failed.`, exception: mistake }]);
  },
);

test("an error in eofReceived is reported, and loses the connection with it", async () => {
  const protocol = new Buffered(10);
  protocol.eofReceived = fail;
  const reports = await tell(
    protocol,
    (transport) => transport.writeEof(),
    () => expect(protocol.error).toBe(mistake),
  );
  expect(reports).toMatchObject([{ message: "Fatal error: protocol.eofReceived() call failed.", exception: mistake }]);
});

test("an empty buffer is an error of the protocol", async () => {
  const protocol = new Buffered(0);
  const reports = await tell(
    protocol,
    (transport) => transport.write("x"),
    () => expect(protocol.error).toBeInstanceOf(asyncio.RuntimeError),
  );
  expect(reports).toMatchObject([{ message: "Fatal error: protocol.getBuffer() call failed." }]);
});

test("a protocol may hand over to one of the other kind, and back, between any two bytes", async () => {
  await online(async ({ loop }) => {
    const speaker = new Recorder();
    const plain = new Recorder();
    const back = new Buffered(1);
    const buffered = new Buffered(4);
    buffered.bufferUpdated = (nbytes) => {
      buffered.text += "x".repeat(nbytes);
      buffered.transport!.setProtocol(plain);
    };
    plain.dataReceived = (data) => {
      plain.text += String(data);
      buffered.transport!.setProtocol(back);
    };
    await using server = await loop.createServer(() => speaker, "127.0.0.1", 0);
    await loop.createConnection(() => buffered, "127.0.0.1", portOf(server));
    await speaker.made.wait();
    speaker.transport.write("1234rest");
    while (plain.text === "") await asyncio.sleep(0);
    expect([buffered.text, plain.text]).toEqual(["xxxx", "rest"]);
    speaker.transport.write("back");
    speaker.transport.close();
    await back.lost.wait();
    expect(back.text).toBe("back");
  });
});

test("a protocol may close the transport while there is more to give", async () => {
  const protocol = new Buffered(1);
  const update = protocol.bufferUpdated.bind(protocol);
  protocol.bufferUpdated = (nbytes) => {
    update(nbytes);
    protocol.transport!.close();
  };
  const reports = await tell(
    protocol,
    (transport) => transport.write("more than one byte"),
    () => expect([protocol.text, protocol.error]).toEqual(["m", null]),
  );
  expect(reports).toEqual([]);
});
