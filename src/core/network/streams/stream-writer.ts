/// <reference lib="esnext.disposable" preserve="true" />
/** StreamWriter: bytes to send, and a way to wait until more may be written. @module */

import type { Coroutine, CoroutineGenerator } from "../../kernel/coroutines.ts";
import type { Awaitable } from "../../kernel/futures.ts";
import { AttemptCoroutine } from "../../kernel/attempts.ts";
import { GeneratorCoroutine } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { getRunningLoop } from "../../kernel/events.ts";
import { inspectAsString } from "../../base/format.ts";
import { sleep } from "../../coordination/sleep.ts";
import { wait } from "../../coordination/wait.ts";
import type { Data, StartTlsOptions, TlsOptions, Transport, WriteTransport, SocketAddress } from "../contracts.ts";
import type { NetworkLoop } from "../network-loop.ts";
import { checkHas } from "../network-loop.ts";
import type { StreamReader } from "./stream-reader.ts";
import type { DrainGate } from "./drain-gate.ts";

/** What a {@link StreamWriter} needs of the protocol of its transport. */
interface WriterProtocol {
  /** @internal */
  readonly _gate: DrainGate;
  /** @internal Whether this end is the server. */
  readonly _isServer?: boolean;
  /** @internal Whether it waits for a next request. */
  _isIdle?: boolean;
  /** @internal After STARTTLS. */
  _replaceTransport?(transport: Transport): void;
}

/**
 * Writes to a stream of bytes. `write` does not wait; `drain` does, when too much waits to be sent. Write and drain in
 * turn, so that a slow peer slows you down instead of filling the memory.
 *
 * `close` sends what was written and ends the connection; `await writer.waitClosed()` waits for that, and
 * `await using` does both.
 *
 * CPython: `asyncio.StreamWriter`.
 */
export class StreamWriter implements AsyncDisposable {
  #transport: WriteTransport;
  readonly #protocol: WriterProtocol;
  readonly #reader: StreamReader | null;
  readonly #loop: AbstractEventLoop;

  constructor(
    transport: WriteTransport,
    protocol: WriterProtocol,
    reader: StreamReader | null,
    options: { readonly loop?: AbstractEventLoop } = {},
  ) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#reader = reader;
    this.#loop = options.loop ?? getRunningLoop();
  }

  /** What the writer writes to. */
  get transport(): WriteTransport {
    return this.#transport;
  }

  /**
   * Sends `data`, later if need be; a string as UTF-8. Do not change the bytes before they are sent.
   *
   * @throws {TypeError} if it is neither bytes nor a string.
   */
  write(data: Data): void {
    this.#transport.write(data);
  }

  /** Sends several pieces as one. */
  writelines(list: Iterable<Data>): void {
    this.#transport.writelines(list);
  }

  /**
   * Ends what is sent and goes on receiving: the peer's reader comes to the end of its stream.
   *
   * @throws {RuntimeError} if the transport cannot do so, as under TLS.
   */
  writeEof(): void {
    this.#transport.writeEof();
  }

  canWriteEof(): boolean {
    return this.#transport.canWriteEof();
  }

  /** Closes the connection when what was written has been sent. */
  close(): void {
    this.#transport.close();
  }

  isClosing(): boolean {
    return this.#transport.isClosing();
  }

  /** Waits until the connection is closed. @throws what it was lost with. */
  waitClosed(): Coroutine<void> {
    return new GeneratorCoroutine(waitFor(this.#protocol), "StreamWriter.waitClosed");
  }

  /**
   * Waits for `awaitable`, in a server, while the connection is idle: between two requests, when nothing is owed to the
   * client. A server that shuts down closes it then at once, and the reader comes to its end; one that is busy gets the grace.
   * The first byte of the next request makes it busy.
   *
   * ```ts
   * const answerLines = async (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => {
   *   for (;;) {
   *     const line = await writer.whileIdle(reader.readline());
   *     if (line.length === 0) break;
   *     writer.write(line);
   *     await writer.drain();
   *   }
   *   writer.close();
   * };
   * await asyncio.run(async () => {
   *   const server = await asyncio.startServer(answerLines, "127.0.0.1", 0);
   *   const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
   *   writer.write("hello\n");
   *   assert.equal(String(await reader.readline()), "hello\n");
   *   assert.equal(await server.shutdown({ grace: 60 }), 0); // at once: the client is idle
   *   writer.close();
   * });
   * ```
   *
   * Cancelled, what it waits for is. asyncio has no such thing; Node's HTTP server has `closeIdleConnections`.
   */
  whileIdle<T>(awaitable: Awaitable<T>): Coroutine<T> {
    return new GeneratorCoroutine(this.#waitingIdle(awaitable), "StreamWriter.whileIdle");
  }

  *#waitingIdle<T>(awaitable: Awaitable<T>): CoroutineGenerator<T> {
    this.#protocol._isIdle = true;
    try {
      return yield* awaitable;
    } finally {
      this.#protocol._isIdle = false;
    }
  }

  /** Where the other side is, or this one: an address, the path of a Unix socket, or `null`. */
  getExtraInfo(name: "peername" | "sockname"): SocketAddress | string | null;
  /** See `getExtraInfo` of {@link Transport}. */
  getExtraInfo(name: string, fallback?: unknown): unknown;
  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return this.#transport.getExtraInfo(name, fallback);
  }

  /**
   * Waits until more may be written. It returns at once unless more than the high-water mark waits to be sent.
   *
   * @throws what the connection was lost with; {@link ConnectionResetError} after that.
   */
  drain(): Coroutine<void> {
    return new Drain(this, this.#protocol._gate, this.#reader);
  }

  /**
   * Goes on under TLS (STARTTLS): as a client, or in a server's callback as a server. The running loop's `startTls` does
   * it. Bytes that came and were not read are taken for the beginning of the handshake: nothing that came in the clear can
   * be read as if it were secure.
   *
   * @throws {RuntimeError} if the loop has no TLS, or if another task is reading meanwhile.
   */
  startTls(tls: TlsOptions = {}, options: StartTlsOptions = {}): Coroutine<void> {
    return new GeneratorCoroutine(this.#startingTls(tls, options), "StreamWriter.startTls");
  }

  *#startingTls(tls: TlsOptions, options: StartTlsOptions): CoroutineGenerator<void> {
    const loop = this.#loop as NetworkLoop;
    checkHas(loop, "startTls", "StreamWriter.startTls");
    this.#reader?._checkNotWaitedFor();
    yield* this.drain();
    const plain = this.#transport as Transport;
    const serverSide = this.#protocol._isServer === true;
    const transport = yield* loop.startTls(plain, plain.getProtocol(), tls, { ...options, serverSide });
    this.#transport = transport;
    this.#protocol._replaceTransport?.(transport);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.waitClosed();
  }

  toString(): string {
    return `<StreamWriter transport=${String(this.#transport)}>`;
  }
}
inspectAsString("StreamWriter", StreamWriter);

function* waitFor(protocol: WriterProtocol): CoroutineGenerator<void> {
  const { closed } = protocol._gate;
  // Not `yield* closed`: cancelling one call of waitClosed would cancel the future for all of them.
  if (!closed.done()) yield* wait([closed]);
  closed.result();
}

class Drain extends AttemptCoroutine<void> {
  readonly #writer: StreamWriter;
  readonly #gate: DrainGate;
  readonly #reader: StreamReader | null;

  constructor(writer: StreamWriter, gate: DrainGate, reader: StreamReader | null) {
    super();
    this.#writer = writer;
    this.#gate = gate;
    this.#reader = reader;
  }

  get name(): string {
    return "StreamWriter.drain";
  }

  protected override mustWait(): boolean {
    return this.#gate.mustDrain || this.#writer.isClosing();
  }

  protected override goOn(): void {
    this.#raise();
    this.#gate.check();
  }

  protected override *waitAndGoOn(): CoroutineGenerator<void> {
    this.#raise();
    // The loss of the connection becomes known in a turn: without one, a loop of writes would never end.
    if (this.#writer.isClosing()) yield* sleep(0);
    yield* this.#gate.drain();
  }

  /** @throws what the connection was lost with. */
  #raise(): void {
    const error = this.#reader?.exception() ?? null;
    if (error !== null) throw error;
  }
}
