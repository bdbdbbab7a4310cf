/** What once went wrong, found by attacking the kernel: each of these was a bug. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;
const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** Runs `code` in a process of its own, on the built `dist/`. */
async function runProgram(code: string): Promise<{ code: number | null; output: string }> {
  const program = `import * as asyncio from "asyncio-ts";\nconst { sleep } = asyncio;\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { code: status, output };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("a process", () => {
  // CPython has no such promise: a CancelledError that nobody awaits is nobody's failure and is never reported.
  test("does not die of the CancelledError of a bare async call when the program ends", async () => {
    const { code, output } = await runProgram(`
      async function background() { for (;;) await sleep(1); }
      await asyncio.run(async () => { void background(); await sleep(0); });
      console.log("the end");
    `);
    expect(output).toBe("the end\n");
    expect(code).toBe(0);
  });

  test("does not die of two calls under way, awaited one after the other, when their task is cancelled", async () => {
    const { code, output } = await runProgram(`
      const load = async (value) => { await sleep(1); return value; };
      await asyncio.run(async () => {
        const task = asyncio.createTask(async () => {
          const a = load(1);
          const b = load(2);
          return (await a) + (await b);
        });
        await sleep(0);
        task.cancel();
        await asyncio.gather(task, { returnExceptions: true });
      });
      console.log("the end");
    `);
    expect(output).toBe("the end\n");
    expect(code).toBe(0);
  });

  // process._tickCallback() throws through the library's frames: "async hook stack has become corrupted", exit code 1.
  test("lets an error thrown in process.nextTick go to 'uncaughtException', and goes on", async () => {
    const { code, output } = await runProgram(`
      process.on("uncaughtException", (error) => console.log("uncaught " + error.message));
      await asyncio.run(async () => {
        await sleep(0);
        process.nextTick(() => { throw new Error("foreign"); });
        await sleep(0.001);
      });
      console.log("the end");
    `);
    expect(output).toBe("uncaught foreign\nthe end\n");
    expect(code).toBe(0);
  });

  test("may run a dozen loops side by side, and a dozen tasks on one signal, without a warning", async () => {
    const { output } = await runProgram(`
      await Promise.all(Array.from({ length: 12 }, () => asyncio.run(() => sleep(0.001))));
      const { signal } = new AbortController();
      await asyncio.run(async () => {
        await asyncio.gather(Array.from({ length: 12 }, () => asyncio.createTask(() => sleep(0), { signal })));
      });
    `);
    expect(output).toBe("");
  });

  // The loop that waits for the other is woken by the other's DeadlockError, so it is no deadlock.
  test("finds the deadlock of one loop and not of the one that waits for it", async () => {
    const { output } = await runProgram(`
      let second;
      const first = asyncio.run(async () => {
        await sleep(0.001);
        try { await asyncio.fromPromise(second); } catch (error) { return "told of " + error.name; }
      }).catch((error) => "rejected with " + error.name);
      second = asyncio.run(async () => { await asyncio.getRunningLoop().createFuture(); });
      console.log(await first);
    `);
    expect(output).toContain("told of DeadlockError");
  });
});

describe("reports", () => {
  // CPython formats a done callback without its arguments: `cb=[name() at file:line]`.
  test("in debug mode, a future shows its callbacks without showing itself in them", async () => {
    await run(
      async ({ loop }) => {
        const future = loop.createFuture();
        future.addDoneCallback(() => {}); // with two of them String(future) takes for ever
        expect(String(future).length).toBeLessThan(300);
        future.cancel();
      },
      { debug: true },
    );
  });

  // CPython: InvalidStateError, and "Future exception was never retrieved" for the first.
  test("setException() on a failed future does not silence its first exception", async () => {
    const reports = await run(async ({ loop }) => {
      const future = loop.createFuture();
      future.setException(new Error("first"));
      expect(() => future.setException(new Error("second"))).toThrow(asyncio.InvalidStateError);
    });
    expect(reports.map((report) => String(report.exception))).toEqual(["Error: first"]);
  });

  // CPython: cancel() of a done future clears its log flag.
  test("cancel() on a failed future silences it, however long ago it failed", async () => {
    const reports = await run(async ({ loop }) => {
      const future = loop.createFuture();
      future.setException(new Error("first"));
      for (let i = 0; i < 5; i++) await sleep(1);
      future.cancel();
    });
    expect(reports).toEqual([]);
  });

  // V8 keeps the receivers of an error's frames until its `stack` is read: error, driver, task, future hold each other.
  test("a failed task that nobody holds is collected and reported before the loop closes", async () => {
    let reported = 0;
    const loop = asyncio.newEventLoop();
    loop.setExceptionHandler(() => void reported++);
    await loop.runUntilComplete(async () => {
      for (let i = 0; i < 20; i++) {
        asyncio.createTask(function* () {
          yield* [];
          throw new Error("lost");
        } as never);
        await sleep(0);
      }
      for (let i = 0; i < 10; i++) {
        await sleep(0.002);
        (globalThis as { gc?: () => void }).gc?.();
      }
      expect(reported).toBeGreaterThan(0);
    });
    loop.close();
  });

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

  test("a message that cannot be a string does not switch stack traces off for ever", () => {
    const before = Error.stackTraceLimit;
    try {
      expect(new asyncio.CancelledError(Symbol("message") as never).message).toBe("Symbol(message)");
      expect(Error.stackTraceLimit).toBe(before);
    } finally {
      Error.stackTraceLimit = before;
    }
  });
});

describe("errors", () => {
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

  // The kernel's own future is fed to `then`: its callbacks run inside of a turn with nothing around them.
  test("an error in a callback given to then() goes to the exception handler, and the loop goes on", async () => {
    const reports = await run(async ({ loop }) => {
      const future = loop.createFuture();
      future.then(
        () => {
          throw new Error("callback");
        },
        () => {},
      );
      loop.callLater(1, () => future.setResult());
      await sleep(2);
    });
    expect(reports.map((report) => String(report.exception))).toEqual(["Error: callback"]);
  });

  test("then() with one callback, as JavaScript allows, does not end the loop when the future fails", async () => {
    await run(async ({ loop }) => {
      const future = loop.createFuture();
      (future.then as (callback: () => void) => void).call(future, () => {});
      loop.callLater(1, () => future.cancel());
      await sleep(2);
    });
  });

  test("a coroutine that yields something hostile gets a RuntimeError", async () => {
    await run(async () => {
      const hostile = new Proxy(
        {},
        {
          getPrototypeOf(): never {
            throw new Error("trap");
          },
        },
      );
      const task = asyncio.createTask(function* () {
        yield hostile;
      } as never);
      const [error] = await asyncio.gather(task, { returnExceptions: true });
      expect(error).toBeInstanceOf(asyncio.RuntimeError);
    });
  });

  // CPython: the task that got the foreign future fails; the future is as good as before.
  test("a future that a task of another loop was refused can still be awaited in its own loop", async () => {
    const [own, other] = [new asyncio.BaseEventLoop(new VirtualHost()), new asyncio.BaseEventLoop(new VirtualHost())];
    const future = own.createFuture<number>();
    const wait = function* (): asyncio.CoroutineGenerator<number> {
      return yield* future;
    };
    await expect(other.runUntilComplete(wait())).rejects.toThrow("attached to a different loop");
    own.callLater(1, () => future.setResult(5));
    expect(await own.runUntilComplete(wait())).toBe(5);
  });
});

describe("loops and runners", () => {
  // `when < now + resolution` is never true once the resolution is less than half a step of the clock's numbers.
  test("a sleep of a year ends in virtual time", async () => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    const watchdog = setInterval(() => {
      if (loop.statistics().turns > 1000) loop.stop();
    }, 1);
    try {
      await loop.runUntilComplete(() => sleep({ days: 365 }));
    } finally {
      clearInterval(watchdog);
    }
  });

  // "Let I/O in at least every 10 ms": the clock is read after 64 entries, however long each takes.
  test("slow steps, a few in a turn, leave the loop to its host every ten milliseconds", async () => {
    class SlowHost extends VirtualHost {
      spent: number = 0;
      calls: number = 0;
      override now(): number {
        return super.now() + this.spent;
      }
      override requestTurn(delay: number): void {
        this.calls++;
        super.requestTurn(delay);
      }
    }
    const host = new SlowHost();
    const loop = new asyncio.BaseEventLoop(host);
    await loop.runUntilComplete(function* () {
      for (let i = 0; i < 60; i++) {
        host.spent += 0.005;
        yield* sleep(0);
      }
    } as never);
    expect(host.calls).toBeGreaterThanOrEqual(20);
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
    await pause(1);
    expect(loopSeen).toBe("not yet");
    await runner.run(() => sleep(1));
    expect(loopSeen).toBe(runner.getLoop());
    await runner.close();
  });

  test("a task that ends after its loop was closed is counted once", async () => {
    const loop = new asyncio.BaseEventLoop(new VirtualHost());
    loop.setExceptionHandler(() => {});
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    loop.createTask(async () => await gate);
    await loop.runUntilComplete(() => sleep(1));
    loop.close();
    open();
    await pause(1);
    expect(loop.statistics().tasks).toBe(0);
  });

  // What is awaited once the loop is closed can never be done: it is ended like the waits that close() found.
  test("a wait that begins after the loop was closed ends, so that a `finally` is reached", async () => {
    const record: string[] = [];
    const background = async (): Promise<void> => {
      try {
        await sleep(100);
      } finally {
        try {
          await sleep(10); // the loop closes while it cleans up
        } finally {
          try {
            await sleep(1);
          } finally {
            record.push("cleaned up");
          }
        }
      }
    };
    await run(async () => {
      background().catch(() => {});
      await sleep(1);
    });
    await pause(1);
    expect(record).toEqual(["cleaned up"]);
  });

  test("a task that could not be made is not left behind", async () => {
    await run(async ({ loop }) => {
      const signal = new AbortController() as never; // the controller instead of its signal
      expect(() => asyncio.createTask(() => sleep(1), { signal })).toThrow(TypeError);
      expect(loop.statistics().tasks).toBe(1);
    });
  });
});

describe("cancellation", () => {
  // Each level is a call on the stack; CPython's limit is a thousand too. Generator coroutines have none (tasks.test.ts).
  test("reaches through a thousand nested async coroutines", async () => {
    await run(async () => {
      const nest = asyncio.coroutine(async (depth: number): Promise<void> => {
        if (depth === 0) await sleep(100);
        else await nest(depth - 1);
      });
      const task = asyncio.createTask(nest(1000));
      await sleep(1);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      expect(task.cancelled()).toBe(true);
    });
  });

  test("of a future whose promise rejects with a hostile error does no harm", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      await run(async () => {
        let reject!: (error: unknown) => void;
        const future = asyncio.fromPromise(new Promise((_resolve, no) => (reject = no)));
        future.cancel();
        reject({
          get name(): never {
            throw new Error("name");
          },
        });
        await sleep(1);
      });
      await pause(1);
    } finally {
      process.off("unhandledRejection", listen);
    }
    expect(unhandled).toEqual([]);
  });
});
