/** What the unit tests of streams share: a channel and a protocol that write down what they hear. */

import * as asyncio from "asyncio-ts";
import { run as play } from "../../virtual.ts";
import type { ByteChannel, ByteChannelClient } from "../../../../src/core/network/byte-channels.ts";
import { StreamTransport } from "../../../../src/core/network/stream-transport.ts";

/** A channel whose other end is the test. */
export class FakeChannel implements ByteChannel {
  readonly calls: string[] = [];
  readonly canWriteEof: boolean;
  pending: number = 0;
  farewell?: (() => void) | undefined;
  #client: ByteChannelClient | null = null;

  constructor(options: { readonly canWriteEof?: boolean; readonly farewell?: () => void } = {}) {
    this.canWriteEof = options.canWriteEof ?? true;
    this.farewell = options.farewell;
  }

  /** Whom to tell what happens. */
  get client(): ByteChannelClient {
    if (this.#client === null) throw new Error("not open");
    return this.#client;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  open(client: ByteChannelClient): void {
    this.calls.push("open");
    this.#client = client;
  }

  getExtraInfo(name: string): unknown {
    return name === "peername" ? "the test" : undefined;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  write(pieces: readonly Uint8Array[]): void {
    this.calls.push(`write ${pieces.map(textOf).join("|")}`);
    for (const piece of pieces) this.pending += piece.length;
  }

  writeEof(): void {
    this.calls.push("writeEof");
  }

  destroy(): void {
    this.calls.push("destroy");
  }

  /** Sends all but `rest` bytes of what waits. */
  flush(rest: number = 0): void {
    this.pending = rest;
    this.client.flushed();
  }

  /** So many pieces come at once, each a digit. */
  receive(...texts: readonly string[]): void {
    for (const text of texts) this.client.received(bytesOf(text));
  }
}

/** A protocol that writes down what it hears, and does what it is told to then. */
export class Listener implements asyncio.Protocol {
  readonly heard: string[] = [];
  /** Called for each event, by name. */
  react: (what: string) => unknown = () => {};

  connectionMade(): void {
    this.#hear("made");
  }

  dataReceived(data: Uint8Array): void {
    this.#hear(textOf(data));
  }

  eofReceived(): boolean | void {
    return this.#hear("eof") as boolean | void;
  }

  connectionLost(error: unknown): void {
    this.#hear(`lost ${error === null ? "null" : (error as Error).message}`);
  }

  pauseWriting(): void {
    this.#hear("pauseWriting");
  }

  resumeWriting(): void {
    this.#hear("resumeWriting");
  }

  #hear(what: string): unknown {
    this.heard.push(what);
    return this.react(what);
  }
}

/** A transport over a channel of the test's, started. */
export function connect(
  options: NonNullable<ConstructorParameters<typeof StreamTransport>[3]> & {
    readonly channel?: FakeChannel;
    readonly protocol?: asyncio.StreamingProtocol;
    readonly waiter?: asyncio.Future<void>;
  } = {},
): { readonly channel: FakeChannel; readonly listener: Listener; readonly transport: StreamTransport } {
  const { channel = new FakeChannel(), protocol, waiter, ...rest } = options;
  const listener = new Listener();
  const transport = new StreamTransport(asyncio.getRunningLoop(), channel, protocol ?? listener, rest);
  transport.start(waiter ?? null);
  return { channel, listener, transport };
}

/** Runs `main` on the virtual clock; what it leaves open is no matter, unless the test says so. */
export async function run(...args: Parameters<typeof play>): Promise<asyncio.ExceptionContext[]> {
  const reports: asyncio.ExceptionContext[] = [];
  await logOf(async () => void reports.push(...(await play(...args))));
  return reports;
}

/** {@link connect}, when the protocol has been told. */
export async function connected(options: Parameters<typeof connect>[0] = {}): Promise<ReturnType<typeof connect>> {
  const made = connect(options);
  await settle();
  return made;
}

/** Lets everything go on that can go on without time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await asyncio.sleep(0);
}

/** What the library writes to its log while `action` runs. */
export async function logOf(action: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
  try {
    await action();
  } finally {
    asyncio.setLogger(null);
  }
  return lines;
}

export function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}
