/** curl against our servers. */

import * as asyncio from "asyncio-ts";
import { describe, expect } from "vitest";
import { certificateFiles, server as identity } from "./certificates.ts";
import { Child, output } from "./child.ts";
import type { Pages } from "./http.ts";
import { answerAll } from "./http.ts";
import { testWith } from "./programs.ts";
import { errorOf, manyBytes, portOf, quietly, sha256 } from "./world.ts";

const test = testWith("curl");

const large = manyBytes(5_000_000);
const pages: Pages = { "/one": "first page\n", "/two": "second page\n", "/large": large };

/** Runs curl, without settings of the user's. */
async function curl(...args: string[]): Promise<Buffer> {
  return await output("curl", curlArgs(args));
}

function curlArgs(args: readonly string[]): string[] {
  return ["-q", "--noproxy", "*", "--silent", "--show-error", "--max-time", "15", ...args];
}

/** A server of `pages`, its address, and what curl has to be told to trust it. */
async function servePages(scheme: "http" | "https"): Promise<{ server: asyncio.Server; url: string; trust: string[] }> {
  const options = scheme === "https" ? { ssl: identity } : {};
  const server = await asyncio.startServer(
    (reader, writer) => answerAll(reader, writer, pages),
    "127.0.0.1",
    0,
    options,
  );
  const trust = scheme === "https" ? ["--cacert", certificateFiles().authority] : [];
  return { server, url: `${scheme}://127.0.0.1:${portOf(server)}`, trust };
}

describe.each(["http", "https"] as const)("curl over %s", (scheme) => {
  test("fetches a page", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      expect(String(await curl(...trust, `${url}/one`))).toBe("first page\n");
    });
  });

  test("fetches two pages over one connection", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      expect(String(await curl(...trust, `${url}/one`, `${url}/two`))).toBe("first page\nsecond page\n");
      expect(server.statistics().accepted).toBe(1);
    });
  });

  test("fetches five megabytes, and not a byte is wrong", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      const body = await curl(...trust, `${url}/large`);
      expect([body.length, sha256(body)]).toEqual([large.length, sha256(large)]);
    });
  });

  test("takes the end of the connection for the end of five megabytes without a length", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      const body = await curl(...trust, "--http1.0", `${url}/large`);
      expect([body.length, sha256(body)]).toEqual([large.length, sha256(large)]);
    });
  });

  test("sends five megabytes, and not a byte is wrong", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      const args = [...trust, "--header", "Expect:", "--data-binary", "@-", `${url}/sum`];
      expect(String(await output("curl", curlArgs(args), large))).toBe(sha256(large));
    });
  });

  test("twenty at once are all served", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages(scheme);
      await using _ = server;
      const urls = Array.from({ length: 20 }, () => `${url}/one`);
      const fetched = await curl(...trust, "--parallel", "--parallel-immediate", ...urls);
      expect(String(fetched)).toBe("first page\n".repeat(20));
    });
  });
});

describe("a curl that goes wrong", () => {
  test("does not trust a certificate of an authority it does not know, and the server goes on", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages("https");
      await using _ = server;
      const error = await errorOf(() => curl(`${url}/one`));
      expect(error.message).toMatch(/ended with 60: .*certificate/s);
      expect(server.statistics().accepted).toBe(0);
      expect(String(await curl(...trust, `${url}/one`))).toBe("first page\n");
    });
  });

  test("speaks TLS to a server that does not: the server sees a hello it cannot read, and goes on", async () => {
    await quietly(async () => {
      const firsts: number[] = [];
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          firsts.push((await reader.readexactly(1))[0]!);
          writer.write("HTTP/1.0 200 OK\r\n\r\n");
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const error = await errorOf(() => curl(`https://127.0.0.1:${portOf(server)}/`));
      expect(error.message).toMatch(/ended with 35/);
      await curl(`http://127.0.0.1:${portOf(server)}/`);
      // The first byte of a TLS handshake, and of GET.
      expect(firsts).toEqual([0x16, 0x47]);
    });
  });

  test("speaks plain HTTP to a server of TLS: no callback is called, curl hears of an end, and the server goes on", async () => {
    await quietly(async () => {
      const { server, url, trust } = await servePages("https");
      await using _ = server;
      const error = await errorOf(() => curl(`${url.replace("https", "http")}/one`));
      expect(error.message).toMatch(/ended with (1|52|56)/);
      expect(server.statistics().accepted).toBe(0);
      expect(String(await curl(...trust, `${url}/one`))).toBe("first page\n");
    });
  });
});

/** Writes until the client is gone; what it was lost with. */
async function writeForever(writer: asyncio.StreamWriter): Promise<never> {
  writer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  for (;;) {
    writer.write(large);
    await writer.drain();
  }
}

describe.each(["http", "https"] as const)("a curl over %s that is killed", (scheme) => {
  test("in mid-transfer: drain and waitClosed raise what the system said, and the server goes on", async () => {
    await quietly(async () => {
      const lost = asyncio.getRunningLoop().createFuture<(string | undefined)[]>();
      await using server = await asyncio.startServer(
        async (_reader, writer) => {
          const drained = await errorOf(() => writeForever(writer));
          const closed = await errorOf(() => writer.waitClosed());
          lost.setResult([drained.code, closed.code]);
        },
        "127.0.0.1",
        0,
        scheme === "https" ? { ssl: { ...identity } } : {},
      );
      const trust = scheme === "https" ? ["--cacert", certificateFiles().authority] : [];
      const child = new Child(
        "curl",
        curlArgs([...trust, "--limit-rate", "100k", `${scheme}://127.0.0.1:${portOf(server)}/`]),
      );
      await child.says(/./);
      child.kill();
      const codes = await lost;
      for (const code of codes) expect(code).toMatch(/^(ECONNRESET|EPIPE)$/);
      expect(server.statistics().connections).toBe(0);
    });
  });
});
