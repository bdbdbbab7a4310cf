/** As much of HTTP/1.1 as curl needs, on streams. */

import type { StreamReader, StreamWriter } from "asyncio-ts";
import { IncompleteReadError } from "asyncio-ts";
import { sha256 } from "./world.ts";

/** The pages that can be had, by path. */
export type Pages = Readonly<Record<string, string | Uint8Array>>;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Answers the requests of a connection, one after the other. What is sent to it, it answers with the checksum. */
export async function answerAll(reader: StreamReader, writer: StreamWriter, pages: Pages): Promise<void> {
  try {
    for (;;) {
      const request = await readRequest(reader);
      if (request === null) return;
      const body = await bodyFor(request, reader, pages);
      const isLast = request.version === "HTTP/1.0" || request.headers.get("connection") === "close";
      writeAnswer(writer, body, isLast);
      await writer.drain();
      if (isLast) return;
    }
  } finally {
    writer.close();
    await writer.waitClosed();
  }
}

/** The next request, or `null` if the client has ended. */
async function readRequest(reader: StreamReader): Promise<Request | null> {
  try {
    const [first, ...rest] = String(await reader.readuntil("\r\n\r\n"))
      .trimEnd()
      .split("\r\n");
    const [method = "", path = "", version = ""] = first!.split(" ");
    const headers = rest
      .map((line) => line.split(/:\s*/, 2))
      .map(([name, value]) => [name!.toLowerCase(), value!] as const);
    return { method, path, version, headers: new Map(headers) };
  } catch (error) {
    if (error instanceof IncompleteReadError && error.partial.length === 0) return null;
    throw error;
  }
}

async function bodyFor(request: Request, reader: StreamReader, pages: Pages): Promise<string | Uint8Array | null> {
  const length = Number(request.headers.get("content-length") ?? 0);
  const received = await reader.readexactly(length);
  return request.method === "POST" ? sha256(received) : (pages[request.path] ?? null);
}

/** A last answer has no length: its end is the end of the connection. */
function writeAnswer(writer: StreamWriter, body: string | Uint8Array | null, isLast: boolean): void {
  const bytes = Buffer.from(body ?? "no such page\n");
  const status = body === null ? "404 Not Found" : "200 OK";
  const length = isLast ? "Connection: close" : `Content-Length: ${bytes.length}`;
  writer.writelines([`HTTP/1.1 ${status}\r\n${length}\r\n\r\n`, bytes]);
}
