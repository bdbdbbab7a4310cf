/** STARTTLS: a connection that goes on under TLS. @module */

import type { Socket } from "node:net";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { CancelledError, ConnectionResetError } from "../../core/base/exceptions.ts";
import { repr } from "../../core/base/format.ts";
import { WatchedChannel } from "../../core/network/peer-timeouts.ts";
import type { StartTlsOptions, StreamingProtocol, Transport } from "../../core/network/contracts.ts";
import { StreamTransport } from "../../core/network/stream-transport.ts";
import { StreamChannel } from "./stream-channel.ts";
import { CONNECTED_HOST } from "./tcp.ts";
import type { Ssl } from "./tls.ts";
import { ClientTls, ServerTls } from "./tls.ts";

/** Options of {@link startTls}. */
export interface UpgradeOptions extends StartTlsOptions {
  readonly serverSide?: boolean;
}

/**
 * See `EventLoop.startTls`. What came in the clear and was not read goes to TLS as the beginning of the handshake, which
 * then fails: a command that an attacker put before the handshake cannot be read as if it had come after.
 */
export function* startTls(
  loop: AbstractEventLoop,
  transport: Transport,
  protocol: StreamingProtocol,
  ssl: Ssl,
  options: UpgradeOptions,
): CoroutineGenerator<Transport> {
  if (!(transport instanceof StreamTransport)) {
    throw new TypeError(`startTls: expected a transport of this loop, received ${repr(transport)}`);
  }
  // A bad key or certificate fails here, before the connection is touched.
  const tls = options.serverSide === true ? new ServerTls(ssl, options) : new ClientTls(ssl, options);
  const host = options.serverHostname ?? (transport.getExtraInfo(CONNECTED_HOST) as string | null);
  if (tls instanceof ClientTls && host === null) {
    throw new RangeError("startTls: serverHostname must be given, or '' to check none");
  }
  const watch = transport._channel instanceof WatchedChannel ? transport._channel : null;
  const channel = watch?.watchedChannel ?? transport._channel;
  if (!(channel instanceof StreamChannel)) throw new TypeError(`startTls: ${String(transport)} cannot go on under TLS`);
  const unread = yield* handOver(transport);
  watch?.stop();
  try {
    const raw = channel.handOver() as Socket;
    const early = Buffer.concat([protocol._takeUnread?.() ?? Buffer.alloc(0), ...unread]);
    if (early.length > 0) raw.unshift(early);
    const secured = tls instanceof ClientTls ? yield* tls.connect(loop, raw, host) : yield* tls.accept(loop, raw);
    if (transport._isLost) {
      secured.destroy();
      throw new ConnectionResetError("the connection was closed during the TLS handshake");
    }
    const upgraded = new StreamTransport(loop, watch?.goOnWith(secured) ?? secured, protocol, {
      ...(transport._owner === null ? {} : { owner: transport._owner }),
      isUpgrade: true,
    });
    return yield* takenOver(loop, transport, upgraded);
  } catch (error) {
    transport._failed(error instanceof CancelledError ? null : error);
    throw error;
  }
}

/** Takes the connection from `transport` when everything is sent. It returns the bytes that were not delivered. */
function* handOver(transport: StreamTransport): CoroutineGenerator<readonly Uint8Array[]> {
  const wasReading = transport.isReading();
  transport.pauseReading();
  try {
    yield* transport._allSent();
    return transport._handOver();
  } catch (error) {
    if (wasReading) transport.resumeReading();
    throw error;
  }
}

function* takenOver(
  loop: AbstractEventLoop,
  transport: StreamTransport,
  upgraded: StreamTransport,
): CoroutineGenerator<Transport> {
  const waiter = loop.createFuture();
  transport._replacedBy(upgraded);
  upgraded.start(waiter);
  try {
    yield* waiter;
  } catch (error) {
    upgraded.close();
    throw error;
  }
  return upgraded;
}
