/** Executors and jobs, as far as they are the same everywhere: on virtual time. The suite over all is test/system/executors. */

import * as asyncio from "asyncio-ts";
import { moveOnAfter } from "asyncio-ts/structured";
import { asyncTest, InMemoryExecutor } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import type { Program } from "../../syntaxes.ts";
import { SYNTAXES, wait } from "../../syntaxes.ts";

const { createTask, getRunningLoop, sleep } = asyncio;

class QuotaError extends Error {
  override name = "QuotaError";
}

const tasks = asyncio.defineTasks("here", {
  nap: (seconds: number) => sleep(seconds, `slept ${seconds}`),
  *nested(seconds: number) {
    yield* sleep(seconds);
    return "woken";
  },
  steps: async (count: number) => {
    for (let i = 0; i < count; i++) {
      await sleep(1);
      asyncio.currentJob().progress({ i });
    }
  },
  watch: async (log: string[]) => {
    const { signal } = asyncio.currentJob();
    await sleep(60).finally(() => log.push(`aborted: ${signal.aborted}`));
  },
  fail: () => {
    const inner = Object.assign(new TypeError("inner"), { code: "E_INNER", data: {} });
    throw new RangeError("out of range", { cause: inner });
  },
  failOddly: async () => await Promise.reject(new AggregateError([new QuotaError("first"), "no error"], "two")),
  answer: 42,
});

describe.each(SYNTAXES)("in %s", (_name, syntax) => {
  const specify = (name: string, program: () => Program<void>): void =>
    test(name, asyncTest(syntax(program) as () => Promise<void>));

  specify("as many jobs at a time as there are workers, in order", function* () {
    const executor = new InMemoryExecutor({ maxWorkers: 2, latency: 1 });
    const jobs = [1, 2, 3, 4].map((seconds) => executor.submit(tasks.nap, seconds));
    expect(executor.statistics()).toEqual({ pending: 2, running: 2 });
    expect(yield* wait(asyncio.gather(jobs))).toEqual(["slept 1", "slept 2", "slept 3", "slept 4"]);
    expect([getRunningLoop().time(), yield* wait(executor.submit(tasks.nested, 1))]).toEqual([8, "woken"]);
    yield* wait(executor.shutdown());
  });

  specify("who is cancelled while it waits for room or for the end leaves no trace", function* () {
    const executor = new InMemoryExecutor({ maxWorkers: 1, maxPending: 1 });
    const jobs = [executor.submit(tasks.nap, 10), executor.submit(tasks.nap, 10)];
    expect((yield* wait(moveOnAfter(1, () => executor.room()))).cancelledCaught).toBe(true);
    expect(() => executor.submit(tasks.nap, 1)).toThrow("await executor.room()");
    expect((yield* wait(moveOnAfter(1, () => executor.shutdown()))).cancelledCaught).toBe(true);
    expect(() => executor.submit(tasks.nap, 1)).toThrow("cannot schedule new futures after shutdown");
    yield* wait(executor.shutdown());
    expect([jobs.every((job) => job.done()), getRunningLoop().time()]).toEqual([true, 20]);
  });

  specify("results are asked for one by one; a wait for one that is cancelled ends them", function* () {
    const executor = new InMemoryExecutor({ maxWorkers: 1 });
    const results = executor.map(tasks.nap, [1, 2, 30, 40]);
    expect(yield* wait(results.next())).toEqual({ done: false, value: "slept 1" });
    const waiting = createTask(results.next());
    yield* wait(sleep(0.5));
    waiting.cancel();
    yield* wait(asyncio.wait([waiting]));
    expect(executor.statistics().pending).toBe(0);
    expect(yield* wait(results.next())).toEqual({ done: true, value: undefined });
    expect(yield* wait(executor.map(tasks.nap, []).next())).toEqual({ done: true, value: undefined });
    yield* wait(executor.shutdown());
    expect(getRunningLoop().time()).toBe(1.5);
  });

  specify("a job whose time is over is an error, and its work is stopped, whether it has begun or not", function* () {
    const executor = new InMemoryExecutor({ maxWorkers: 1 });
    const late = [1, 2].map((timeout) => executor.submit(tasks.nap.with({ timeout }), 60));
    for (const job of late) {
      yield* wait(asyncio.wait([job]));
      expect(job.exception()).toBeInstanceOf(asyncio.TimeoutError);
    }
    yield* wait(executor.shutdown());
    expect(getRunningLoop().time()).toBe(2);
  });

  specify(
    "an error comes back as one: its class, name, code and cause, and where the work was asked for",
    function* () {
      const executor = new InMemoryExecutor();
      const jobs = [executor.submit(tasks.fail as never), executor.submit(tasks.failOddly)];
      yield* wait(asyncio.wait(jobs));
      const [error, odd] = jobs.map((job) => job.exception()) as [Error, AggregateError];
      expect(error).toBeInstanceOf(RangeError);
      expect([error.message, error.cause]).toEqual([
        "out of range",
        Object.assign(new TypeError("inner"), { code: "E_INNER" }),
      ]);
      expect(error.stack).toMatch(/^RangeError: out of range\n[^]*fail in memory, asked for ---\n.*executors\.test/);
      expect([odd.name, odd.message, odd.errors.map(String)]).toEqual([
        "AggregateError",
        "two",
        ["QuotaError: first", "Error: thrown: no error"],
      ]);
      yield* wait(executor.shutdown());
    },
  );

  specify("a worker that crashes is an error of its job; a timeout of a map one of the map", function* () {
    const executor = new InMemoryExecutor({ maxWorkers: 1 });
    const job = executor.submit(tasks.nap, 60);
    yield* wait(sleep(1));
    executor.crash(job);
    yield* wait(asyncio.wait([job]));
    expect(String(job.exception())).toContain("BrokenExecutorError: the worker of nap ended before it answered");
    const results = executor.map(tasks.nap, [60, 60], { timeout: { seconds: 2 }, chunk: 2 });
    const waiting = createTask(results.next());
    yield* wait(asyncio.wait([waiting]));
    expect([waiting.exception() instanceof asyncio.TimeoutError, getRunningLoop().time()]).toEqual([true, 3]);
    expect(yield* wait(executor.map(tasks.nap, [1]).return())).toEqual({ done: true, value: undefined });
    yield* wait(executor.shutdown({ cancelFutures: true }));
    expect(executor.isClosing()).toBe(true);
  });

  specify("context variables go along when asked; progress of a job that is over has ended", function* () {
    const user = new asyncio.ContextVar<string>("user");
    user.set("Ada");
    const executor = new InMemoryExecutor();
    const who = asyncio.defineTasks("here", {
      who: async () => await Promise.resolve([...asyncio.currentJob().context]),
    });
    const job = executor.submit(who.who.with({ context: [user] }));
    expect(yield* wait(job)).toEqual([["user", "Ada"]]);
    const step = job.progress[Symbol.asyncIterator]().next();
    expect(yield* wait(step as unknown as asyncio.Awaitable<unknown>)).toEqual({ done: true, value: undefined });
    yield* wait(executor.shutdown({ wait: false }));
    yield* wait(executor.shutdown());
  });

  specify("steps that came before they were asked for are dropped", function* () {
    const executor = new InMemoryExecutor();
    const job = executor.submit(tasks.steps, 3);
    yield* wait(sleep(1.5));
    const steps = job.progress[Symbol.asyncIterator]();
    expect(yield* wait(steps.next() as unknown as asyncio.Awaitable<unknown>)).toEqual({
      done: false,
      value: { i: 1 },
    });
    job.cancel();
    expect(yield* wait(steps.next() as unknown as asyncio.Awaitable<unknown>)).toEqual({
      done: true,
      value: undefined,
    });
    yield* wait(executor.shutdown());
  });
});

test("only functions are tasks, and only of a module that has some", () => {
  expect(Object.keys(tasks)).not.toContain("answer");
  expect(() => asyncio.defineTasks("nothing", { answer: 42 })).toThrow("defineTasks: nothing exports no function");
  expect(String(tasks.nap)).toBe("<NamedTask nap of here>");
  expect(asyncio.defineTasks(new URL("file:///work.mjs"), { f: () => 1 }).f.module).toBe("file:///work.mjs");
});

test("bad input is an error at the call", () => {
  for (const maxWorkers of [0, 1.5]) expect(() => new InMemoryExecutor({ maxWorkers })).toThrow("maxWorkers must be");
  expect(() => new InMemoryExecutor({ maxPending: 0 })).toThrow("maxPending must be at least 1: received 0");
  const executor = new InMemoryExecutor();
  expect(String(executor)).toBe("<InMemoryExecutor 0 running, 0 pending>");
  expect(() => executor.submit("nap" as never)).toThrow("submit: received 'nap'");
  expect(() => executor.map(tasks.nap, [], { chunk: 0 })).toThrow("chunk must be at least 1: received 0");
});

test("currentJob is for functions that an executor runs", () => {
  expect(() => asyncio.currentJob()).toThrow("currentJob() is for functions that an executor runs");
});

test(
  "toThread runs on the loop's own executor, which may be replaced",
  asyncTest(async () => {
    await expect(asyncio.toThread(tasks.nap, 1)).rejects.toThrow("toThread() needs a loop that has runInExecutor()");
    expect(() => asyncio.toThread((() => 1) as never)).toThrow("toThread: received the function anonymous");
  }),
);

test(
  "wrapFuture: a job is a future already, a promise gets one; cancelled, it follows the promise no more",
  asyncTest(async () => {
    const executor = new InMemoryExecutor();
    const job = executor.submit(tasks.nap, 1);
    expect(asyncio.wrapFuture(job)).toBe(job);
    expect(await job).toBe("slept 1");
    expect(await asyncio.wrapFuture(Promise.resolve("value"))).toBe("value");
    const cancelled = asyncio.wrapFuture(Promise.resolve("late"));
    cancelled.cancel();
    await expect(cancelled).rejects.toThrow(asyncio.CancelledError);
    const coroutine = sleep(1);
    expect(() => asyncio.wrapFuture(coroutine as never)).toThrow("use createTask");
    coroutine.close();
    await executor.shutdown();
  }),
);
