/**
 * What sockets can do on Node.js without a word in its documentation. This is the one file that uses it; each function
 * looks whether it is there, and says what happens where it is not.
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

/** How many bytes of the present write the system has not taken; zero where it does not say. */
export function unsentOf(stream: object): number {
  const size = (stream as WithHandle)._handle?.writeQueueSize;
  return typeof size === "number" ? size : 0;
}

/**
 * The connection of `accepted`, a socket that has not been read from, as a socket that reads as `onread` says. Without
 * the means, `null`.
 */
export function reopen(accepted: Socket, onread: OnReadOpts): Socket | null {
  // What has been read by now would be lost.
  if (accepted.readableLength > 0) return null;
  const handle = (accepted as WithHandle)._handle;
  if (typeof handle?.useUserBuffer !== "function") return null;
  (accepted as WithHandle)._handle = null;
  const options = { handle, allowHalfOpen: true, onread };
  const reopened = new Socket(options);
  // Its server counts the connections by the sockets it made.
  reopened.once("close", () => accepted.destroy());
  return reopened;
}

/** What is wrong with the certificate of a server's client, or `null`. Without the means, no client is let in. */
export function verifyErrorOf(socket: TLSSocket): unknown {
  const { ssl } = socket as { readonly ssl?: { verifyError?(): unknown } | null };
  if (typeof ssl?.verifyError === "function") return ssl.verifyError() ?? null;
  return new RuntimeError("this platform cannot verify the certificates of clients");
}

/** A server's socket keeps errors that come after the handshake to itself: this has it fail with them. */
export function failOnTlsErrors(socket: TLSSocket): void {
  socket.on("_tlsError", (error: Error) => socket.destroy(error));
}
