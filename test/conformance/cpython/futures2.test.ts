/** CPython: `test_asyncio.test_futures2`. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

test("an error that is raised at several awaits has the stack it had", async () => {
  await asyncio.run(async () => {
    const future = asyncio.getRunningLoop().createFuture();
    const error = new Error("the error");
    const { stack } = error;
    future.setException(error);
    for (let i = 0; i < 5; i++) await expect((async () => await future)()).rejects.toBe(error);
    expect(error.stack).toBe(stack);
  });
});

test("a callback that throws: the exception handler runs in the context of the callback", async () => {
  const variable = new asyncio.ContextVar("variable", { default: "outside" });
  const seen = await asyncio.run(async () => {
    const loop = asyncio.getRunningLoop();
    const value = loop.createFuture<string>();
    loop.setExceptionHandler(() => value.setResult(variable.get()));
    loop.callSoon(() => {
      variable.set("inside");
      throw new Error("the error");
    });
    return await value;
  });
  expect([seen, variable.get()]).toEqual(["inside", "outside"]);
});

test("a task whose result holds the task has a repr", async () => {
  await asyncio.run(async () => {
    const task: asyncio.Task<unknown> = asyncio.createTask(async () => await Promise.resolve([asyncio.allTasks()]));
    await task;
    expect(String(task)).toMatch(/^<Task finished name='Task-\d+' .*result=/);
  });
});
