import { AsyncLocalStorage } from "node:async_hooks";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

test("get() gives the value, the fallback, the default, or an error that names the variable", () => {
  const bare = new asyncio.ContextVar<string>("bare");
  const withDefault = new asyncio.ContextVar<string>("withDefault", { default: "default" });
  expect(() => bare.get()).toThrow("Context variable 'bare' has no value and no default");
  expect([bare.get(null), withDefault.get(), withDefault.get("fallback")]).toEqual([null, "default", "fallback"]);
  asyncio.copyContext().run(() => {
    bare.set("set");
    expect([bare.get(), bare.get("fallback")]).toEqual(["set", "set"]);
  });
  expect(String(bare)).toBe("<ContextVar name='bare'>");
});

test("undefined is a value like any other", () => {
  const variable = new asyncio.ContextVar<string | undefined>("variable", { default: "default" });
  asyncio.copyContext().run(() => {
    variable.set(undefined);
    expect(variable.get()).toBeUndefined();
  });
});

test("reset() puts back what was before, once, in the same context", () => {
  const variable = new asyncio.ContextVar<number>("variable");
  asyncio.copyContext().run(() => {
    const first = variable.set(1);
    const second = variable.set(2);
    expect([first.oldValue, second.oldValue]).toEqual([undefined, 1]);
    variable.reset(second);
    expect(variable.get()).toBe(1);
    expect(() => variable.reset(second)).toThrow("has already been used once");
    expect(() => new asyncio.ContextVar<number>("other").reset(first)).toThrow(
      "Token of 'variable' given to context variable 'other'",
    );
    expect(() => asyncio.copyContext().run(() => variable.reset(first))).toThrow("was made in a different Context");
    variable.reset(first);
    expect(variable.get(null)).toBeNull();
  });
});

test("a context is a snapshot: copies go separate ways", () => {
  const variable = new asyncio.ContextVar<string>("variable");
  const context = new asyncio.Context();
  expect(context.size).toBe(0);
  context.run(() => variable.set("a"));
  const copy = context.copy();
  copy.run(() => variable.set("b"));
  context.run(() => variable.set("c"));
  expect([context.get(variable), copy.get(variable), context.has(variable)]).toEqual(["c", "b", true]);
  expect([...copy]).toEqual([[variable, "b"]]);
});

test("run() passes arguments and result, and refuses to be entered twice", () => {
  const context = new asyncio.Context();
  expect(context.run((a: number, b: number) => a + b, 1, 2)).toBe(3);
  expect(() => context.run(() => context.run(() => 1))).toThrow("Cannot enter context: it is already entered");
  expect(() =>
    context.run(() => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(context.run(() => "again")).toBe("again");
});

test("an async function that a context runs stays in it after each await", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  const context = new asyncio.Context();
  await run(async () => {
    await context.run(async () => {
      variable.set("inside");
      await sleep(0);
      await Promise.resolve();
      expect(variable.get()).toBe("inside");
    });
    expect(variable.get()).toBe("unset");
  });
  expect(context.get(variable)).toBe("inside");
});

test("a task has a copy of its maker's context, or runs in the one given", async () => {
  const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
  await run(function* () {
    variable.set("maker");
    const change = function* () {
      const seen = variable.get();
      variable.set("task");
      yield* sleep(0);
      return [seen, variable.get()];
    };
    const task = asyncio.createTask(change);
    variable.set("maker later");
    expect(yield* task).toEqual(["maker", "task"]);
    const context = asyncio.copyContext();
    const given = asyncio.createTask(change, { context });
    expect(given.getContext()).toBe(context);
    expect(yield* given).toEqual(["maker later", "task"]);
    expect([context.get(variable), variable.get()]).toEqual(["task", "maker later"]);
  });
});

test("the user's AsyncLocalStorage flows into tasks, callbacks and both kinds of coroutine", async () => {
  const storage = new AsyncLocalStorage<string>();
  const record: (string | undefined)[] = [];
  const note = (): void => void record.push(storage.getStore());
  const inner = asyncio.coroutine(function* () {
    note();
    yield* sleep(0);
    note();
  });
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    const task = storage.run("task", () =>
      asyncio.createTask(function* () {
        note();
        yield* future;
        note();
      }),
    );
    await sleep(0);
    storage.run("completer", () => future.setResult());
    await task;
    expect(record.splice(0)).toEqual(["task", "task"]);

    storage.run("callback", () => loop.callLater(1, note));
    storage.run("registered", () => future.addDoneCallback(note));
    await sleep(2);
    expect(record.splice(0)).toEqual(["registered", "callback"]);

    await storage.run("request", async () => {
      await inner();
      await sleep(0);
      note();
    });
    expect(record.splice(0)).toEqual(["request", "request", "request"]);
    note();
    expect(record.splice(0)).toEqual([undefined]);
  });
});

describe("B8: a context that is none", () => {
  const none = 2.14 as never;
  const attempts: Record<string, (loop: asyncio.AbstractEventLoop) => unknown> = {
    createTask: () => asyncio.createTask(() => asyncio.sleep(0), { context: none }),
    "createTask of a generator": () => asyncio.createTask(asyncio.sleep(0), { context: none }),
    callSoon: (loop) => loop.callSoon({ context: {} as never }, () => {}),
    callLater: (loop) => loop.callLater(1, { context: none }, () => {}),
    callAt: (loop) => loop.callAt(1, { context: none }, () => {}),
    callSoonThreadsafe: (loop) => loop.callSoonThreadsafe({ context: none }, () => {}),
    addDoneCallback: (loop) => loop.createFuture().addDoneCallback(() => {}, { context: none }),
    "group.createTask": async () => {
      try {
        await asyncio.taskGroup(async (group) => void group.createTask(() => asyncio.sleep(0), { context: none }));
      } catch (error) {
        throw (error as asyncio.ExceptionGroup).exceptions[0];
      }
    },
  };

  test.each(Object.entries(attempts))(
    "is refused by %s at the call, with what was received",
    async (_name, attempt) => {
      const reports = await run(async ({ loop }) => {
        await expect((async () => await attempt(loop))()).rejects.toThrow(
          /A Context is required as context, such as copyContext\(\): received (2\.14|\{\})/,
        );
      });
      expect(reports).toEqual([]);
    },
  );

  test("is refused by a runner", async () => {
    await using runner = new asyncio.Runner();
    await expect(runner.run(async () => 1, { context: none })).rejects.toThrow("A Context is required as context");
    expect(await runner.run(async () => 2)).toBe(2);
  });
});
