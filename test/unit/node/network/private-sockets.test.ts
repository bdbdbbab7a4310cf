/** The undocumented features of Node's sockets: each is used where it is found, and missing otherwise. */

import { once } from "node:events";
import * as net from "node:net";
import type { TLSSocket } from "node:tls";
import * as asyncio from "asyncio-ts";
import { afterEach, describe, expect, test } from "vitest";
import { readMemory } from "../../../../src/node/network/fast-reads.ts";
import { failOnTlsErrors, reopen, unsentOf, verifyErrorOf } from "../../../../src/node/network/private-sockets.ts";

type Handle = Record<string, unknown>;

const handleOf = (socket: net.Socket): Handle => (socket as unknown as { _handle: Handle })._handle;

/** What a test has opened. */
const open: { destroy(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** A socket that a server has accepted and not read from, and the client at its other end. */
async function accepted(): Promise<{ readonly socket: net.Socket; readonly client: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [net.Socket];
  server.close();
  open.push(client, socket);
  return { socket, client };
}

describe("reopen()", () => {
  test("gives a socket that reads into memory, and leaves nothing to the one before", async () => {
    const { socket, client } = await accepted();
    const memory = readMemory()!;
    const reopened = reopen(socket, memory.onread)!;
    open.push(reopened);
    const chunk = new Promise<string>((resolve) => {
      memory.onChunk = (bytes) => resolve(String(bytes));
    });
    reopened.resume();
    client.write("hello");
    expect(await chunk).toBe("hello");
    expect(handleOf(socket)).toBeNull();
    reopened.destroy();
    await once(socket, "close");
  });

  test("is null where a handle takes no memory, and the socket can be read from as before", async () => {
    const { socket, client } = await accepted();
    handleOf(socket)["useUserBuffer"] = undefined;
    expect(reopen(socket, readMemory()!.onread)).toBeNull();
    client.write("hello");
    socket.resume();
    expect(String((await once(socket, "data"))[0])).toBe("hello");
  });

  test("is null where a socket has no handle", () => {
    expect(reopen(new net.Socket(), readMemory()!.onread)).toBeNull();
  });

  test("is null for a socket that has been read from", async () => {
    const { socket, client } = await accepted();
    client.write("hello");
    socket.once("readable", () => {});
    await once(socket, "readable");
    expect(reopen(socket, readMemory()!.onread)).toBeNull();
    expect(String(socket.read())).toBe("hello");
  });
});

describe("unsentOf()", () => {
  test("is what the handle says, and zero where it says nothing", async () => {
    const { socket } = await accepted();
    expect(unsentOf(socket)).toBe(0);
    Object.defineProperty(handleOf(socket), "writeQueueSize", { value: 5 });
    expect(unsentOf(socket)).toBe(5);
    expect(unsentOf({})).toBe(0);
    expect(unsentOf({ _handle: null })).toBe(0);
  });
});

describe("verifyErrorOf()", () => {
  test("is the error of the certificate, null without one, and an error where it cannot be asked for", () => {
    const failure = new Error("self-signed certificate");
    const withAnswer = (answer: unknown): TLSSocket => ({ ssl: { verifyError: () => answer } }) as unknown as TLSSocket;
    expect(verifyErrorOf(withAnswer(failure))).toBe(failure);
    expect(verifyErrorOf(withAnswer(undefined))).toBeNull();
    for (const socket of [{}, { ssl: null }, { ssl: {} }]) {
      expect(verifyErrorOf(socket as unknown as TLSSocket)).toBeInstanceOf(asyncio.RuntimeError);
    }
  });
});

describe("failOnTlsErrors()", () => {
  test("destroys the socket with the error", async () => {
    const socket = new net.Socket() as TLSSocket;
    failOnTlsErrors(socket);
    const failure = new Error("bad record");
    const failed = once(socket, "error");
    socket.emit("_tlsError", failure);
    await expect(failed).resolves.toEqual([failure]);
    expect(socket.destroyed).toBe(true);
  });
});
