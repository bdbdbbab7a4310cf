/** What a coroutine throws is what its waiter catches, whatever it is. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

// CPython's set_exception(class) makes an instance; what JavaScript throws is what is caught, be it a class.
test("a class that is thrown is what arrives", async () => {
  await run(async () => {
    const caught: unknown[] = [];
    const bodies = [
      async (): Promise<void> => {
        await sleep(0);
        throw RangeError;
      },
      function* (): asyncio.CoroutineGenerator<void> {
        yield* sleep(0);
        throw RangeError;
      },
    ];
    for (const body of bodies) {
      try {
        await asyncio.createTask(body as () => Promise<void>);
      } catch (error) {
        caught.push(error);
      }
    }
    expect(caught).toEqual([RangeError, RangeError]);
  });
});

class Picky extends Error {
  constructor(options: { text: string }) {
    super(options.text);
  }
}

test("a class that is thrown and cannot be made an instance of ends its task, and nothing else", async () => {
  await run(async () => {
    const task = asyncio.createTask(function* () {
      yield* sleep(0);
      throw Picky;
    } as never);
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.exception()).toBe(Picky);
  });
});

describe.each([{ debug: false }, { debug: true }])("debug: $debug", ({ debug }) => {
  test.each([
    ["undefined", undefined],
    ["null", null],
    ["a string", "text"],
    ["a frozen error", Object.freeze(new Error("frozen"))],
    ["a symbol", Symbol("thrown")],
  ])("%s, thrown in either syntax, arrives as it is", async (_name, thrown) => {
    await run(
      async () => {
        const bodies = [
          async (): Promise<void> => {
            await sleep(0);
            throw thrown;
          },
          function* (): asyncio.CoroutineGenerator<void> {
            yield* sleep(0);
            throw thrown;
          },
        ];
        for (const body of bodies) {
          const task = asyncio.createTask(body as () => Promise<void>);
          let caught: unknown = "nothing";
          try {
            await asyncio.gather(task);
          } catch (error) {
            caught = error;
          }
          expect([caught === thrown, task.exception() === thrown, task.cancelled()]).toEqual([true, true, false]);
        }
      },
      { debug },
    );
  });
});
