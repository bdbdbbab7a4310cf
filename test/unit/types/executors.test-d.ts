/** Types of the executors: arguments and results are the function's own, and what is not named does not compile. */

import * as asyncio from "asyncio-ts";
import type { Job, NamedTask, Results } from "asyncio-ts";
import { InMemoryExecutor } from "asyncio-ts/testing";
import { expectTypeOf, test } from "vitest";

const work = {
  add: (a: number, b: number) => a + b,
  load: async (path: string) => await Promise.resolve([path]),
  *nap(seconds: number) {
    yield* asyncio.sleep(seconds);
    return true;
  },
  version: 3,
};
const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);

test("a task has the types of its function, a promise or a generator unwrapped", async () => {
  expectTypeOf(tasks.add).toEqualTypeOf<NamedTask<[a: number, b: number], number>>();
  expectTypeOf(await asyncio.toThread(tasks.load, "path")).toEqualTypeOf<string[]>();
  const executor = new InMemoryExecutor();
  expectTypeOf(executor.submit(tasks.nap, 1)).toEqualTypeOf<Job<boolean>>();
  expectTypeOf(executor.map(tasks.load, ["a", "b"])).toEqualTypeOf<Results<string[]>>();
  for await (const paths of executor.map(tasks.load, ["a", "b"])) expectTypeOf(paths).toEqualTypeOf<string[]>();
  const loop = asyncio.getRunningLoop();
  expectTypeOf(loop.runInExecutor(null, tasks.add, 1, 2)).toEqualTypeOf<Job<number>>();
  expectTypeOf(tasks.add.with({ timeout: 1 })).toEqualTypeOf<NamedTask<[a: number, b: number], number>>();
});

test("mistakes do not compile", () => {
  // @ts-expect-error a function is not named
  void (() => asyncio.toThread((a: number) => a, 1));
  // @ts-expect-error an argument is missing
  void (() => asyncio.toThread(tasks.add, 1));
  // @ts-expect-error an argument of another type
  void (() => asyncio.toThread(tasks.load, 1));
  // @ts-expect-error what is no function is no task
  void tasks.version;
  // @ts-expect-error items go to functions of one parameter
  void (() => new InMemoryExecutor().map(tasks.add, [1, 2]));
});
