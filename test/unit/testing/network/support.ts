/** Programs for simulated hosts, as anybody would write them. */

import * as asyncio from "asyncio-ts";
import { asyncTest, SimulatedNetwork } from "asyncio-ts/testing";
import type { NetworkOptions } from "asyncio-ts/testing";

/** Answers each line with the same line. */
export async function echo(): Promise<void> {
  await asyncio.startServer(
    async (reader, writer) => {
      try {
        for await (const line of reader) {
          writer.write(line);
          await writer.drain();
        }
      } catch (error) {
        if (!(error instanceof asyncio.ConnectionResetError)) throw error;
      } finally {
        writer.close();
      }
    },
    null,
    7,
  );
}

/** Sends one line to `host` and reads the answer. */
export async function ask(host: string, line: string = "hello"): Promise<string> {
  const [reader, writer] = await asyncio.openConnection(host, 7);
  try {
    writer.write(`${line}\n`);
    return String(await reader.readline()).trim();
  } finally {
    writer.close();
  }
}

/** A test with a network, made with `options`. */
export function networkTest(
  body: (network: SimulatedNetwork) => Promise<void>,
  options: NetworkOptions = {},
): () => Promise<void> {
  return asyncTest(async () => await body(new SimulatedNetwork(options)));
}

export function now(): number {
  return asyncio.getRunningLoop().time();
}
