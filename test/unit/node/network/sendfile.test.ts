/** Files sent under bad conditions: slow peers, cancellation, closing in the middle, two at once. */

import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { expect, onTestFinished, test } from "vitest";
import type { World } from "../../../system/hostile/support.ts";
import { eventually, host, outcome, portOf, run, soon, until } from "../../../system/hostile/support.ts";

const { createTask, sleep } = asyncio;

/** More than the system and we keep between two sockets. */
const LARGE = 50_000_000;

interface File {
  readonly file: FileHandle;
  readonly path: string;
}

/** A file of so many bytes, open as long as the test runs. */
async function fileOf(bytes: number | string): Promise<File> {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-"));
  const path = join(folder, "file");
  writeFileSync(path, typeof bytes === "string" ? bytes : "");
  if (typeof bytes === "number") truncateSync(path, bytes);
  const file = await open(path);
  onTestFinished(async () => {
    await file.close().catch(() => {});
    rmSync(folder, { recursive: true });
  });
  return { file, path };
}

/** What the protocol of the sending side hears. */
class Ear implements asyncio.Protocol {
  readonly heard: string[] = [];
  text: string = "";
  lost: { readonly error: unknown } | null = null;

  dataReceived(data: Uint8Array): void {
    this.text += String(data);
  }

  pauseWriting(): void {
    this.heard.push("pause");
  }

  resumeWriting(): void {
    this.heard.push("resume");
  }

  connectionLost(error: unknown): void {
    this.heard.push("lost");
    this.lost = { error };
  }
}

interface Connected {
  readonly loop: asyncio.EventLoop;
  readonly transport: asyncio.Transport;
  readonly ear: Ear;
  /** The other end, which reads when it is told to. */
  readonly peer: Socket;
}

/** Runs `main` with a transport to a peer. Nothing may be reported or logged. */
async function connected(main: (pair: Connected) => Promise<void>): Promise<void> {
  const { reports, log } = await run(async ({ loop }: World) => {
    let peer: Socket | null = null;
    const server = await host((socket) => (peer = socket));
    const [transport, ear] = await soon(loop.createConnection(() => new Ear(), "127.0.0.1", portOf(server)));
    await until(() => peer !== null);
    await main({ loop, transport, ear, peer: peer! });
    transport.abort();
    await until(() => ear.lost !== null);
    server.close();
  });
  expect([reports, log]).toEqual([[], []]);
}

/** All that comes to `socket`, up to the end of what its peer sends. */
async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await eventually(once(socket, "end"));
  return Buffer.concat(chunks).toString("latin1");
}

/** Waits until `transport` can send no more, for its peer does not read. */
async function untilStuck(transport: asyncio.Transport): Promise<void> {
  await until(() => transport.getWriteBufferSize() > 0);
  let last = -1;
  let same = 0;
  await until(() => {
    const size = transport.getWriteBufferSize();
    same = size === last && size > 0 ? same + 1 : 0;
    last = size;
    return same > 200;
  });
}

test("a peer that does not read holds back the file: little of it is in memory", async () => {
  const { file } = await fileOf(LARGE);
  await connected(async ({ loop, transport, peer, ear }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    expect(transport.getWriteBufferSize()).toBeLessThan(1_000_000);
    expect(sending.done()).toBe(false);
    const all = received(peer);
    expect(await soon(sending)).toBe(LARGE);
    transport.close();
    expect((await all).length).toBe(LARGE);
    expect(ear.heard).toEqual(["lost"]);
  });
});

test("cancelled in the middle: the protocol is as before, and can close in good order", async () => {
  const { file } = await fileOf(LARGE);
  await connected(async ({ loop, transport, ear, peer }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    sending.cancel();
    expect(await outcome(sending)).toBeInstanceOf(asyncio.CancelledError);
    expect([transport.getProtocol() === ear, transport.isReading(), transport.isClosing()]).toEqual([
      true,
      true,
      false,
    ]);
    expect(ear.heard).toEqual(["pause"]);
    transport.write("end");
    transport.close();
    expect((await received(peer)).endsWith("end")).toBe(true);
    await until(() => ear.lost !== null);
    expect(ear.heard).toEqual(["pause", "resume", "lost"]);
  });
});

test("cancelled at any time: the transport is whole", async () => {
  const { file } = await fileOf("hello");
  for (let turns = 0; turns < 8; turns++) {
    await connected(async ({ loop, transport, ear, peer }) => {
      const all = received(peer);
      const sending = createTask(loop.sendfile(transport, file));
      for (let i = 0; i < turns; i++) await sleep(0);
      sending.cancel();
      await outcome(sending);
      expect([transport.getProtocol() === ear, transport.isReading()]).toEqual([true, true]);
      transport.write("!");
      transport.close();
      expect(["!", "hello!"]).toContain(await all);
    });
  }
});

test("what the peer says meanwhile is heard afterwards", async () => {
  const { file } = await fileOf(LARGE);
  await connected(async ({ loop, transport, ear, peer }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    peer.write("hello");
    for (let i = 0; i < 20; i++) await sleep(0);
    expect(ear.text).toBe("");
    peer.resume();
    await soon(sending);
    await until(() => ear.text === "hello");
  });
});

test("reading that was paused before stays paused", async () => {
  const { file } = await fileOf("hello");
  await connected(async ({ loop, transport }) => {
    transport.pauseReading();
    await soon(loop.sendfile(transport, file));
    expect(transport.isReading()).toBe(false);
  });
});

test("closed or aborted in the middle: an error, and the protocol hears of its loss", async () => {
  const { file } = await fileOf(LARGE);
  for (const how of ["close", "abort"] as const) {
    await connected(async ({ loop, transport, ear, peer }) => {
      const sending = createTask(loop.sendfile(transport, file));
      await untilStuck(transport);
      transport[how]();
      peer.resume();
      expect(await outcome(sending), how).toBeInstanceOf(asyncio.ConnectionResetError);
      await until(() => ear.lost !== null);
      expect(ear.lost).toEqual({ error: null });
    });
  }
});

test("the peer resets in the middle: its error, for both the sender and the protocol", async () => {
  const { file } = await fileOf(LARGE);
  await connected(async ({ loop, transport, ear, peer }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    peer.resetAndDestroy();
    const error = await outcome(sending);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown });
    await until(() => ear.lost !== null);
  });
});

test("a second file at the same time is refused, and the first is not disturbed", async () => {
  const { file } = await fileOf(LARGE);
  const { file: other } = await fileOf("other");
  await connected(async ({ loop, transport, ear, peer }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    const second = createTask(loop.sendfile(transport, other));
    await sleep(0);
    const all = received(peer);
    expect(await outcome(second)).toBeInstanceOf(asyncio.RuntimeError);
    expect(await soon(sending)).toBe(LARGE);
    expect(transport.getProtocol() === ear).toBe(true);
    transport.close();
    expect((await all).length).toBe(LARGE);
  });
});

test("a file that gets shorter meanwhile ends early", async () => {
  const { file, path } = await fileOf(LARGE);
  await connected(async ({ loop, transport, peer }) => {
    const sending = createTask(loop.sendfile(transport, file));
    await untilStuck(transport);
    truncateSync(path, 0);
    const all = received(peer);
    const sent = (await soon(sending)) as number;
    expect(sent).toBeLessThan(LARGE);
    transport.close();
    expect((await all).length).toBe(sent);
  });
});

test("a file that is closed is an error, and the connection goes on", async () => {
  const { file } = await fileOf("hello");
  await file.close();
  await connected(async ({ loop, transport, ear, peer }) => {
    expect(await outcome(loop.sendfile(transport, file))).toMatchObject({ code: "EBADF" });
    expect([transport.getProtocol() === ear, transport.isReading()]).toEqual([true, true]);
    transport.write("all right");
    transport.close();
    expect(await received(peer)).toBe("all right");
  });
});

test("a stream's connection sends a file, and its writer can drain afterwards", async () => {
  const { file } = await fileOf(LARGE);
  const { reports } = await run(async ({ loop }) => {
    const server = await asyncio.startServer(
      async (_reader, writer) => {
        writer.write("head\n");
        await loop.sendfile(writer.transport as asyncio.Transport, file);
        writer.write("tail\n");
        await writer.drain();
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", portOf(server)));
    expect(String(await soon(reader.readline()))).toBe("head\n");
    expect((await soon(reader.readexactly(LARGE))).length).toBe(LARGE);
    expect(String(await soon(reader.read()))).toBe("tail\n");
    writer.close();
    await soon(server.shutdown());
  });
  expect(reports).toEqual([]);
});
