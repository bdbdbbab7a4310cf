/**
 * The contract between the network and the programs that use it: a *transport* moves the bytes, a *protocol* hears what
 * happens to them.
 *
 * ```text
 *   program ──write, close, pauseReading──► transport ──► the network
 *   program ◄──connectionMade, dataReceived, eofReceived, connectionLost── transport
 * ```
 *
 * Both halves are in one file because each names the other. What a loop offers to make them is in `network-loop`.
 *
 * @module
 */

import type { Duration } from "../base/duration.ts";
import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { Task } from "../kernel/tasks.ts";

/** Bytes to send; a string is sent as UTF-8. */
export type Data = Uint8Array | string;

/** The address of one end of an internet socket. */
export interface SocketAddress {
  /** As a number, such as `127.0.0.1` or `::1`. */
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** When to stop and when to go on writing, in bytes that wait to be sent. */
export interface WriteBufferLimits {
  /** Above this, the protocol's `pauseWriting` is called. 64 KiB by default; 512 KiB for TLS. */
  readonly high?: number;
  /** At or below this, `resumeWriting` is called. A quarter of `high` by default. */
  readonly low?: number;
}

/** What TLS needs to know: on Node.js, the options of its `tls` module, of which these are the most used. */
export interface TlsOptions {
  readonly key?: unknown;
  readonly cert?: unknown;
  /** The trusted authorities; those of the system by default. */
  readonly ca?: unknown;
  readonly passphrase?: string | undefined;
  /** Refuse a peer whose certificate is not trusted: a client's default. A server asks for one with `requestCert`. */
  readonly rejectUnauthorized?: boolean | undefined;
  readonly requestCert?: boolean | undefined;
  readonly ALPNProtocols?: unknown;
  readonly ciphers?: string | undefined;
  readonly minVersion?: string | undefined;
  readonly maxVersion?: string | undefined;
  /** Made by `tls.createSecureContext`, instead of `key`, `cert` and `ca`. */
  readonly secureContext?: object | undefined;
}

/** Options of {@link StreamWriter.startTls} and `loop.startTls`. */
export interface StartTlsOptions {
  /** The name that the server's certificate must have; the host of the connection by default. */
  readonly serverHostname?: string;
  /** How long the handshake may take; 60 seconds by default. */
  readonly sslHandshakeTimeout?: Duration;
  /** How long the peer may take to answer the end of the connection; 30 seconds by default. */
  readonly sslShutdownTimeout?: Duration;
}

// --- protocols: what a transport calls. Inside of turns, one call at a time; each method may be left out.

/** What every protocol hears. CPython: `asyncio.BaseProtocol`. */
export interface BaseProtocol<T extends BaseTransport = never> {
  /** The connection is there. Called once, before anything else. */
  connectionMade?(transport: T): void;
  /** The connection is gone. Called once, after everything else; `error` is `null` if it ended as it should. */
  connectionLost?(error: unknown): void;
  /** More than the high-water mark waits to be sent: stop writing. Called inside the `write` that exceeded it. */
  pauseWriting?(): void;
  /** What waits to be sent is down at the low-water mark: go on. */
  resumeWriting?(): void;
}

/** What both kinds of protocol for a stream of bytes hear. */
interface ByteProtocol extends BaseProtocol<Transport> {
  /** The peer sends no more. Return `true` to go on writing; otherwise the transport closes itself. */
  eofReceived?(): boolean | void;
  /** @internal The task that serves the connection, while there is one: a server that shuts down cancels it. */
  readonly _task?: Task<unknown> | null;
  /** @internal Whether it waits for a next request, and nothing of that has come. */
  readonly _isIdle?: boolean;
  /** @internal Takes out what was received and not read yet: STARTTLS takes it for the beginning of the handshake. */
  _takeUnread?(): Uint8Array;
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
export interface Protocol extends ByteProtocol {
  /** Some bytes came, at least one. The array belongs to the protocol from here on. */
  dataReceived?(data: Uint8Array): void;
}

/**
 * Receives a stream of bytes in buffers of its own.
 *
 * CPython: `asyncio.BufferedProtocol`.
 */
export interface BufferedProtocol extends ByteProtocol {
  /** A buffer for the next bytes, not empty. @param sizeHint how many bytes there are. */
  getBuffer(sizeHint: number): Uint8Array;
  /** The first `nbytes` bytes of the buffer have been filled. */
  bufferUpdated(nbytes: number): void;
}

/** A protocol for a stream of bytes, of either kind. */
export type StreamingProtocol = Protocol | BufferedProtocol;

/** Receives datagrams. CPython: `asyncio.DatagramProtocol`. */
export interface DatagramProtocol<A = unknown, To = A> extends BaseProtocol<DatagramTransport<A, To>> {
  /** A datagram came, whole. @param address where it came from. */
  datagramReceived?(data: Uint8Array, address: A): void;
  /** The system reported an error, such as a peer that is not there. The transport stays open. */
  errorReceived?(error: unknown): void;
}

/** Hears of a child process. CPython: `asyncio.SubprocessProtocol`. */
export interface SubprocessProtocol extends BaseProtocol<SubprocessTransport> {
  /** The child wrote to its standard output (`fd` 1) or error (2). */
  pipeDataReceived?(fd: number, data: Uint8Array): void;
  /** The pipe to the child's standard input (`fd` 0), or from its output (1) or error (2), is closed. */
  pipeConnectionLost?(fd: number, error: unknown): void;
  /** The child has ended. Some of its output may still be to come. */
  processExited?(): void;
}

/** @internal */
export function isBuffered(protocol: StreamingProtocol): protocol is BufferedProtocol {
  return "getBuffer" in protocol;
}

// --- transports: what a program calls. Made by the loop, used by protocols and streams.

/** What every transport can do. CPython: `asyncio.BaseTransport`. */
export interface BaseTransport {
  /**
   * What is known of the transport under `name`, else `fallback`. Sockets: `peername`, `sockname` and `socket`; with TLS
   * also `peercert`, `cipher`, `alpnProtocol`; pipes: `pipe`; child processes: `subprocess`.
   */
  getExtraInfo(name: string, fallback?: unknown): unknown;
  /** Whether it is closing or closed. */
  isClosing(): boolean;
  /** Closes it when what was written has been sent; the protocol's `connectionLost` is called then. */
  close(): void;
  setProtocol(protocol: BaseProtocol): void;
  getProtocol(): BaseProtocol;
}

/** A transport that receives. CPython: `asyncio.ReadTransport`. */
export interface ReadTransport extends BaseTransport {
  isReading(): boolean;
  /** Gives no more data to the protocol; backpressure reaches the peer. Pausing twice does nothing. */
  pauseReading(): void;
  resumeReading(): void;
}

/** A transport that sends. CPython: `asyncio.WriteTransport`. */
export interface WriteTransport extends BaseTransport {
  /**
   * Sends `data`, later if need be; it does not wait. Do not change the bytes before they are sent.
   *
   * @throws {TypeError} if it is neither bytes nor a string.
   * @throws {RuntimeError} after `writeEof`.
   */
  write(data: Data): void;
  /** Sends several pieces as one. */
  writelines(list: Iterable<Data>): void;
  /** Ends the sending side behind what was written; data is still received. @throws {RuntimeError} if that is not supported. */
  writeEof(): void;
  canWriteEof(): boolean;
  /** Closes at once; what was not sent is lost. */
  abort(): void;
  /** @throws {RangeError} unless high >= low >= 0. */
  setWriteBufferLimits(limits?: WriteBufferLimits): void;
  getWriteBufferLimits(): { readonly low: number; readonly high: number };
  /** How many bytes wait to be sent. */
  getWriteBufferSize(): number;
}

/** Sends and receives a stream of bytes. CPython: `asyncio.Transport`. */
export interface Transport extends ReadTransport, WriteTransport {
  setProtocol(protocol: StreamingProtocol): void;
  getProtocol(): StreamingProtocol;
}

/** Sends and receives datagrams. CPython: `asyncio.DatagramTransport`. */
export interface DatagramTransport<A = unknown, To = A> extends BaseTransport {
  /**
   * Sends `data` as one datagram, to `address` or to the one address the endpoint is connected to.
   *
   * @throws {RangeError} if the endpoint is connected to another address, or there is none at all.
   */
  sendto(data: Data, address?: To | null): void;
  /** Closes at once; what was not sent is lost. */
  abort(): void;
  setWriteBufferLimits(limits?: WriteBufferLimits): void;
  getWriteBufferLimits(): { readonly low: number; readonly high: number };
  getWriteBufferSize(): number;
  setProtocol(protocol: DatagramProtocol<A, To>): void;
  getProtocol(): DatagramProtocol<A, To>;
}

/** A child process and the pipes to it. CPython: `asyncio.SubprocessTransport`. */
export interface SubprocessTransport extends BaseTransport {
  getPid(): number;
  /** The child's exit code, minus the number of the signal that ended it, or `null` while it runs. */
  getReturncode(): number | null;
  /** The transport of the pipe to or from the child's `fd`, or `null`. */
  getPipeTransport(fd: number): BaseTransport | null;
  /** @throws {ProcessLookupError} if the child is gone. */
  sendSignal(signal: string | number): void;
  terminate(): void;
  kill(): void;
  setProtocol(protocol: SubprocessProtocol): void;
  getProtocol(): SubprocessProtocol;
  /** @internal Waits until the child has ended: its exit code. */
  _wait(): CoroutineGenerator<number>;
}
