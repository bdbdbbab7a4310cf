/**
 * Sending a file over a transport, by reading and writing: Node has no way to let the system do it.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { SENDFILE_FALLBACK_READBUFFER_SIZE } from "../../core/base/constants.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { ConnectionResetError, RuntimeError, SendfileNotAvailableError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { fromPromise } from "../../core/kernel/promises.ts";
import type { Protocol, StreamingProtocol, Transport } from "../../core/network/contracts.ts";
import { StreamTransport } from "../../core/network/stream-transport.ts";

/** Options of `sendfile`. */
export interface SendfileOptions {
  /** Where in the file to begin, in bytes. */
  readonly offset?: number;
  /** How many bytes to send; to the end of the file by default. */
  readonly count?: number | null;
  /** Reads and writes where the system cannot send the file itself, which on Node.js is everywhere. */
  readonly fallback?: boolean;
}

/** See `EventLoop.sendfile`. */
export function* sendfile(
  loop: AbstractEventLoop,
  transport: Transport,
  file: FileHandle,
  options: SendfileOptions,
): CoroutineGenerator<number> {
  const { offset = 0, count = null, fallback = true } = options;
  if (!Number.isInteger(offset) || offset < 0)
    throw new RangeError(`offset: expected a whole number >= 0, received ${repr(offset)}`);
  if (count !== null && (!Number.isInteger(count) || count <= 0)) {
    throw new RangeError(`count: expected a whole number > 0, received ${repr(count)}`);
  }
  if (!(transport instanceof StreamTransport))
    throw new RuntimeError(`sendfile is not supported by ${String(transport)}`);
  if (transport.getProtocol() instanceof Sender) throw new RuntimeError("Another file is being sent on this transport");
  if (transport.isClosing()) throw new RuntimeError("Transport is closing");
  if (!fallback)
    throw new SendfileNotAvailableError("sendfile: Node.js cannot have the system send a file; allow the fallback");
  const sender = new Sender(loop, transport);
  try {
    let sent = 0;
    const end = count === null ? Infinity : offset + count;
    for (let position = offset; position < end;) {
      const size = Math.min(SENDFILE_FALLBACK_READBUFFER_SIZE, end - position);
      // A new buffer for each read: the last one may not be sent yet.
      const { bytesRead, buffer } = yield* fromPromise(file.read(Buffer.allocUnsafe(size), 0, size, position));
      if (bytesRead === 0) break;
      yield* sender.ready();
      if (transport.isClosing()) throw new ConnectionResetError("the transport was closed while a file was sent");
      transport.write(buffer.subarray(0, bytesRead));
      position += bytesRead;
      sent += bytesRead;
    }
    yield* sender.ready();
    return sent;
  } finally {
    sender.end();
  }
}

/** The protocol of the transport while the file is sent: it alone is told when to stop writing. */
class Sender implements Protocol {
  readonly #loop: AbstractEventLoop;
  readonly #transport: Transport;
  readonly #protocol: StreamingProtocol;
  readonly #wasReading: boolean;
  /** Whether the protocol was paused when the file began; it hears of the difference at the end. */
  readonly #wasPaused: boolean;
  #isPaused: boolean;
  #waiter: Future<void> | null = null;
  #lost: { readonly error: unknown } | null = null;

  constructor(loop: AbstractEventLoop, transport: StreamTransport) {
    this.#loop = loop;
    this.#transport = transport;
    this.#protocol = transport.getProtocol();
    this.#wasReading = transport.isReading();
    this.#wasPaused = transport._isWritingPaused;
    this.#isPaused = this.#wasPaused;
    transport.pauseReading();
    transport.setProtocol(this);
  }

  /** Waits until more may be written. */
  *ready(): CoroutineGenerator<void> {
    this.#check();
    if (!this.#isPaused) return;
    this.#waiter = this.#loop.createFuture();
    yield* this.#waiter;
    this.#check();
  }

  #check(): void {
    if (this.#lost !== null) throw this.#lost.error ?? new ConnectionResetError("Connection closed by peer");
  }

  /** Gives the transport back to its protocol. */
  end(): void {
    if (this.#lost !== null) return;
    this.#transport.setProtocol(this.#protocol);
    if (this.#isPaused && !this.#wasPaused) this.#protocol.pauseWriting?.();
    if (!this.#isPaused && this.#wasPaused) this.#protocol.resumeWriting?.();
    if (this.#wasReading) this.#transport.resumeReading();
  }

  pauseWriting(): void {
    this.#isPaused = true;
  }

  resumeWriting(): void {
    this.#isPaused = false;
    this.#wake();
  }

  connectionLost(error: unknown): void {
    this.#lost = { error };
    this.#wake();
    this.#protocol.connectionLost?.(error);
  }

  #wake(): void {
    if (this.#waiter !== null && !this.#waiter.done()) this.#waiter.setResult();
  }
}
