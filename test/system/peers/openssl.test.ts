/** OpenSSL's `s_client` against our servers, and our clients against its `s_server`. */

import * as asyncio from "asyncio-ts";
import { describe, expect } from "vitest";
import { authority, certificateFiles, client, server as identity, stranger } from "./certificates.ts";
import { Child } from "./child.ts";
import { testWith } from "./programs.ts";
import { echoLines, errorOf, portOf, quietly, stillEchoes } from "./world.ts";

const test = testWith("openssl");

const VERSIONS = [
  ["TLSv1.2", "-tls1_2"],
  ["TLSv1.3", "-tls1_3"],
] as const;

/** OpenSSL as a client that trusts our authority. With `-brief` it reports the handshake in a few lines. */
function startClient(port: number, ...args: string[]): Child {
  const { authority: file } = certificateFiles();
  const fixed = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-CAfile", file];
  return new Child("openssl", [...fixed, "-verify_return_error", "-brief", ...args]);
}

/** OpenSSL as a server on a port of its choice, and the port. */
async function startServer(...args: string[]): Promise<{ child: Child; port: number }> {
  const { key, cert } = certificateFiles().server;
  const child = new Child("openssl", ["s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", cert, ...args]);
  const [, port] = await child.says(/ACCEPT .*:(\d+)/);
  return { child, port: Number(port) };
}

/** The version of TLS and the protocol that a connection of ours has agreed on. */
function agreed(writer: asyncio.StreamWriter): [version: unknown, protocol: unknown] {
  const cipher = writer.getExtraInfo("cipher") as { readonly version: string };
  return [cipher.version, writer.getExtraInfo("alpnProtocol")];
}

describe.each(VERSIONS)("openssl s_client, %s", (version, flag) => {
  test("exchanges lines with our server", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl: identity });
      const child = startClient(portOf(server), flag);
      await child.says(/CONNECTION ESTABLISHED/);
      child.write("first\n");
      await child.says(/^first$/m);
      child.write("second\n");
      await child.says(/^second$/m);
      child.endInput();
      const { code, stderr } = await child.ended;
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(new RegExp(`Protocol version: ${version}[^]*Verification: OK`)),
      ]);
      // It said goodbye to us by TLS's rules, and is gone.
      server.close();
      await server.waitClosed();
    });
  });

  test("agrees with our server on a protocol", async () => {
    await quietly(async () => {
      const loop = asyncio.getRunningLoop();
      const seen = loop.createFuture<unknown>();
      await using server = await asyncio.startServer(
        (reader, writer) => {
          seen.setResult(agreed(writer));
          return echoLines(reader, writer);
        },
        "127.0.0.1",
        0,
        { ssl: { ...identity, ALPNProtocols: ["echo/1", "echo/2"] } },
      );
      const child = startClient(portOf(server), flag, "-alpn", "echo/3,echo/2");
      expect(await seen).toEqual([version, "echo/2"]);
      child.endInput();
      expect((await child.ended).code).toBe(0);
    });
  });

  test("is refused without a certificate if our server wants one, and the server goes on", async () => {
    await quietly(async () => {
      const ssl = { ...identity, ca: authority, requestCert: true };
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl });
      const child = startClient(portOf(server), flag, "-ign_eof");
      await child.ended;
      expect(server.statistics().accepted).toBe(0);
      expect(await stillEchoes(portOf(server), { ssl: { ...client, ca: authority } })).toBe(true);
    });
  });

  test("is refused with a certificate that nobody signed", async () => {
    await quietly(async () => {
      const ssl = { ...identity, ca: authority, requestCert: true };
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl });
      const files = certificateFiles().stranger;
      const child = startClient(portOf(server), flag, "-ign_eof", "-cert", files.cert, "-key", files.key);
      await child.ended;
      expect(server.statistics().accepted).toBe(0);
    });
  });

  test("is let in with a certificate of the authority, which our server can look at", async () => {
    await quietly(async () => {
      const seen = asyncio.getRunningLoop().createFuture<unknown>();
      const ssl = { ...identity, ca: authority, requestCert: true };
      await using server = await asyncio.startServer(
        (reader, writer) => {
          seen.setResult(writer.getExtraInfo("peercert"));
          return echoLines(reader, writer);
        },
        "127.0.0.1",
        0,
        { ssl },
      );
      const files = certificateFiles().client;
      const child = startClient(portOf(server), flag, "-cert", files.cert, "-key", files.key);
      expect(await seen).toMatchObject({ subject: { CN: "a client" } });
      child.write("hello\n");
      await child.says(/^hello$/m);
      child.endInput();
      expect((await child.ended).code).toBe(0);
    });
  });

  test("hears goodbye from our server as TLS has it, and not a cut connection", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(
        (_reader, writer) => {
          writer.write("that is all\n");
          writer.close();
        },
        "127.0.0.1",
        0,
        { ssl: identity },
      );
      const child = startClient(portOf(server), flag, "-ign_eof");
      const { code, stdout, stderr } = await child.ended;
      expect([code, String(stdout)]).toEqual([0, "that is all\n"]);
      expect(stderr).not.toMatch(/unexpected eof|errno/);
    });
  });
});

describe.each(VERSIONS)("openssl s_server, %s", (version, flag) => {
  test("exchanges lines with our client", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev", flag);
      const [reader, writer] = await asyncio.openConnection("localhost", port, { ssl: { ca: authority }, family: 4 });
      expect(agreed(writer)[0]).toBe(version);
      for (const [line, turned] of [
        ["abc\n", "cba\n"],
        ["xyz\n", "zyx\n"],
      ]) {
        writer.write(line!);
        expect(String(await reader.readline())).toBe(turned);
      }
      writer.close();
      await writer.waitClosed();
    });
  });

  test("serves its page to our client, whose reader comes to the end", async () => {
    await quietly(async () => {
      const { port } = await startServer("-www", flag);
      const [reader, writer] = await asyncio.openConnection("localhost", port, { ssl: { ca: authority }, family: 4 });
      writer.write("GET / HTTP/1.0\r\n\r\n");
      const page = String(await reader.read());
      expect(page).toMatch(/^HTTP\/1.0 200 ok[^]*<\/html>\s*$/i);
      writer.close();
      await writer.waitClosed();
    });
  });

  test("agrees with our client on a protocol", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev", flag, "-alpn", "echo/1,echo/2");
      const ssl = { ca: authority, ALPNProtocols: ["echo/3", "echo/2"] };
      const [, writer] = await asyncio.openConnection("127.0.0.1", port, { ssl });
      expect(agreed(writer)).toEqual([version, "echo/2"]);
      writer.close();
      await writer.waitClosed();
    });
  });

  test("refuses our client without a certificate, and our reader hears of it", async () => {
    await quietly(async () => {
      const { authority: file } = certificateFiles();
      const { port } = await startServer("-rev", flag, "-Verify", "1", "-verify_return_error", "-CAfile", file);
      const error = await errorOf(async () => {
        // Under TLS 1.3 the client's handshake is over before the server has looked at its certificate.
        const [reader] = await asyncio.openConnection("127.0.0.1", port, { ssl: { ca: authority } });
        await reader.read();
      });
      expect(error.code).toMatch(/^ERR_SSL_.*(HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED)$/);
    });
  });

  test("lets our client in with a certificate of the authority", async () => {
    await quietly(async () => {
      const { authority: file } = certificateFiles();
      const { port } = await startServer("-rev", flag, "-Verify", "1", "-verify_return_error", "-CAfile", file);
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", port, { ssl: { ...client, ca: authority } });
      writer.write("abc\n");
      expect(String(await reader.readline())).toBe("cba\n");
      writer.close();
      await writer.waitClosed();
    });
  });
});

describe("a server that is not what it should be", () => {
  test("has a certificate for another name: ERR_TLS_CERT_ALTNAME_INVALID", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev");
      const options = { ssl: { ca: authority }, serverHostname: "example.org" };
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", port, options));
      expect(error).toMatchObject({
        code: "ERR_TLS_CERT_ALTNAME_INVALID",
        message: expect.stringMatching(/example\.org/),
      });
    });
  });

  test("has an address that its certificate does not: ERR_TLS_CERT_ALTNAME_INVALID", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev");
      const options = { ssl: { ca: authority }, serverHostname: "127.0.0.2" };
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", port, options));
      expect(error.code).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    });
  });

  test("has the other name, but we said we do not care: an empty serverHostname", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev");
      const options = { ssl: { ca: authority }, serverHostname: "" };
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", port, options);
      writer.write("abc\n");
      expect(String(await reader.readline())).toBe("cba\n");
      writer.close();
      await writer.waitClosed();
    });
  });

  test("has a certificate of an authority we do not know: UNABLE_TO_VERIFY_LEAF_SIGNATURE", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev");
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", port, { ssl: true }));
      expect(error.code).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    });
  });

  test("has signed its own certificate: DEPTH_ZERO_SELF_SIGNED_CERT", async () => {
    await quietly(async () => {
      const { key, cert } = certificateFiles().stranger;
      const { port } = await startServer("-rev", "-key", key, "-cert", cert);
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", port, { ssl: { ca: authority } }));
      expect(error.code).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
    });
  });

  test("has signed its own certificate, which we trust", async () => {
    await quietly(async () => {
      const { key, cert } = certificateFiles().stranger;
      const { port } = await startServer("-rev", "-key", key, "-cert", cert);
      const options = { ssl: { ca: stranger.cert }, serverHostname: "localhost" };
      const [, writer] = await asyncio.openConnection("127.0.0.1", port, options);
      writer.close();
      await writer.waitClosed();
    });
  });

  test("knows no version of TLS that we do: the alert is the error", async () => {
    await quietly(async () => {
      const { port } = await startServer("-rev", "-tls1_2");
      const ssl = { ca: authority, minVersion: "TLSv1.3" as const };
      const error = await errorOf(() => asyncio.openConnection("127.0.0.1", port, { ssl }));
      expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    });
  });

  test("has gone: a server killed under our client ends the reader, or breaks it, and waits for nothing", async () => {
    await quietly(async () => {
      const { child, port } = await startServer("-rev");
      const [reader, writer] = await asyncio.openConnection("127.0.0.1", port, { ssl: { ca: authority } });
      writer.write("abc\n");
      await reader.readline();
      child.kill();
      expect(String(await reader.read())).toBe("");
      writer.close();
      await writer.waitClosed();
    });
  });
});

describe("openssl s_client in the middle of a connection", () => {
  test("renews the keys of TLS 1.3, ours too, and the lines go on", async () => {
    await quietly(async () => {
      await using server = await asyncio.startServer(echoLines, "127.0.0.1", 0, { ssl: identity });
      const { authority: file } = certificateFiles();
      const child = new Child("openssl", [
        "s_client",
        "-connect",
        `127.0.0.1:${portOf(server)}`,
        "-CAfile",
        file,
        "-tls1_3",
      ]);
      await child.says(/Verify return code: 0/);
      child.write("before\n");
      await child.says(/^before$/m);
      child.write("K\n");
      await child.says(/KEYUPDATE/);
      child.write("after\n");
      await child.says(/^after$/m);
      child.endInput();
      await child.ended;
    });
  });

  test("is killed: our server's reader ends, and the server goes on", async () => {
    await quietly(async () => {
      const ended = asyncio.getRunningLoop().createFuture<string>();
      await using server = await asyncio.startServer(
        async (reader, writer) => {
          writer.write(await reader.readline());
          ended.setResult(String(await reader.read()));
          // There is nobody to say goodbye to, which the system may tell or not.
          writer.close();
        },
        "127.0.0.1",
        0,
        { ssl: identity },
      );
      const child = startClient(portOf(server));
      child.write("hello\n");
      await child.says(/^hello$/m);
      child.kill();
      expect(await ended).toBe("");
    });
  });

  test("goes while our server writes: drain says so, and the server goes on", async () => {
    await quietly(async () => {
      const lost = asyncio.getRunningLoop().createFuture<unknown>();
      await using server = await asyncio.startServer(
        async (_reader, writer) => {
          const error = await errorOf(async () => {
            for (;;) {
              writer.write(Buffer.alloc(100_000, "a line of some length\n"));
              await writer.drain();
            }
          });
          lost.setResult(error);
          writer.close();
        },
        "127.0.0.1",
        0,
        { ssl: identity },
      );
      const child = startClient(portOf(server));
      await child.says(/a line of some length/);
      child.endInput();
      expect(await lost).toBeInstanceOf(Error);
      expect(server.statistics().connections).toBe(0);
    });
  });
});
