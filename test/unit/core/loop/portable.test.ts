/**
 * The core alone, as a browser has it: the Web host, no async context, no way to drain promises in the middle of a
 * turn. Generator coroutines lose nothing. Async functions run in the right order; what they await is not cancelled
 * through them.
 */

import { describe, expect, test } from "vitest";
import * as asyncio from "../../../../src/core/index.ts";
import { letProcessGoOn } from "../../process-turns.ts";

const { sleep } = asyncio;

/** A timer that fires after one of `seconds` that was set before: timers fire in the order of their deadlines. */
async function laterTimer(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 5));
}

test("the default host is the Web's", async () => {
  const loop = asyncio.newEventLoop();
  expect(await loop.runUntilComplete(() => sleep(0.005, "slept"))).toBe("slept");
  const times = [performance.now(), loop.time() * 1000, performance.now()];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  loop.close();
});

test("generators: tasks, cancellation with cleanup, context variables, current task", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  const record: unknown[] = [];
  await asyncio.run(function* () {
    variable.set("main");
    const task = asyncio.createTask(
      function* () {
        try {
          record.push(variable.get(), asyncio.currentTask()?.getName());
          yield* sleep(60);
        } finally {
          yield* sleep(0.001);
          record.push("cleaned");
        }
      },
      { name: "worker" },
    );
    yield* sleep(0);
    task.cancel();
    yield* asyncio.gather(task, { returnExceptions: true });
    record.push(task.cancelled());
  });
  expect(record).toEqual(["main", "worker", "cleaned", true]);
});

test("async functions: order is the loop's, each handle's promises before the next handle", async () => {
  const record: string[] = [];
  await asyncio.run(async () => {
    const loop = asyncio.getRunningLoop();
    const future = loop.createFuture();
    const deep = async (): Promise<void> => {
      await future;
    };
    const waiter = async (name: string): Promise<void> => {
      await deep();
      record.push(name);
    };
    const tasks = [asyncio.createTask(() => waiter("a")), asyncio.createTask(() => waiter("b"))];
    await sleep(0);
    future.setResult();
    future.addDoneCallback(() => record.push("callback"));
    await asyncio.gather(tasks);
  });
  expect(record).toEqual(["a", "b", "callback"]);
});

test("an async function may await coroutines of every kind", async () => {
  const inner = asyncio.coroutine(function* (value: string) {
    yield* sleep(0);
    return value;
  });
  await asyncio.run(async () => {
    expect(await inner("generator")).toBe("generator");
    expect(await asyncio.coroutine(async () => await inner("async"))()).toBe("async");
    expect(await sleep(0.001, "slept")).toBe("slept");
    expect(await sleep(0, "turned")).toBe("turned");
  });
});

test("an async function finds the one loop that runs, and cannot tell between two", async () => {
  await asyncio.run(async () => {
    await sleep(0);
    expect(asyncio.getRunningLoop().isRunning()).toBe(true);
    expect(asyncio.currentTask()).toBeNull();
    const other = asyncio.newEventLoop();
    void other.createTask(function* () {
      yield* sleep(0);
      other.stop();
    });
  });
  expect(() => asyncio.getRunningLoop()).toThrow("no running event loop");
});

test("a cancelled async function is cancelled when its promise settles", async () => {
  await asyncio.run(function* () {
    const task = asyncio.createTask(async () => {
      await sleep(0.005);
      return 1;
    });
    yield* sleep(0);
    yield* sleep(0);
    task.cancel();
    yield* asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
});

describe("the Web host", () => {
  test("forgets what was requested when the loop stops", async () => {
    const host = new asyncio.WebHost();
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      const turn = (): void => {
        calls.push("turn");
        resolve();
      };
      host.connect({ turn, exhausted: () => void calls.push("exhausted"), mayBeAborted: () => false });
      host.requestTurn(0);
      host.requestTurn(0);
    });
    await letProcessGoOn();
    expect(calls).toEqual(["turn"]);
    host.requestTurn(0);
    host.requestTurn(Infinity);
    host.requestTurn(0.001);
    host.disconnect();
    await laterTimer(0.001);
    await letProcessGoOn();
    expect(calls).toEqual(["turn"]);
  });

  test("serves a deadline beyond what setTimeout takes", async () => {
    const host = new asyncio.WebHost();
    let turns = 0;
    host.connect({ turn: () => void turns++, exhausted: () => {}, mayBeAborted: () => false });
    host.requestTurn(1e9);
    await laterTimer(0.001); // what setTimeout makes of a time that is too long for it
    await letProcessGoOn();
    expect(turns).toBe(0);
    host.disconnect();
  });
});
