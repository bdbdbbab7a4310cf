/** SystemExit leaves the loop from wherever it is raised; what still runs cleans up, and nothing is reported. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { sleep } = asyncio;
const exit = (): never => {
  throw new asyncio.SystemExit(7);
};

type Place = (loop: asyncio.BaseEventLoop) => unknown;
const places: [string, Place][] = [
  ["a callback", (loop) => loop.callSoon(exit)],
  [
    "a step of a generator",
    (loop) =>
      loop.createTask(function* () {
        yield* sleep(1);
        exit();
      }),
  ],
  [
    "an async function, after a bare promise",
    (loop) =>
      loop.createTask(async () => {
        await sleep(1);
        await Promise.resolve();
        exit();
      }),
  ],
  [
    "a done callback",
    (loop) => {
      const future = loop.createFuture();
      future.addDoneCallback(exit);
      future.setResult();
    },
  ],
  [
    "the exception handler",
    (loop) => {
      loop.setExceptionHandler(exit);
      loop.callSoon(() => {
        throw new Error("for the handler");
      });
    },
  ],
  [
    "the eager first step of a task that a callback makes",
    (loop) =>
      loop.callSoon(() =>
        loop.createTask(
          function* (): asyncio.CoroutineGenerator<void> {
            yield* [];
            exit();
          },
          { eagerStart: true },
        ),
      ),
  ],
  [
    "a coroutine awaited in an async function",
    (loop) =>
      loop.createTask(async () => {
        await asyncio.coroutine(function* () {
          yield* sleep(1);
          exit();
        })();
      }),
  ],
  [
    "the cleanup of a cancelled task",
    (loop) => {
      const task = loop.createTask(async () => {
        try {
          await sleep(100);
        } finally {
          exit();
        }
      });
      loop.callLater(1, () => task.cancel());
    },
  ],
];

describe.each([{ debug: false }, { debug: true }])("debug: $debug", ({ debug }) => {
  test.each(places)("SystemExit in %s", async (_name, place) => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    const reports: string[] = [];
    loop.setExceptionHandler((_loop, context) => void reports.push(context.message));
    let cleaned = 0;
    const main = async (): Promise<void> => {
      asyncio.createTask(async () => {
        try {
          await sleep(100);
        } finally {
          await sleep(1);
          cleaned++;
        }
      });
      await sleep(0);
      place(loop);
      await sleep(50);
    };
    const error: unknown = await asyncio.run(main, { loopFactory: () => loop, debug }).catch((reason) => reason);
    expect(error).toBeInstanceOf(asyncio.SystemExit);
    expect((error as asyncio.SystemExit).exitCode).toBe(7);
    expect([cleaned, loop.isClosed(), loop.statistics().tasks, reports]).toEqual([1, true, 0, []]);
  });

  test("a runner goes on after an error, an exit and a deadlock", async () => {
    const runner = new asyncio.Runner({ loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()), debug });
    const loop = runner.getLoop();
    await expect(
      runner.run(async () => {
        throw new Error("own");
      }),
    ).rejects.toThrow("own");
    await expect(
      runner.run(async () => {
        await sleep(1);
        exit();
      }),
    ).rejects.toThrow(asyncio.SystemExit);
    await expect(runner.run(() => loop.createFuture())).rejects.toThrow(asyncio.DeadlockError);
    expect(await runner.run(() => sleep(1, "result"))).toBe("result");
    await runner.close();
    expect(loop.isClosed()).toBe(true);
  });

  test("stop() before the start, in a callback, in a microtask and in the exception handler ends each run", async () => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    loop.setDebug(debug);
    const record: string[] = [];
    loop.callSoon(() => {
      record.push("one turn");
      loop.callSoon(() => void record.push("the next run"));
    });
    loop.stop();
    await loop.runForever();
    expect(record).toEqual(["one turn"]);
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    expect(record).toEqual(["one turn", "the next run"]);
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    loop.createTask(async () => {
      await gate;
      loop.stop();
    });
    loop.callLater(1, () => loop.callSoon(open));
    await loop.runForever();
    loop.setExceptionHandler(() => loop.stop());
    loop.callSoon(() => {
      throw new Error("for the handler");
    });
    await loop.runForever();
    expect(loop.isRunning()).toBe(false);
    loop.close();
  });
});
