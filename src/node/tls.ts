/** TLS: a handshake, and a channel that says goodbye. @module */

import type { Socket } from "node:net";
import { isIP } from "node:net";
import * as tls from "node:tls";
import type { ChannelClient } from "../core/channels.ts";
import { FLOW_CONTROL_HIGH_WATER_SSL_WRITE, SSL_HANDSHAKE_TIMEOUT, SSL_SHUTDOWN_TIMEOUT } from "../core/constants.ts";
import type { CoroutineGenerator } from "../core/coroutines.ts";
import type { Duration } from "../core/duration.ts";
import { toSeconds } from "../core/duration.ts";
import type { AbstractEventLoop, TimerHandle } from "../core/events.ts";
import { ConnectionAbortedError, RuntimeError, TimeoutError } from "../core/exceptions.ts";
import { repr } from "../core/format.ts";
import type { StartTlsOptions, TlsOptions, WriteBufferLimits } from "../core/transports.ts";
import { StreamChannel } from "./stream-channel.ts";

/** What TLS takes: the options of Node's `tls.connect` or `tls.createServer`; `true` for a client's defaults. */
export type Ssl = TlsOptions | tls.ConnectionOptions | tls.TlsOptions;

/** How long TLS may take at its two ends. */
export type SslTimeouts = Pick<StartTlsOptions, "sslHandshakeTimeout" | "sslShutdownTimeout">;

/** Goes on as a client under TLS: a channel, when the handshake is done and the server's name is proven. */
export function* connectTls(
  loop: AbstractEventLoop,
  raw: Socket,
  ssl: Ssl | true,
  serverHostname: string | null,
  timeouts: SslTimeouts,
): CoroutineGenerator<TlsChannel> {
  const given = ssl === true ? {} : (ssl as tls.ConnectionOptions);
  const socket = tls.connect({
    ...given,
    socket: raw,
    ...(serverHostname === null ? {} : { host: serverHostname }),
    ...(serverHostname === null || isIP(serverHostname) !== 0 ? {} : { servername: serverHostname }),
    ...(serverHostname === "" ? { checkServerIdentity: () => undefined } : {}),
  });
  yield* handshake(loop, raw, socket, "secureConnect", timeouts);
  return new TlsChannel(loop, socket, given, timeouts);
}

/** What a server needs to take clients under TLS, made once. */
export class ServerTls {
  readonly #options: tls.TlsOptions;
  readonly #context: tls.SecureContext;
  readonly #timeouts: SslTimeouts;

  /** @throws what OpenSSL has against the key or the certificate. */
  constructor(ssl: Ssl, timeouts: SslTimeouts) {
    const options = ssl as tls.TlsOptions & { readonly secureContext?: tls.SecureContext };
    this.#context = options.secureContext ?? tls.createSecureContext(options);
    this.#options = { ...options, ...alpnOf(options.ALPNProtocols) };
    this.#timeouts = timeouts;
    toSeconds(timeouts.sslHandshakeTimeout ?? SSL_HANDSHAKE_TIMEOUT, "sslHandshakeTimeout");
  }

  /** Takes one client. */
  *accept(loop: AbstractEventLoop, raw: Socket): CoroutineGenerator<TlsChannel> {
    const socket = new tls.TLSSocket(raw, { ...this.#options, isServer: true, secureContext: this.#context });
    yield* handshake(loop, raw, socket, "secure", this.#timeouts);
    if (this.#options.requestCert === true && this.#options.rejectUnauthorized !== false) {
      const error = verifyErrorOf(socket);
      if (error !== null) {
        socket.destroy();
        throw error;
      }
    }
    return new TlsChannel(loop, socket, this.#options, this.#timeouts);
  }
}

/** Waits for `event`, the end of the handshake. Cancelled or too late, the connection is gone. */
function* handshake(
  loop: AbstractEventLoop,
  raw: Socket,
  socket: tls.TLSSocket,
  event: "secure" | "secureConnect",
  timeouts: SslTimeouts,
): CoroutineGenerator<void> {
  const seconds = toSeconds(timeouts.sslHandshakeTimeout ?? SSL_HANDSHAKE_TIMEOUT, "sslHandshakeTimeout");
  const done = loop.createFuture();
  const fail = (error: unknown): void => {
    if (!done.done()) done.setException(error);
  };
  const succeed = (): void => {
    if (!done.done()) done.setResult();
  };
  const closed = (): void =>
    fail(new ConnectionAbortedError("the peer closed the connection during the TLS handshake"));
  raw.on("error", fail);
  socket.on("error", fail).on("close", closed).once(event, succeed);
  const timer = loop.callLater(seconds, () => {
    const message = `SSL handshake is taking longer than ${seconds} seconds: aborting the connection`;
    fail(new ConnectionAbortedError(message));
  });
  try {
    yield* done;
  } catch (error) {
    socket.destroy();
    raw.destroy();
    throw error;
  } finally {
    timer.cancel();
    socket.off("close", closed);
  }
}

export class TlsChannel extends StreamChannel {
  readonly #loop: AbstractEventLoop;
  readonly #socket: tls.TLSSocket;
  readonly #shutdownSeconds: number;
  #client: ChannelClient | null = null;
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

  override open(client: ChannelClient): void {
    this.#client = client;
    super.open(client);
  }

  /** Sends `close_notify`, and waits for the peer's. */
  farewell(): void {
    this.#timer = this.#loop.callLater(this.#shutdownSeconds, () => {
      this.#client?.failed(new TimeoutError("SSL shutdown timed out"));
    });
    this.resume();
    this.#socket.end();
  }

  override destroy(): void {
    this.#timer?.cancel();
    this.#timer = null;
    super.destroy();
  }
}

/** What is wrong with a client's certificate. A platform that cannot say gets no client in. */
function verifyErrorOf(socket: tls.TLSSocket): unknown {
  const { ssl } = socket as { readonly ssl?: { verifyError?(): unknown } | null };
  if (typeof ssl?.verifyError !== "function") {
    return new RuntimeError("this platform cannot verify the certificates of clients");
  }
  return ssl.verifyError() ?? null;
}

/** The names of protocols as TLS writes them, each behind its length. */
function alpnOf(protocols: unknown): { readonly ALPNProtocols?: Uint8Array } {
  if (protocols === undefined) return {};
  if (protocols instanceof Uint8Array) return { ALPNProtocols: protocols };
  if (!Array.isArray(protocols)) throw new TypeError(`ALPNProtocols: expected names, received ${repr(protocols)}`);
  const names = protocols.map((name) => Buffer.from(name as string));
  return { ALPNProtocols: Buffer.concat(names.map((name) => Buffer.concat([Buffer.of(name.length), name]))) };
}
