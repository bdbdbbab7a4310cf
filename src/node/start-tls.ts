/** STARTTLS: a connection that goes on under TLS. @module */

import type { Socket } from "node:net";
import type { CoroutineGenerator } from "../core/coroutines.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { RuntimeError } from "../core/exceptions.ts";
import type { StreamingProtocol } from "../core/protocols.ts";
import { StreamTransport } from "../core/stream-transport.ts";
import type { StartTlsOptions, Transport } from "../core/transports.ts";
import { StreamChannel } from "./stream-channel.ts";
import { CONNECTED_HOST } from "./tcp.ts";
import type { Ssl } from "./tls.ts";
import { connectTls, ServerTls } from "./tls.ts";

/** Options of {@link startTls}. */
export interface Upgrade extends StartTlsOptions {
  readonly serverSide?: boolean;
  /** What came before the upgrade and nobody has read. */
  readonly received: Uint8Array;
}

/**
 * See `EventLoop.startTls`. Whatever came in the clear and was not read goes to TLS as the beginning of the handshake,
 * which fails if it is none: an attacker's command put before the handshake cannot be read as if it came after.
 */
export function* startTls(
  loop: AbstractEventLoop,
  transport: Transport,
  protocol: StreamingProtocol,
  ssl: Ssl,
  options: Upgrade,
): CoroutineGenerator<Transport> {
  if (!(transport instanceof StreamTransport)) {
    throw new RuntimeError(`startTls: transport ${String(transport)} is not supported by startTls()`);
  }
  // What can fail for want of a key fails before the connection is touched.
  const server = options.serverSide === true ? new ServerTls(ssl, options) : null;
  const host = options.serverHostname ?? (transport.getExtraInfo(CONNECTED_HOST) as string | null);
  if (server === null && host === null)
    throw new RangeError("startTls: serverHostname must be given, or '' to check none");
  const { channel, unread, owner } = transport._handOver();
  if (!(channel instanceof StreamChannel)) throw new RuntimeError("startTls: this transport carries no TLS");
  const raw = channel.handOver() as Socket;
  const early = Buffer.concat([options.received, ...unread]);
  if (early.length > 0) raw.unshift(early);
  const secured = server === null ? yield* connectTls(loop, raw, ssl, host, options) : yield* server.accept(loop, raw);
  const waiter = loop.createFuture();
  const upgraded = new StreamTransport(loop, secured, protocol, {
    ...(owner === null ? {} : { owner }),
    isUpgrade: true,
  });
  upgraded.start(waiter);
  yield* waiter;
  return upgraded;
}
