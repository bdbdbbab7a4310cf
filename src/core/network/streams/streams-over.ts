/** A reader and a writer over any channel. @module */

import type { ByteChannel } from "../byte-channels.ts";
import type { CoroutineGenerator } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { attach } from "../stream-transport.ts";
import type { Transport } from "../contracts.ts";
import { StreamReaderProtocol } from "./stream-protocol.ts";
import { StreamReader } from "./stream-reader.ts";
import { StreamWriter } from "./stream-writer.ts";

/** What is read and what is written of one connection. */
export type Streams = [reader: StreamReader, writer: StreamWriter];

/** @internal The two ends of a client's streams: a protocol for the transport, and the streams when there is one. */
export interface ClientSide {
  readonly protocol: StreamReaderProtocol;
  streams(transport: Transport): Streams;
}

/** @internal */
export function clientSide(loop: AbstractEventLoop, options: { readonly limit?: number }): ClientSide {
  const { limit } = options;
  const reader = new StreamReader({ loop, ...(limit === undefined ? {} : { limit }) });
  const protocol = new StreamReaderProtocol(reader, null, { loop });
  return { protocol, streams: (transport) => [reader, new StreamWriter(transport, protocol, reader, { loop })] };
}

/** @internal Reads from and writes to `channel`. Cancelled before it is connected, it is closed. */
export function* streamsOver(
  loop: AbstractEventLoop,
  channel: ByteChannel,
  options: { readonly limit?: number },
): CoroutineGenerator<Streams> {
  const { protocol, streams } = clientSide(loop, options);
  const [transport] = yield* attach(loop, channel, () => protocol);
  return streams(transport);
}
