/** Servers and clients of ours, for peers that are not. */

import { createHash } from "node:crypto";
import type { AddressInfo, Server as NetServer } from "node:net";
import * as asyncio from "asyncio-ts";
import { expect } from "vitest";

/** Runs `main`, and checks that nothing came to the loop's exception handler. */
export async function quietly(main: () => Promise<void>): Promise<void> {
  const reports: asyncio.ExceptionContext[] = [];
  await asyncio.run(async () => {
    asyncio.getRunningLoop().setExceptionHandler((_loop, context) => void reports.push(context));
    await main();
  });
  expect(reports).toEqual([]);
}

/** The port of a server that listens at one. */
export function portOf(server: asyncio.Server): number {
  return ((server.sockets[0] as NetServer).address() as AddressInfo).port;
}

/** What `action` was rejected with, which it has to be. */
export async function errorOf(
  action: () => asyncio.Awaitable<unknown> | Promise<unknown>,
): Promise<NodeJS.ErrnoException> {
  try {
    await action();
  } catch (error) {
    if (error instanceof asyncio.CancelledError) throw error;
    return error as NodeJS.ErrnoException;
  }
  throw new Error("an error was expected, and there was none");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** So many bytes, of which no part looks like another. */
export function manyBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let at = 0; at < size; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[at] = state >> 16;
  }
  return bytes;
}

/** Sends every line back as it came, until the client ends; then it says goodbye, and closes. */
export async function echoLines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) {
    writer.write(line);
    await writer.drain();
  }
  writer.write("goodbye\n");
  writer.close();
  await writer.waitClosed();
}

/** Whether the server still serves a client of our own, line by line. */
export async function stillEchoes(port: number, options: { readonly ssl?: asyncio.Ssl } = {}): Promise<boolean> {
  const [reader, writer] = await asyncio.openConnection("127.0.0.1", port, options);
  writer.write("still there?\n");
  const line = String(await reader.readline());
  writer.close();
  await writer.waitClosed();
  return line === "still there?\n";
}
