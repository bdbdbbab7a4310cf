/** A request that is taken back: what it was is gone, and every other request stays. The answers are CPython 3.14's. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { createTask, sleep, taskGroup, timeout } = asyncio;

type Body = () => Promise<void>;

/** Whether `awaitable` raises TimeoutError; any other error passes. */
async function timesOut(awaitable: asyncio.Awaitable<unknown>): Promise<boolean> {
  try {
    await awaitable;
    return false;
  } catch (error) {
    if (error instanceof asyncio.TimeoutError) return true;
    throw error;
  }
}

/** Bodies in either syntax. `part` is awaited first, then a sleep of five seconds, in whatever is around. */
const SYNTAXES = [
  {
    syntax: "async functions",
    inDeadline: (part: asyncio.Awaitable<void>): Body => {
      return async () => {
        await timeout(1, async () => {
          await part;
          await sleep(5);
        });
      };
    },
    inTwoDeadlines: (part: asyncio.Awaitable<void>, record: unknown[]): Body => {
      const waitTwice: Body = async () => {
        await part;
        await sleep(5);
      };
      const outer: Body = async () => {
        if (await timesOut(timeout(1, waitTwice))) record.push("inner");
        await sleep(5);
      };
      return async () => {
        if (await timesOut(timeout(1, outer))) record.push("outer");
      };
    },
    inGroup: (part: asyncio.Awaitable<void>, child: Body): Body => {
      return async () => {
        await taskGroup(async (group) => {
          group.createTask(child);
          await part;
          await sleep(5);
        });
      };
    },
  },
  {
    syntax: "generators",
    inDeadline: (part: asyncio.Awaitable<void>): Body => {
      return function* (): asyncio.CoroutineGenerator<void> {
        yield* timeout(1, function* () {
          yield* part;
          yield* sleep(5);
        });
      } as unknown as Body;
    },
    inTwoDeadlines: (part: asyncio.Awaitable<void>, record: unknown[]): Body => {
      return function* (): asyncio.CoroutineGenerator<void> {
        try {
          yield* timeout(1, function* () {
            try {
              yield* timeout(1, function* () {
                yield* part;
                yield* sleep(5);
              });
            } catch (error) {
              if (!(error instanceof asyncio.TimeoutError)) throw error;
              record.push("inner");
            }
            yield* sleep(5);
          });
        } catch (error) {
          if (!(error instanceof asyncio.TimeoutError)) throw error;
          record.push("outer");
        }
      } as unknown as Body;
    },
    inGroup: (part: asyncio.Awaitable<void>, child: Body): Body => {
      return function* (): asyncio.CoroutineGenerator<void> {
        yield* taskGroup(function* (group) {
          group.createTask(child);
          yield* part;
          yield* sleep(5);
        });
      } as unknown as Body;
    },
  },
];

/** What `awaitable` raises; `null` if nothing. */
async function raisedBy(awaitable: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    await awaitable;
  } catch (error) {
    return error;
  }
  return null;
}

describe.each(SYNTAXES)("in $syntax", ({ inDeadline, inTwoDeadlines, inGroup }) => {
  // CPython: [True, 1], then TimeoutError at 1.0.
  test("H2: uncancel() in the turn in which a deadline passes leaves the deadline's request", async () => {
    await run(async ({ loop }) => {
      const record: unknown[] = [];
      const part = loop.createFuture();
      const task = createTask(inDeadline(part));
      loop.callAt(1, () => part.setResult());
      await sleep(0);
      loop.callAt(1, () => record.push(task.cancel(), task.uncancel()));
      expect(await raisedBy(task)).toBeInstanceOf(asyncio.TimeoutError);
      expect([record, task.cancelling(), loop.time()]).toEqual([[true, 1], 0, 1]);
    });
  });

  // CPython: [0], then TimeoutError at 1.0.
  test("H2: uncancel() long before a deadline leaves the deadline to come", async () => {
    await run(async ({ loop }) => {
      const task = createTask(inDeadline(sleep(0)));
      await sleep(0);
      task.cancel();
      expect(task.uncancel()).toBe(0);
      expect(await raisedBy(task)).toBeInstanceOf(asyncio.TimeoutError);
      expect([task.cancelling(), loop.time()]).toEqual([0, 1]);
    });
  });

  // CPython: [True, 2, "outer"] at 1.0: both deadlines have asked, and the outer one answers.
  test("H2: uncancel() in the turn in which two nested deadlines pass leaves the requests of both", async () => {
    await run(async ({ loop }) => {
      const record: unknown[] = [];
      const part = loop.createFuture();
      const task = createTask(inTwoDeadlines(part, record));
      loop.callAt(1, () => part.setResult());
      await sleep(0);
      loop.callAt(1, () => record.push(task.cancel(), task.uncancel()));
      expect(await raisedBy(task)).toBeNull();
      expect([record, task.cancelling(), loop.time()]).toEqual([[true, 2, "outer"], 0, 1]);
    });
  });

  // CPython: [True, 0], then the ExceptionGroup of the child, at 0.0.
  test("H2: uncancel() in the turn in which a child fails leaves its group to end", async () => {
    await run(async ({ loop }) => {
      const record: unknown[] = [];
      const part = loop.createFuture();
      const failing: Body = async () => {
        await part;
        throw new RangeError("child");
      };
      const task = createTask(inGroup(part, failing));
      await sleep(0);
      await sleep(0);
      part.setResult();
      loop.callSoon(() => record.push(task.cancel(), task.uncancel()));
      expect(await raisedBy(task)).toMatchObject({ errors: [new RangeError("child")] });
      expect([record, task.cancelling(), loop.time()]).toEqual([[true, 0], 0, 0]);
    });
  });
});
