/**
 * What Node's sockets can do that is not documented. Only this file uses it. Each function tests for the feature, and its
 * comment says what happens without it.
 *
 * | what                                     | for                                     | without it                      |
 * | ---------------------------------------- | --------------------------------------- | ------------------------------- |
 * | `_handle.writeQueueSize`                 | progress of one long write              | a long write may look idle      |
 * | `_handle`, `_handle.useUserBuffer`, and  | accepted sockets that read into memory  | they are read by `data` events  |
 * | the option `handle` of `net.Socket`      | that is lent                            |                                 |
 * | `ssl.verifyError()`                      | the certificates of a server's clients  | no such client is let in        |
 * | the event `_tlsError`                    | TLS errors after a server's handshake   | the connection ends without one |
 * | the event `secure`                       | the end of a server's handshake         | the handshake times out         |
 *
 * @module
 */

import type { OnReadOpts } from "node:net";
import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { RuntimeError } from "../../core/base/exceptions.ts";

interface WithHandle {
  _handle?: { readonly useUserBuffer?: unknown; readonly writeQueueSize?: unknown } | null;
}

/** How many bytes of the present write the system has not taken; zero where that is unknown. */
export function unsentOf(stream: object): number {
  const size = (stream as WithHandle)._handle?.writeQueueSize;
  return typeof size === "number" ? size : 0;
}

/**
 * The connection of `accepted`, which has not been read from, as a socket that reads as `onread` says; `null` where that
 * is not possible.
 */
export function reopen(accepted: Socket, onread: OnReadOpts): Socket | null {
  // Bytes that Node has read already would be lost.
  if (accepted.readableLength > 0) return null;
  const handle = (accepted as WithHandle)._handle;
  if (typeof handle?.useUserBuffer !== "function") return null;
  const options = { handle, allowHalfOpen: true, onread };
  const reopened = new Socket(options);
  if ((reopened as WithHandle)._handle !== handle) {
    reopened.destroy();
    return null;
  }
  (accepted as WithHandle)._handle = null;
  // Node's server counts its connections by the sockets it made.
  reopened.once("close", () => accepted.destroy());
  return reopened;
}

/** The error of the certificate of a server's client, or `null`. Where it cannot be asked for, that is an error too. */
export function verifyErrorOf(socket: TLSSocket): unknown {
  const { ssl } = socket as { readonly ssl?: { verifyError?(): unknown } | null };
  if (typeof ssl?.verifyError === "function") return ssl.verifyError() ?? null;
  return new RuntimeError("this platform cannot verify the certificates of clients");
}

/** The event of a server's TLS socket when the handshake is done; a client's is `secureConnect`, which is documented. */
export const SECURE_EVENT = "secure";

/** Destroys a server's socket with a TLS error that comes after the handshake; Node would drop the error. */
export function failOnTlsErrors(socket: TLSSocket): void {
  socket.on("_tlsError", (error: Error) => socket.destroy(error));
}
