/** Reports to the log and to the exception handler, of errors that resist being read. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

/** What the log holds after a callback has thrown `error`. */
async function logOf(error: unknown): Promise<string[]> {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  loop.callSoon(() => {
    throw error;
  });
  try {
    await loop.runUntilComplete(() => sleep(1));
  } catch (left) {
    throw left === error ? new Error("the error left the loop") : left; // vitest cannot print a hostile error
  } finally {
    asyncio.setLogger(null);
    loop.close();
  }
  return lines;
}

describe("a report", () => {
  test("of an error that is its own cause, or its own part", async () => {
    const circular = new Error("circular");
    circular.cause = circular;
    expect((await logOf(circular))[0]).toMatch(/^Exception in callback/);
    const group = new AggregateError([], "group");
    group.errors.push(group);
    expect((await logOf(group))[0]).toMatch(/^Exception in callback/);
  });

  // "It throws nothing, whatever the handler does."
  test("of an error whose stack cannot be read: the loop goes on", async () => {
    const hostile: Error = Object.defineProperty(new Error("hostile"), "stack", {
      get(): never {
        throw hostile;
      },
    });
    expect(await logOf(hostile)).toHaveLength(1);
  });

  test("of a callback whose name cannot be read", async () => {
    const callback = Object.defineProperty(
      () => {
        throw new Error("callback");
      },
      "name",
      {
        get(): never {
          throw new Error("name");
        },
      },
    );
    const reports = await run(async ({ loop }) => {
      loop.callSoon(callback);
      await sleep(1);
    });
    expect(reports).toHaveLength(1);
  });

  test("in debug mode, with a prepareStackTrace that gives no text", async () => {
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (_error, sites) => sites;
    try {
      await run(() => sleep(1) as never, { debug: true });
    } finally {
      Error.prepareStackTrace = before as never;
    }
  });
});
