/**
 * What the network tests after CPython's suite share: a program on the real loop with its reports, a protocol that writes
 * down what it hears, a transport without a network, and TLS that trusts the test's certificate.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo, Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { cert, key } from "./certificates.ts";

/** What a server needs for TLS; and a client, to trust it. */
export const serverTls: asyncio.Ssl = { key, cert };
export const clientTls: asyncio.Ssl = { ca: cert };

export interface Net {
  readonly loop: asyncio.EventLoop;
  /** What came to the loop's exception handler. */
  readonly reports: asyncio.ExceptionContext[];
  /** The path of a socket that is not there yet, in a folder that is removed at the end. */
  readonly path: string;
}

/** Runs `main` on the real loop; what came to the exception handler. */
export async function online(
  main: (net: Net) => Promise<unknown> | asyncio.CoroutineGenerator<unknown>,
  options: asyncio.RunnerOptions = {},
): Promise<asyncio.ExceptionContext[]> {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-"));
  const loop = asyncio.newEventLoop();
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  try {
    const net = { loop, reports, path: join(folder, "socket") };
    await asyncio.run(() => main(net) as Promise<unknown>, { ...options, loopFactory: () => loop });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return reports;
}

/** The port a server listens at. */
export function portOf(server: asyncio.Server): number {
  return ((server.sockets[0] as NetServer).address() as AddressInfo).port;
}

/** What the library writes to its log while `action` runs. */
export async function logOf(action: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
  try {
    await action();
  } finally {
    asyncio.setLogger(null);
  }
  return lines;
}

/** What `awaitable` raises, in an async function; an error if it raises nothing. */
export async function errorOf(awaitable: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    await awaitable;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was raised");
}

/** A protocol that writes down what it hears, and can be waited for. */
export class Recorder implements asyncio.Protocol {
  readonly heard: string[] = [];
  readonly made: asyncio.Event = new asyncio.Event();
  readonly ended: asyncio.Event = new asyncio.Event();
  readonly lost: asyncio.Event = new asyncio.Event();
  readonly staysOpen: boolean;
  text: string = "";
  error: unknown = null;
  #transport: asyncio.Transport | null = null;
  readonly #more: asyncio.Event = new asyncio.Event();

  constructor(staysOpen: boolean = false) {
    this.staysOpen = staysOpen;
  }

  get transport(): asyncio.Transport {
    if (this.#transport === null) throw new Error("not connected yet");
    return this.#transport;
  }

  connectionMade(transport: asyncio.Transport): void {
    this.#transport = transport;
    this.#hear("made");
    this.made.set();
  }

  dataReceived(data: Uint8Array): void {
    this.text += Buffer.from(data).toString("latin1");
    this.#hear("data");
  }

  eofReceived(): boolean {
    this.#hear("eof");
    this.ended.set();
    return this.staysOpen;
  }

  connectionLost(error: unknown): void {
    this.error = error;
    this.#hear("lost");
    this.lost.set();
  }

  pauseWriting(): void {
    this.#hear("pause");
  }

  resumeWriting(): void {
    this.#hear("resume");
  }

  /** Waits until so many bytes have come. */
  async has(count: number): Promise<string> {
    while (this.text.length < count) {
      this.#more.clear();
      await this.#more.wait();
    }
    return this.text;
  }

  /** Waits until it has heard `what`. */
  async hears(what: string): Promise<void> {
    while (!this.heard.includes(what)) {
      this.#more.clear();
      await this.#more.wait();
    }
  }

  /** The same thing twice in a row is written down once: how bytes are cut is the network's affair. */
  #hear(what: string): void {
    if (this.heard.at(-1) !== what) this.heard.push(what);
    this.#more.set();
  }
}

/** A transport without a network: what is written stays in it, until it is taken out. */
export class MemoryTransport implements asyncio.Transport {
  sent: string = "";
  /** What was called, in order. */
  readonly calls: string[] = [];
  #protocol: asyncio.StreamingProtocol;
  #isClosing: boolean = false;
  #isReading: boolean = true;

  constructor(protocol: asyncio.StreamingProtocol) {
    this.#protocol = protocol;
  }

  write(data: asyncio.Data): void {
    this.sent += String(data);
  }

  writelines(list: Iterable<asyncio.Data>): void {
    for (const data of list) this.write(data);
  }

  writeEof(): void {
    this.calls.push("writeEof");
  }

  canWriteEof(): boolean {
    return true;
  }

  close(): void {
    this.calls.push("close");
    this.#isClosing = true;
  }

  abort(): void {
    this.close();
  }

  isClosing(): boolean {
    return this.#isClosing;
  }

  isReading(): boolean {
    return this.#isReading;
  }

  pauseReading(): void {
    this.calls.push("pauseReading");
    this.#isReading = false;
  }

  resumeReading(): void {
    this.calls.push("resumeReading");
    this.#isReading = true;
  }

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return name === "peername" ? "nobody" : fallback;
  }

  getProtocol(): asyncio.StreamingProtocol {
    return this.#protocol;
  }

  setProtocol(protocol: asyncio.StreamingProtocol): void {
    this.#protocol = protocol;
  }

  setWriteBufferLimits(): void {}

  getWriteBufferLimits(): { readonly low: number; readonly high: number } {
    return { low: 0, high: 0 };
  }

  getWriteBufferSize(): number {
    return 0;
  }

  toString(): string {
    return "<MemoryTransport>";
  }
}
