/** A client that a listener has accepted gets its protocol and its transport. @module */

import { leavesTheLoop } from "../base/exceptions.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import type { ByteChannel } from "./byte-channels.ts";
import type { StreamingProtocol } from "./contracts.ts";
import type { PeerTimeouts } from "./peer-timeouts.ts";
import { watched } from "./peer-timeouts.ts";
import type { Server } from "./server.ts";
import { StreamTransport } from "./stream-transport.ts";

/** What a server does with each client. */
export interface Welcome extends PeerTimeouts {
  /** Makes the protocol of one client. */
  readonly makeProtocol: () => StreamingProtocol;
}

/** Connects the client at the other end of `channel` to `server`, or closes the channel if that cannot be. */
export function welcome(
  loop: AbstractEventLoop,
  channel: ByteChannel,
  { makeProtocol, ...timeouts }: Welcome,
  server: Server | null,
): void {
  let protocol: StreamingProtocol;
  try {
    protocol = makeProtocol();
  } catch (exception) {
    channel.destroy();
    if (leavesTheLoop(exception)) throw exception;
    loop.callExceptionHandler({ message: "Fatal error: the protocol factory failed.", exception });
    return;
  }
  if (server?.isServing() !== true) {
    channel.destroy();
    return;
  }
  new StreamTransport(loop, watched(loop, channel, timeouts), protocol, { owner: server }).start();
}
