/** CPython's test_runners in our words. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { settle } from "./suite.ts";

const { sleep } = asyncio;

/** A host on which the user can press Ctrl-C. */
class TerminalHost extends VirtualHost {
  #listeners: ((signal: string) => void)[] = [];

  onSignal(_signals: readonly string[] | null, interrupted: (signal: string) => void): () => void {
    this.#listeners.push(interrupted);
    return () => void (this.#listeners = this.#listeners.filter((other) => other !== interrupted));
  }

  get listening(): number {
    return this.#listeners.length;
  }

  pressCtrlC(): void {
    for (const interrupted of this.#listeners) interrupted("SIGINT");
  }
}

const newLoop = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());
const virtual = { loopFactory: newLoop };

test("run() and Runner refuse what is no work", async () => {
  for (const work of [1, "text", null, {}]) {
    await expect(asyncio.run(work as never, virtual)).rejects.toThrow(TypeError);
    await using runner = new asyncio.Runner(virtual);
    await expect(runner.run(work as never)).rejects.toThrow(TypeError);
  }
});

test.each([true, false, undefined])("debug: %s is what the loop says, and by default it is off", async (debug) => {
  const seen = await asyncio.run(async () => asyncio.getRunningLoop().getDebug(), {
    ...virtual,
    ...(debug === undefined ? {} : { debug }),
  });
  expect(seen).toBe(debug ?? false);
  await using runner = new asyncio.Runner({ ...virtual, ...(debug === undefined ? {} : { debug }) });
  expect(runner.getLoop().getDebug()).toBe(debug ?? false);
});

test("run() inside of a running loop is an error, and what was to run is not missed", async () => {
  const reports: asyncio.ExceptionContext[] = [];
  await asyncio.run(async () => {
    asyncio.getRunningLoop().setExceptionHandler((_loop, context) => void reports.push(context));
    const work = asyncio.coroutine(async () => sleep(0));
    await expect(asyncio.run(work)).rejects.toThrow("cannot be called from a running event loop");
    await using runner = new asyncio.Runner(virtual);
    await expect(runner.run(work)).rejects.toThrow("cannot be called from a running event loop");
  }, virtual);
  expect(reports).toEqual([]);
});

test("the loop of the factory is the one that runs, and it is closed after it", async () => {
  const loop = newLoop();
  const seen = await asyncio.run(async () => asyncio.getRunningLoop(), { loopFactory: () => loop });
  expect(seen).toBe(loop);
  expect(loop.isClosed()).toBe(true);
});

describe("a Runner", () => {
  test("runs on one loop, which is there before the first run and closed after the last", async () => {
    const runner = new asyncio.Runner(virtual);
    const loop = runner.getLoop();
    expect(await runner.run(async () => asyncio.getRunningLoop())).toBe(loop);
    expect(await runner.run(async () => asyncio.getRunningLoop())).toBe(loop);
    await runner.close();
    await runner.close();
    expect(loop.isClosed()).toBe(true);
    await expect(runner.run(async () => 1)).rejects.toThrow(new asyncio.RuntimeError("Runner is closed"));
    expect(() => runner.getLoop()).toThrow("Runner is closed");
  });

  test("runs a future and a coroutine", async () => {
    await using runner = new asyncio.Runner(virtual);
    const loop = runner.getLoop();
    const future = loop.createFuture<string>();
    loop.callLater(1, () => future.setResult("done"));
    expect(await runner.run(future)).toBe("done");
    expect(await runner.run(sleep(1, "slept"))).toBe("slept");
  });

  test("keeps what was set in its context, and runs in one that is given", async () => {
    const variable = new asyncio.ContextVar("variable", { default: "default" });
    await using runner = new asyncio.Runner(virtual);
    const increment = async () => {
      const before = variable.get();
      variable.set(`${before}+`);
      return before;
    };
    expect([await runner.run(increment), await runner.run(increment)]).toEqual(["default", "default+"]);
    const context = asyncio.copyContext();
    expect(await runner.run(increment, { context })).toBe("default");
    expect([context.get(variable), variable.get()]).toEqual(["default+", "default"]);
  });

  test("leaves the result alone", async () => {
    const hostile = {
      toString() {
        throw new Error("shown");
      },
      [Symbol.for("nodejs.util.inspect.custom")]() {
        throw new Error("inspected");
      },
    };
    await using runner = new asyncio.Runner({ ...virtual, debug: true });
    expect((await runner.run(async () => hostile)) === hostile).toBe(true);
  });
});

describe("Ctrl-C", () => {
  test("while main computes: it is cancelled at its next wait, and run() throws KeyboardInterrupt", async () => {
    const host = new TerminalHost();
    const record: string[] = [];
    const run = asyncio.run(
      async () => {
        host.pressCtrlC();
        record.push("computed");
        await sleep(10);
        record.push("never");
      },
      { loopFactory: () => new asyncio.BaseEventLoop(host) },
    );
    await expect(run).rejects.toBeInstanceOf(asyncio.KeyboardInterrupt);
    expect([record, host.listening]).toEqual([["computed"], 0]);
  });

  test("on a main task that somebody cancelled already: it is cancelled, and not interrupted", async () => {
    const host = new TerminalHost();
    const run = asyncio.run(
      function* () {
        const main = asyncio.currentTask()!;
        asyncio.createTask(function* () {
          yield* sleep(0);
          main.cancel();
          host.pressCtrlC();
        });
        yield* sleep(10);
      },
      { loopFactory: () => new asyncio.BaseEventLoop(host) },
    );
    await expect(run).rejects.toBeInstanceOf(asyncio.CancelledError);
  });
});

test("tasks that hang when main ends are cancelled, and wait for each other's cleanup", async () => {
  const record: string[] = [];
  await asyncio.run(function* () {
    for (const name of ["a", "b"]) {
      asyncio.createTask(function* () {
        try {
          yield* sleep(100);
        } finally {
          yield* settle();
          record.push(name);
        }
      });
    }
    yield* sleep(0);
  }, virtual);
  expect(record).toEqual(["a", "b"]);
});
