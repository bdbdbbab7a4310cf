/** CPython's test_sendfile in our words. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientTls, errorOf, online, portOf, Recorder, serverTls } from "./network.ts";
import type { Net } from "./network.ts";

const DATA = "x".repeat(1024 * 17 * 64) + "end";

/** A file with `text`, open for reading as long as the test runs. */
async function fileOf(text: string): Promise<FileHandle> {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-"));
  const path = join(folder, "file");
  writeFileSync(path, text);
  const file = await open(path);
  onTestFinished(async () => {
    await file.close();
    rmSync(folder, { recursive: true });
  });
  return file;
}

/** A recorder that closes its transport when it has so many bytes. */
class Closer extends Recorder {
  readonly #closeAfter: number;

  constructor(closeAfter: number) {
    super();
    this.#closeAfter = closeAfter;
  }

  override dataReceived(data: Uint8Array): void {
    super.dataReceived(data);
    if (this.text.length >= this.#closeAfter) this.transport.close();
  }
}

interface Pair {
  readonly client: Recorder;
  readonly peer: Recorder;
  readonly loop: asyncio.EventLoop;
}

interface PairOptions {
  readonly tls: boolean;
  readonly closeAfter?: number;
}

/** Runs `main` with two protocols that are connected; what was reported. */
async function connected(
  options: PairOptions,
  main: (pair: Pair) => Promise<void>,
): Promise<asyncio.ExceptionContext[]> {
  return await online(async ({ loop }: Net) => {
    const peer = new Closer(options.closeAfter ?? Infinity);
    const serverOptions = options.tls ? { ssl: serverTls } : {};
    const server = await loop.createServer(() => peer, "127.0.0.1", 0, serverOptions);
    const clientOptions = options.tls ? { ssl: clientTls, serverHostname: "localhost" } : {};
    const make = (): Recorder => new Recorder();
    const [, client] = await loop.createConnection(make, "127.0.0.1", portOf(server), clientOptions);
    await peer.made.wait();
    await main({ client, peer, loop });
    client.transport.close();
    await client.lost.wait();
    await peer.lost.wait();
    server.close();
    await server.waitClosed();
  });
}

describe.each([{ tls: false }, { tls: true }])("sendfile; TLS: $tls", (options) => {
  test("sends a whole file, and says how much that was", async () => {
    const file = await fileOf(DATA);
    const reports = await connected(options, async ({ loop, client, peer }) => {
      expect(await loop.sendfile(client.transport, file)).toBe(DATA.length);
      client.transport.close();
      await peer.lost.wait();
      expect(peer.text === DATA).toBe(true);
    });
    expect(reports).toEqual([]);
  });

  test("sends a part of a file", async () => {
    const file = await fileOf("0123456789");
    await connected(options, async ({ loop, client, peer }) => {
      expect(await loop.sendfile(client.transport, file, { offset: 2, count: 3 })).toBe(3);
      expect(await loop.sendfile(client.transport, file, { offset: 8 })).toBe(2);
      expect(await loop.sendfile(client.transport, file, { offset: 8, count: 100 })).toBe(2);
      expect(await loop.sendfile(client.transport, file, { offset: 100 })).toBe(0);
      client.transport.close();
      await peer.lost.wait();
      expect(peer.text).toBe("2348989");
    });
  });

  test("sends nothing of an empty file", async () => {
    const file = await fileOf("");
    await connected(options, async ({ loop, client, peer }) => {
      expect(await loop.sendfile(client.transport, file)).toBe(0);
      client.transport.close();
      await peer.lost.wait();
      expect(peer.text).toBe("");
    });
  });

  test("comes after what was written before, and before what is written after", async () => {
    const file = await fileOf(DATA);
    const [prefix, suffix] = ["PREFIX__".repeat(1024), "--SUFFIX".repeat(1024)];
    await connected(options, async ({ loop, client, peer }) => {
      client.transport.write(prefix);
      expect(await loop.sendfile(client.transport, file)).toBe(DATA.length);
      client.transport.write(suffix);
      client.transport.close();
      await peer.lost.wait();
      expect(peer.text === prefix + DATA + suffix).toBe(true);
    });
  });

  test("the peer closes when it has all of it", async () => {
    const file = await fileOf(DATA);
    await connected({ ...options, closeAfter: DATA.length }, async ({ loop, client, peer }) => {
      expect(await loop.sendfile(client.transport, file)).toBe(DATA.length);
      await peer.lost.wait();
      expect(peer.text === DATA).toBe(true);
    });
  });

  // Under TLS the peer waits for our answer, and takes in what comes before it.
  test.skipIf(options.tls)("the peer closes in the middle of it: an error", async () => {
    const file = await fileOf(DATA.repeat(20));
    await connected({ ...options, closeAfter: 1024 }, async ({ loop, client, peer }) => {
      const error = await errorOf(loop.sendfile(client.transport, file));
      expect(error).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) as unknown });
      await peer.lost.wait();
      expect(peer.text.length).toBeGreaterThanOrEqual(1024);
      expect(peer.text.length).toBeLessThan(DATA.length * 20);
      expect(client.transport.isClosing()).toBe(true);
    });
  });

  test("cannot be left to the system: an error without the fallback, and nothing is sent", async () => {
    const file = await fileOf(DATA);
    await connected(options, async ({ loop, client, peer }) => {
      const error = await errorOf(loop.sendfile(client.transport, file, { fallback: false }));
      expect(error).toBeInstanceOf(asyncio.SendfileNotAvailableError);
      client.transport.close();
      await peer.lost.wait();
      expect(peer.text).toBe("");
    });
  });

  test("refuses a transport that is closing", async () => {
    const file = await fileOf(DATA);
    await connected(options, async ({ loop, client, peer }) => {
      client.transport.close();
      expect(await errorOf(loop.sendfile(client.transport, file))).toMatchObject({
        message: expect.stringContaining("is closing") as unknown,
      });
      await peer.lost.wait();
      expect(peer.text).toBe("");
    });
  });
});

test("sendfile is not for datagrams", async () => {
  const file = await fileOf(DATA);
  await online(async ({ loop }) => {
    const [transport] = await loop.createDatagramEndpoint(() => ({}), { localAddr: { host: "127.0.0.1" } });
    const failing = loop.sendfile(transport as unknown as asyncio.Transport, file);
    expect(await errorOf(failing)).toMatchObject({ message: expect.stringContaining("not supported") as unknown });
    transport.close();
    await asyncio.sleep(0);
  });
});

test.each([
  { offset: -1 },
  { offset: 1.5 },
  { offset: "offset" as unknown as number },
  { count: -1 },
  { count: 0 },
  { count: 1.5 },
  { count: "count" as unknown as number },
])("sendfile refuses %o", async (options) => {
  const file = await fileOf(DATA);
  await connected({ tls: false }, async ({ loop, client, peer }) => {
    expect(await errorOf(loop.sendfile(client.transport, file, options))).toBeInstanceOf(RangeError);
    expect(peer.text).toBe("");
  });
});
