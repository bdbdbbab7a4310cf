/** Transports: what moves the bytes. Made by the loop, used by protocols and streams. @module */

import type { Duration } from "../base/duration.ts";
import type { BaseProtocol, DatagramProtocol, StreamingProtocol, SubprocessProtocol } from "./protocols.ts";

/** Bytes to send; a string is sent as UTF-8. */
export type Data = Uint8Array | string;

/** The address of one end of an internet socket. */
export interface SocketAddress {
  /** As a number, such as `127.0.0.1` or `::1`. */
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** What TLS needs to know: on Node.js, the options of its `tls` module, of which these are the ones mostly used. */
export interface TlsOptions {
  readonly key?: unknown;
  readonly cert?: unknown;
  /** Whom to trust; the system's well-known authorities by default. */
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

/** When to stop and when to go on writing, in bytes that wait to be sent. */
export interface WriteBufferLimits {
  /** Above it the protocol's `pauseWriting` is called. 64 KiB by default; 512 KiB for TLS. */
  readonly high?: number;
  /** At it or below, `resumeWriting` is called. A quarter of `high` by default. */
  readonly low?: number;
}

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
  /** No more data is given to the protocol, and the peer comes to feel it. Pausing twice does nothing. */
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
  /** Ends what is sent, when it has been sent; data is still received. @throws {RuntimeError} if that is not supported. */
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
}
