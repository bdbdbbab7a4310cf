import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { letProcessGoOn } from "../../process-turns.ts";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

const virtualLoop = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());
const onVirtualLoop = { loopFactory: virtualLoop };

/** A host on which the user can press Ctrl-C. */
class TerminalHost extends VirtualHost {
  readonly listeners = new Set<(signal: string) => void>();
  exits = 0;

  onSignal(_signals: readonly string[] | null, interrupted: (signal: string) => void): () => void {
    this.listeners.add(interrupted);
    return () => void this.listeners.delete(interrupted);
  }

  exitBySignal(): void {
    this.exits++;
  }

  pressCtrlC(): void {
    for (const interrupted of this.listeners) interrupted("SIGINT");
  }
}

test("run() gives the result of main, in every form main may have", async () => {
  const generator = function* () {
    yield* sleep(1);
    return "generator";
  };
  expect(await asyncio.run(async () => "async", onVirtualLoop)).toBe("async");
  expect(await asyncio.run(generator, onVirtualLoop)).toBe("generator");
  expect(await asyncio.run(generator(), onVirtualLoop)).toBe("generator");
  expect(await asyncio.run(asyncio.coroutine(generator)(), onVirtualLoop)).toBe("generator");
  expect(await asyncio.run(sleep(1, "sleep"), onVirtualLoop)).toBe("sleep");
});

test("run() throws what main throws", async () => {
  const error = new RangeError("main");
  await expect(asyncio.run(async () => Promise.reject(error), onVirtualLoop)).rejects.toBe(error);
  await expect(
    asyncio.run(async () => {
      asyncio.currentTask()?.cancel("self");
      await sleep(0);
    }, onVirtualLoop),
  ).rejects.toEqual(new asyncio.CancelledError("self"));
});

test("run() refuses a promise, which has started already", async () => {
  await expect(asyncio.run(Promise.resolve(1) as never)).rejects.toThrow("pass the function: run(() => work())");
  await expect(asyncio.run(5 as never)).rejects.toThrow("Cannot start 5 with run");
});

test("run() cancels what is left, waits for its cleanup, reports what failed, and closes the loop", async () => {
  const record: string[] = [];
  let loop: asyncio.BaseEventLoop | undefined;
  const reports = await run(async (world) => {
    loop = world.loop;
    asyncio.createTask(async () => {
      try {
        await sleep(100);
      } finally {
        await sleep(1);
        record.push("cleaned");
      }
    });
    asyncio.createTask(async () => {
      try {
        await sleep(100);
      } catch {
        throw new Error("cleanup failed");
      }
    });
    await sleep(0);
  });
  expect(record).toEqual(["cleaned"]);
  expect(reports.map((report) => [report.message, String(report.exception)])).toEqual([
    ["unhandled exception during asyncio.run() shutdown", "Error: cleanup failed"],
  ]);
  expect(loop?.isClosed()).toBe(true);
});

test("an AbortSignal cancels main", async () => {
  const controller = new AbortController();
  const program = asyncio.run(
    async () => {
      controller.abort(new Error("user left"));
      await sleep(100);
    },
    { ...onVirtualLoop, signal: controller.signal },
  );
  await expect(program).rejects.toEqual(new asyncio.CancelledError("user left"));
});

test("a Runner keeps its loop and its context from run to run", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  const runner = new asyncio.Runner(onVirtualLoop);
  const loop = runner.getLoop();
  await runner.run(async () => {
    variable.set("first");
    expect(asyncio.getRunningLoop()).toBe(loop);
  });
  expect(await runner.run(async () => variable.get())).toBe("first");
  expect(await runner.run(async () => variable.get(), { context: new asyncio.Context() })).toBe("unset");
  const future = loop.createFuture<number>();
  future.setResult(5);
  expect(await runner.run(future)).toBe(5);
  await runner.close();
  await runner.close();
  expect(loop.isClosed()).toBe(true);
  await expect(runner.run(async () => {})).rejects.toThrow("Runner is closed");
  expect(() => runner.getLoop()).toThrow("Runner is closed");
});

test("a Runner that was never used is closed without a loop", async () => {
  let made = false;
  {
    await using runner = new asyncio.Runner({
      loopFactory: () => {
        made = true;
        return virtualLoop();
      },
    });
    expect(runner).toBeInstanceOf(asyncio.Runner);
  }
  expect(made).toBe(false);
});

test("debug mode is what the option says", async () => {
  for (const debug of [true, false]) {
    const seen = await asyncio.run(async () => asyncio.getRunningLoop().getDebug(), { ...onVirtualLoop, debug });
    expect(seen).toBe(debug);
  }
});

test("Ctrl-C cancels main, which may clean up, and run() throws KeyboardInterrupt", async () => {
  const host = new TerminalHost();
  const record: string[] = [];
  const program = asyncio.run(
    async () => {
      try {
        asyncio.getRunningLoop().callLater(1, () => host.pressCtrlC());
        await sleep(100);
      } finally {
        await sleep(1);
        record.push("cleaned");
      }
    },
    { loopFactory: () => new asyncio.BaseEventLoop(host) },
  );
  await expect(program).rejects.toMatchObject({ name: "KeyboardInterrupt", cause: new asyncio.CancelledError() });
  expect(record).toEqual(["cleaned"]);
  expect([host.listeners.size, host.exits]).toEqual([0, 0]);
});

test("main may swallow Ctrl-C and return, or fail with an error of its own", async () => {
  const interrupted = (then: () => string): Promise<string> => {
    const host = new TerminalHost();
    const main = async (): Promise<string> => {
      try {
        asyncio.getRunningLoop().callLater(1, () => host.pressCtrlC());
        await sleep(100);
      } catch {}
      return then();
    };
    return asyncio.run(main, { loopFactory: () => new asyncio.BaseEventLoop(host) });
  };
  expect(await interrupted(() => "saved")).toBe("saved");
  await expect(
    interrupted(() => {
      throw new RangeError("own");
    }),
  ).rejects.toEqual(new RangeError("own"));
});

test("a second Ctrl-C ends the process after saying what still runs, also while run() shuts down", async () => {
  const host = new TerminalHost();
  const logged: string[] = [];
  const keep = (message: string): void => void logged.push(message);
  asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
  const program = asyncio.run(
    async () => {
      const loop = asyncio.getRunningLoop();
      asyncio.createTask(
        async () => {
          try {
            await sleep(100);
          } finally {
            loop.callLater(1, () => host.pressCtrlC());
            await sleep(2);
          }
        },
        { name: "left" },
      );
      try {
        loop.callLater(1, () => host.pressCtrlC());
        loop.callLater(2, () => host.pressCtrlC());
        await sleep(100);
      } finally {
        await sleep(5);
      }
    },
    { loopFactory: () => new asyncio.BaseEventLoop(host) },
  );
  await expect(program).rejects.toBeInstanceOf(asyncio.KeyboardInterrupt);
  asyncio.setLogger(null);
  expect(host.exits).toBe(2);
  expect(logged[0]).toMatch(
    /^Interrupted while these tasks were still running:\nTask 'Task-\d+' in anonymous\(\)\n {2}waits for/,
  );
  expect(logged[1]).toContain("Task 'left' in anonymous()");
});

// CPython: "Runner.run() cannot be called from a running event loop", before the task is made.
test("a run that is refused since another is under way does not run its main", async () => {
  const runner = new asyncio.Runner({ loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()) });
  let ran = false;
  const first = runner.run(() => sleep(1));
  await expect(
    runner.run(async () => {
      ran = true;
    }),
  ).rejects.toThrow("while another run is under way");
  await first;
  await runner.close();
  expect(ran).toBe(false);
});

test("closing a runner that runs is refused, and it can be closed later", async () => {
  const runner = new asyncio.Runner({ loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()) });
  const loop = runner.getLoop();
  const first = runner.run(() => sleep(1, "result"));
  await expect(runner.close()).rejects.toThrow();
  expect(await first).toBe("result");
  await runner.close();
  expect(loop.isClosed()).toBe(true);
});

// CPython has this bug too: the stop that main's end asked for is left in the queue, and stops the shutdown.
test("a SystemExit in the turn in which main ends leaves run() as itself, after the cleanup", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  loop.setExceptionHandler(() => {});
  let cleaned = false;
  const main = async (): Promise<void> => {
    asyncio.createTask(async () => {
      try {
        await sleep(100);
      } finally {
        await sleep(1);
        cleaned = true;
      }
    });
    await sleep(1);
    loop.callSoon(() => {
      throw new asyncio.SystemExit(3);
    });
  };
  await expect(asyncio.run(main, { loopFactory: () => loop })).rejects.toThrow(asyncio.SystemExit);
  expect(cleaned).toBe(true);
});

// A task makes its steps in its loop's turns.
test("a generator coroutine that waits for a promise does not go on while its loop is stopped", async () => {
  const runner = new asyncio.Runner({ loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()) });
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const pass = asyncio.coroutine(() => gate);
  let loopSeen: unknown = "not yet";
  await runner.run(async () => {
    asyncio.createTask(function* () {
      yield* pass();
      try {
        loopSeen = asyncio.getRunningLoop();
      } catch (error) {
        loopSeen = String(error);
      }
    } as never);
    await sleep(1);
  });
  open();
  await letProcessGoOn();
  expect(loopSeen).toBe("not yet");
  await runner.run(() => sleep(1));
  expect(loopSeen).toBe(runner.getLoop());
  await runner.close();
});

describe("B5: a task that still runs when main has ended", () => {
  const main = async (): Promise<void> => {
    asyncio.createTask(() => sleep(5), { name: "save" });
    const asked = asyncio.createTask(() => sleep(5), { name: "asked" });
    await sleep(1);
    asked.cancel();
  };

  test("is told in debug mode; one that was asked to stop is not", async () => {
    const reports = await run(main, { debug: true });
    expect(reports.map(({ message, task }) => [message, (task as asyncio.Task<unknown>).getName()])).toEqual([
      ["A task still ran when main ended, and is cancelled: await it, or start it in a taskGroup", "save"],
    ]);
  });

  test("is cancelled in silence otherwise, as in CPython", async () => {
    expect(await run(main, { debug: false })).toEqual([]);
  });
});
