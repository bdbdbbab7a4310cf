/** Node's streams as ours, and ours as Node's. @module */

import { Duplex } from "node:stream";
import type { Coroutine } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { CancelledError } from "../../core/base/exceptions.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { StreamTransport } from "../../core/network/stream-transport.ts";
import type { StreamReader } from "../../core/network/streams/stream-reader.ts";
import type { StreamWriter } from "../../core/network/streams/stream-writer.ts";
import type { Streams } from "../../core/network/streams/streams-over.ts";
import { streamsOver } from "../../core/network/streams/streams-over.ts";
import { channelOver } from "./stream-channel.ts";
import type { NodeStream } from "./stream-channel.ts";

/**
 * A reader and a writer over one of Node's streams, which nothing else may use from here on. A stream with one direction
 * can be used in that one only.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { PassThrough } from "node:stream";
 * import * as asyncio from "asyncio-ts";
 *
 * await asyncio.run(async () => {
 *   const [reader, writer] = await asyncio.fromNodeStream(new PassThrough());
 *   writer.write("there and back\n");
 *   assert.equal(String(await reader.readline()), "there and back\n");
 * });
 * ```
 *
 * @param options `limit`: see {@link StreamReader}.
 */
export function fromNodeStream(stream: NodeStream, options: { readonly limit?: number } = {}): Coroutine<Streams> {
  return new GeneratorCoroutine(streamsOver(getRunningLoop(), channelOver(stream), options), "fromNodeStream");
}

/**
 * A reader and a writer as one of Node's streams: for `pipeline`, or for a package that takes a `Duplex`. Destroying it
 * closes the writer.
 */
export function toNodeStream(reader: StreamReader, writer: StreamWriter): Duplex {
  const loop = getRunningLoop();
  return new Duplex({
    allowHalfOpen: true,
    read(size) {
      const task = loop.createTask(() => reader.read(size));
      settle(task, (error) => {
        if (error !== null) this.destroy(error);
        else this.push(task.result().length === 0 ? null : task.result());
      });
    },
    write(chunk: Uint8Array, _encoding, callback) {
      writer.write(chunk);
      settle(
        loop.createTask(() => writer.drain()),
        callback,
      );
    },
    final(callback) {
      const { transport } = writer;
      // TLS has no half-close: the end is left to `destroy`.
      if (writer.canWriteEof()) writer.writeEof();
      if (transport instanceof StreamTransport)
        settle(
          loop.createTask(() => transport._allSent()),
          callback,
        );
      else callback();
    },
    destroy(error, callback) {
      writer.close();
      callback(error);
    },
  });
}

/** Calls `callback` with the error of `future`, or `null`, when it is done. */
function settle(future: Future<unknown>, callback: (error: Error | null) => void): void {
  future._onDone(() => callback(future.cancelled() ? new CancelledError() : (future.exception() as Error | null)));
}
