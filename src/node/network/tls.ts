/**
 * TLS: a handshake, and a channel that ends with `close_notify`.
 *
 * Node's `tls` does the work. Weighed and refused: a `tls.Server` for a server's clients, which would shake hands outside
 * of any turn, without a task that could be cancelled with the server.
 *
 * @module
 */

import type { Socket } from "node:net";
import { isIP } from "node:net";
import * as tls from "node:tls";
import {
  FLOW_CONTROL_HIGH_WATER_SSL_WRITE,
  SSL_HANDSHAKE_TIMEOUT,
  SSL_SHUTDOWN_TIMEOUT,
} from "../../core/base/constants.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { TimerHandle } from "../../core/kernel/handles.ts";
import { ConnectionAbortedError, ConnectionResetError, TimeoutError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import type { StartTlsOptions, TlsOptions, WriteBufferLimits } from "../../core/network/contracts.ts";
import { failOnTlsErrors, SECURE_EVENT, verifyErrorOf } from "./private-sockets.ts";
import { StreamChannel } from "./stream-channel.ts";

/** The options of Node's `tls.connect` or `tls.createServer`. */
export type Ssl = TlsOptions | tls.ConnectionOptions | tls.TlsOptions;

/** How long TLS may take at its two ends. */
export type SslTimeouts = Pick<StartTlsOptions, "sslHandshakeTimeout" | "sslShutdownTimeout">;

/** A client's TLS. It is made before the connection, so that a bad key or option costs none. */
export class ClientTls {
  readonly #options: tls.ConnectionOptions;
  readonly #timeouts: SslTimeouts;

  /** @throws {RangeError} for a bad timeout; OpenSSL's error for a bad key or certificate. */
  constructor(ssl: Ssl | true, timeouts: SslTimeouts) {
    checkSslTimeouts(timeouts);
    this.#options = ssl === true ? {} : { ...(ssl as tls.ConnectionOptions), secureContext: contextOf(ssl) };
    this.#timeouts = timeouts;
  }

  /** A channel, when the handshake is done and the certificate is proven to be the server's. */
  *connect(loop: AbstractEventLoop, raw: Socket, serverHostname: string | null): CoroutineGenerator<TlsChannel> {
    checkConnected(raw);
    let socket: tls.TLSSocket;
    try {
      socket = tls.connect({ ...this.#options, ...identityOf(this.#options, serverHostname), socket: raw });
    } catch (error) {
      raw.destroy();
      throw error;
    }
    return yield* handshake(loop, raw, socket, "secureConnect", this.#options, this.#timeouts);
  }
}

/** Which name the certificate must have. If the user's own `checkServerIdentity` throws, the peer is rejected. */
function identityOf(given: tls.ConnectionOptions, serverHostname: string | null): tls.ConnectionOptions {
  const { checkServerIdentity = tls.checkServerIdentity } = given;
  const guarded: typeof checkServerIdentity = (name, certificate) => {
    try {
      return checkServerIdentity(name, certificate);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error), { cause: error });
    }
  };
  if (serverHostname === null) return { checkServerIdentity: guarded };
  if (serverHostname === "") return { checkServerIdentity: () => undefined };
  const servername = isIP(serverHostname) === 0 ? { servername: serverHostname } : {};
  return { host: serverHostname, ...servername, checkServerIdentity: guarded };
}

/** The keys and certificates among the options, parsed once. @throws OpenSSL's error for a bad one. */
function contextOf(ssl: unknown): tls.SecureContext {
  if (typeof ssl !== "object" || ssl === null) {
    throw new TypeError(`ssl: expected the options of TLS, received ${repr(ssl)}`);
  }
  const { secureContext } = ssl as { readonly secureContext?: tls.SecureContext };
  return secureContext ?? tls.createSecureContext(ssl);
}

/** A server's TLS, made once for all clients. */
export class ServerTls {
  readonly #options: tls.TlsOptions;
  readonly #context: tls.SecureContext;
  readonly #timeouts: SslTimeouts;

  /** @throws OpenSSL's error for a bad key or certificate. */
  constructor(ssl: Ssl, timeouts: SslTimeouts) {
    const options = ssl as tls.TlsOptions;
    this.#context = contextOf(ssl);
    this.#options = { ...options, ...alpnOf(options.ALPNProtocols) };
    this.#timeouts = timeouts;
    checkSslTimeouts(timeouts);
  }

  #wrap(raw: Socket): tls.TLSSocket {
    try {
      return new tls.TLSSocket(raw, { ...this.#options, isServer: true, secureContext: this.#context });
    } catch (error) {
      raw.destroy();
      throw error;
    }
  }

  /** A channel, when the handshake with one client is done. */
  *accept(loop: AbstractEventLoop, raw: Socket): CoroutineGenerator<TlsChannel> {
    checkConnected(raw);
    const socket = this.#wrap(raw);
    const channel = yield* handshake(loop, raw, socket, SECURE_EVENT, this.#options, this.#timeouts);
    if (this.#options.requestCert === true && this.#options.rejectUnauthorized !== false) {
      const error = verifyErrorOf(socket);
      if (error !== null) {
        channel.destroy();
        throw error;
      }
    }
    failOnTlsErrors(socket);
    return channel;
  }
}

/** @throws {ConnectionResetError} if the connection is gone already. */
function checkConnected(raw: Socket): void {
  if (raw.destroyed) throw new ConnectionResetError("the peer went away before the TLS handshake");
}

/**
 * Waits for `event`, the end of the handshake. The channel is made inside of the event, because the end of the connection
 * may follow at once and the channel must hear of it. Cancelled or timed out, the connection is destroyed.
 */
function* handshake(
  loop: AbstractEventLoop,
  raw: Socket,
  socket: tls.TLSSocket,
  event: typeof SECURE_EVENT | "secureConnect",
  ssl: Ssl,
  timeouts: SslTimeouts,
): CoroutineGenerator<TlsChannel> {
  const seconds = toSeconds(timeouts.sslHandshakeTimeout ?? SSL_HANDSHAKE_TIMEOUT, "sslHandshakeTimeout");
  const done = loop.createFuture<TlsChannel>();
  const fail = (error: unknown): void => {
    if (!done.done()) done.setException(error);
  };
  const succeed = (): void => {
    if (!done.done()) done.setResult(new TlsChannel(loop, socket, ssl, timeouts));
  };
  const ended = (): void => fail(new ConnectionResetError("the peer went away during the TLS handshake"));
  raw.on("error", fail).once("end", ended);
  socket.on("error", fail).on("close", ended).on("end", ended).once(event, succeed);
  const timer = loop.callLater(seconds, () => {
    const message = `SSL handshake is taking longer than ${seconds} seconds: aborting the connection`;
    fail(new ConnectionAbortedError(message));
  });
  try {
    return yield* done;
  } catch (error) {
    socket.destroy();
    raw.destroy();
    throw error;
  } finally {
    done.logTraceback = false;
    timer.cancel();
    raw.off("end", ended);
    socket.off("close", ended).off("end", ended);
  }
}

/** @throws {RangeError} unless the timeouts are positive. */
function checkSslTimeouts(timeouts: SslTimeouts): void {
  for (const name of ["sslHandshakeTimeout", "sslShutdownTimeout"] as const) {
    const given = timeouts[name];
    if (given !== undefined && toSeconds(given, name) <= 0) {
      throw new RangeError(`${name} should be a positive number: received ${repr(given)}`);
    }
  }
}

/** @throws {RangeError} if an option of TLS is given without `ssl`. */
export function checkNoSslOptions(
  options: SslTimeouts & { readonly ssl?: unknown; readonly serverHostname?: string },
): void {
  if (options.ssl !== undefined && options.ssl !== false) return;
  for (const name of ["serverHostname", "sslHandshakeTimeout", "sslShutdownTimeout"] as const) {
    if (options[name] !== undefined) throw new RangeError(`${name} is only meaningful with ssl`);
  }
}

class TlsChannel extends StreamChannel {
  readonly #loop: AbstractEventLoop;
  readonly #socket: tls.TLSSocket;
  readonly #shutdownSeconds: number;
  #timer: TimerHandle | null = null;
  readonly #tls: Ssl;

  constructor(
    loop: AbstractEventLoop,
    socket: tls.TLSSocket,
    ssl: Ssl,
    timeouts: { readonly sslShutdownTimeout?: Duration },
  ) {
    super(socket);
    this.#loop = loop;
    this.#socket = socket;
    this.#tls = ssl;
    this.#shutdownSeconds = toSeconds(timeouts.sslShutdownTimeout ?? SSL_SHUTDOWN_TIMEOUT, "sslShutdownTimeout");
  }

  get limits(): WriteBufferLimits {
    return { high: FLOW_CONTROL_HIGH_WATER_SSL_WRITE };
  }

  override get canWriteEof(): boolean {
    return false;
  }

  override getExtraInfo(name: string): unknown {
    switch (name) {
      case "sslcontext":
        return this.#tls;
      case "peercert":
        return this.#socket.getPeerCertificate();
      case "cipher":
        return this.#socket.getCipher();
      case "alpnProtocol":
        return this.#socket.alpnProtocol;
      default:
        return super.getExtraInfo(name);
    }
  }

  /** From here on the peer has `sslShutdownTimeout` to read what was written and to answer `close_notify`. */
  closing(): void {
    this.#timer ??= this.#loop.callLater(this.#shutdownSeconds, () => {
      this.tell((client) => client.failed(new TimeoutError("SSL shutdown timed out")));
    });
  }

  /** Sends `close_notify`, and waits for the peer's. */
  farewell(): void {
    this.closing();
    this.resume();
    this.#socket.end();
  }

  override destroy(): void {
    this.#timer?.cancel();
    this.#timer = null;
    super.destroy();
  }
}

/** The names of protocols as TLS writes them, each behind its length. */
function alpnOf(protocols: unknown): { readonly ALPNProtocols?: Uint8Array } {
  if (protocols === undefined) return {};
  if (protocols instanceof Uint8Array) return { ALPNProtocols: protocols };
  if (!Array.isArray(protocols)) throw new TypeError(`ALPNProtocols: expected names, received ${repr(protocols)}`);
  const names = protocols.map((name) => Buffer.from(name as string));
  return { ALPNProtocols: Buffer.concat(names.map((name) => Buffer.concat([Buffer.of(name.length), name]))) };
}
