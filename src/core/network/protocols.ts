/**
 * Protocols: what a transport tells the one who uses it. All methods are called by the loop, one at a time; each may be
 * left out.
 *
 * @module
 */

import type { BaseTransport, DatagramTransport, SubprocessTransport, Transport } from "./transports.ts";

/** What every protocol hears. CPython: `asyncio.BaseProtocol`. */
export interface BaseProtocol<T extends BaseTransport = never> {
  /** The connection is there. Called once, before anything else. */
  connectionMade?(transport: T): void;
  /** The connection is gone. Called once, after everything else; `error` is `null` if it ended as it should. */
  connectionLost?(error: unknown): void;
  /** More waits to be sent than the high-water mark: stop writing. Called from inside of the `write` that did it. */
  pauseWriting?(): void;
  /** What waits to be sent is down at the low-water mark: go on. */
  resumeWriting?(): void;
}

/**
 * Receives a stream of bytes.
 *
 * ```ts
 * class Echo implements asyncio.Protocol {
 *   #transport: asyncio.Transport | null = null;
 *   connectionMade(transport: asyncio.Transport) {
 *     this.#transport = transport;
 *   }
 *   dataReceived(data: Uint8Array) {
 *     this.#transport?.write(data);
 *   }
 * }
 * assert.ok(new Echo());
 * ```
 *
 * CPython: `asyncio.Protocol`.
 */
export interface Protocol extends BaseProtocol<Transport> {
  /** Some bytes came, at least one. They are yours to keep. */
  dataReceived?(data: Uint8Array): void;
  /** The peer sends no more. Return `true` to go on writing; otherwise the transport closes itself. */
  eofReceived?(): boolean | void;
}

/**
 * Receives a stream of bytes in buffers of its own.
 *
 * CPython: `asyncio.BufferedProtocol`.
 */
export interface BufferedProtocol extends BaseProtocol<Transport> {
  /** A buffer for the next bytes, not empty. @param sizeHint how many bytes there are. */
  getBuffer(sizeHint: number): Uint8Array;
  /** As many bytes as `nbytes` were written to the beginning of the buffer. */
  bufferUpdated(nbytes: number): void;
  /** See {@link Protocol}. */
  eofReceived?(): boolean | void;
}

/** Either way to receive a stream of bytes. */
export type StreamingProtocol = Protocol | BufferedProtocol;

/** Receives datagrams. CPython: `asyncio.DatagramProtocol`. */
export interface DatagramProtocol<A = unknown, To = A> extends BaseProtocol<DatagramTransport<A, To>> {
  /** A datagram came, whole. @param address where it came from. */
  datagramReceived?(data: Uint8Array, address: A): void;
  /** The system reported an error, as of a peer that is not there. The transport stays open. */
  errorReceived?(error: unknown): void;
}

/** Hears of a child process. CPython: `asyncio.SubprocessProtocol`. */
export interface SubprocessProtocol extends BaseProtocol<SubprocessTransport> {
  /** The child wrote to its standard output (`fd` 1) or error (2). */
  pipeDataReceived?(fd: number, data: Uint8Array): void;
  /** The pipe to the child's standard input (`fd` 0), or from its output (1) or error (2), is closed. */
  pipeConnectionLost?(fd: number, error: unknown): void;
  /** The child has ended. There may still be output of it to come. */
  processExited?(): void;
}

/** @internal */
export function isBuffered(protocol: StreamingProtocol): protocol is BufferedProtocol {
  return "getBuffer" in protocol;
}
