/** A reader and a writer over any channel. @module */

import type { Channel } from "../channels.ts";
import type { CoroutineGenerator } from "../coroutines.ts";
import type { AbstractEventLoop } from "../events.ts";
import { attach } from "../stream-transport.ts";
import { StreamReaderProtocol } from "./stream-protocol.ts";
import { StreamReader } from "./stream-reader.ts";
import { StreamWriter } from "./stream-writer.ts";

/** What is read and what is written of one connection. */
export type Streams = [reader: StreamReader, writer: StreamWriter];

/** @internal Reads from and writes to `channel`. Cancelled before it is connected, it is closed. */
export function* streamsOver(
  loop: AbstractEventLoop,
  channel: Channel,
  options: { readonly limit?: number },
): CoroutineGenerator<Streams> {
  const reader = new StreamReader({ ...options, loop });
  const protocol = new StreamReaderProtocol(reader, null, { loop });
  const [transport] = yield* attach(loop, channel, () => protocol);
  return [reader, new StreamWriter(transport, protocol, reader, { loop })];
}
