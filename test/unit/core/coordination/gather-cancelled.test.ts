/** What a gather() raises that is cancelled, and with which message: the answers are CPython 3.14's. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { createTask, gather, sleep } = asyncio;

type Body = () => Promise<unknown>;

const obedient: Body = async () => await sleep(10);

/** Ends otherwise than cancelled when it is cancelled, a second later than the others. */
const stubborn =
  (end: () => unknown): Body =>
  async () => {
    try {
      await sleep(10);
    } catch {
      await sleep(1);
      return end();
    }
    return null;
  };

const returns = stubborn(() => "fine");
const throws = stubborn(() => {
  throw new RangeError("cleanup");
});

/** What a task raises that waits for these in gather(), and is cancelled with the message "why". */
async function raisedBy(bodies: readonly Body[], returnExceptions: boolean, syntax: string): Promise<unknown> {
  const waitFor = (): asyncio.Future<unknown> =>
    gather(
      bodies.map((body) => createTask(body)),
      { returnExceptions },
    );
  const waiting =
    syntax === "async functions"
      ? createTask(async () => void (await waitFor()))
      : createTask(function* (): asyncio.CoroutineGenerator<void> {
          yield* waitFor();
        });
  await sleep(1);
  waiting.cancel("why");
  try {
    await waiting;
  } catch (error) {
    return error;
  }
  return null;
}

// Without `returnExceptions` the first child that ends cancelled gives its error. Otherwise CPython makes the error from the
// last child in line, whichever ended last; one that swallowed its cancellation has kept no message.
const CASES: readonly [name: string, bodies: readonly Body[], message: string, withReturnExceptions: string][] = [
  ["every child is cancelled", [obedient, obedient], "why", "why"],
  ["the last child in line returns", [obedient, returns], "why", ""],
  ["the last child in line throws", [obedient, throws], "why", ""],
  ["the first child in line returns, after the other was cancelled", [returns, obedient], "why", "why"],
  ["the first child in line throws, after the other was cancelled", [throws, obedient], "why", "why"],
  ["every child returns", [returns, returns], "", ""],
];

describe.each(["async functions", "generators"])("H6: a task in gather(), cancelled, in %s", (syntax) => {
  test.each(CASES)("where %s", async (_name, bodies, message, withReturnExceptions) => {
    await run(async () => {
      expect(await raisedBy(bodies, false, syntax)).toEqual(new asyncio.CancelledError(message));
      expect(await raisedBy(bodies, true, syntax)).toEqual(new asyncio.CancelledError(withReturnExceptions));
    });
  });
});
