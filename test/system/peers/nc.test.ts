/** Netcat, and connections of which one side ends before the other. */

import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { describe, expect } from "vitest";
import { temporaryFolder } from "./certificates.ts";
import { Child, output } from "./child.ts";
import { testWith } from "./programs.ts";
import { manyBytes, portOf, quietly, sha256 } from "./world.ts";

const test = testWith("nc");

const large = manyBytes(5_000_000);

/** Answers when the client has ended its side, and not before. */
async function answerAtTheEnd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  const everything = await reader.read();
  writer.write(`${everything.length} bytes: ${sha256(everything)}\n`);
  writer.close();
  await writer.waitClosed();
}

describe("nc -N, which sends its input, ends its side, and waits", () => {
  test("gets the answer of our server over TCP", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(answerAtTheEnd, "127.0.0.1", 0);
      const answer = await output("nc", ["-N", "127.0.0.1", String(portOf(server))], "hello\n");
      expect(String(answer)).toBe(`6 bytes: ${sha256(Buffer.from("hello\n"))}\n`);
    });
  });

  test("gets the answer of our server over a Unix socket", async () => {
    await quietly(async () => {
      const path = join(temporaryFolder(), "socket");
      await using _ = await asyncio.startUnixServer(answerAtTheEnd, path);
      const answer = await output("nc", ["-N", "-U", path], large);
      expect(String(answer)).toBe(`5000000 bytes: ${sha256(large)}\n`);
    });
  });

  test("has sent nothing at all, and gets the answer", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(answerAtTheEnd, "127.0.0.1", 0);
      const answer = await output("nc", ["-N", "127.0.0.1", String(portOf(server))]);
      expect(String(answer)).toMatch(/^0 bytes: /);
    });
  });

  test("gets five megabytes after it has ended its side", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          await reader.read();
          writer.write(large);
          await writer.drain();
          writer.writeEof();
          await writer.waitClosed();
        },
        "127.0.0.1",
        0,
      );
      const answer = await output("nc", ["-N", "127.0.0.1", String(portOf(server))], "go\n");
      expect(sha256(answer)).toBe(sha256(large));
      // Both sides have ended theirs, and asyncio's transport is open until somebody closes it.
      expect(server.statistics().connections).toBe(1);
      server.closeClients();
    });
  });
});

describe("nc as a server", () => {
  test("ends when our client ends its side, and our reader ends too", async () => {
    await quietly(async () => {
      const nc = new Child("nc", ["-l", "-v", "-N", "127.0.0.1", "0"]);
      const [, port] = await nc.says(/istening on \S+ (\d+)/);
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", port!);
      writer.write("a question\n");
      await nc.says(/^a question$/m);
      nc.write("an answer\n");
      expect(String(await reader.readline())).toBe("an answer\n");
      writer.writeEof();
      expect(String(await reader.read())).toBe("");
      writer.close();
      await writer.waitClosed();
      expect((await nc.ended).code).toBe(0);
    });
  });

  test("ends its side first, and gets five megabytes from our client", async () => {
    await quietly(async () => {
      const nc = new Child("nc", ["-l", "-v", "-N", "127.0.0.1", "0"]);
      const [, port] = await nc.says(/istening on \S+ (\d+)/);
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", port!);
      nc.endInput();
      expect(String(await reader.read())).toBe("");
      writer.write(large);
      writer.close();
      await writer.waitClosed();
      const { code, stdout } = await nc.ended;
      expect([code, sha256(stdout)]).toEqual([0, sha256(large)]);
    });
  });
});
