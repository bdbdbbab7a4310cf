/** Who waits for whom: `captureCallGraph`, `formatCallGraph`, `printCallGraph`. CPython: `test_asyncio.test_graph`. */

import * as asyncio from "asyncio-ts";
import type { FutureCallGraph } from "asyncio-ts";
import { expect, test } from "vitest";

/** The names of the tasks above a future, the nearest first, the first of each. */
function chainOf(graph: FutureCallGraph | null): string[] {
  const names: string[] = [];
  for (let at = graph ?? undefined; at !== undefined; at = at.awaitedBy[0]) {
    const name = at.future instanceof asyncio.Task ? at.future.getName() : "a future";
    names.push(/^Task-\d+$/.test(name) ? "main" : name);
  }
  return names;
}

const namesOf = (graph: FutureCallGraph | null): string[] => graph?.callStack.map(({ name }) => name) ?? [];

/** The graph of a task called `child`, as `inside` starts it, when the child asks for it. */
async function graphInside(inside: (child: () => Promise<void>) => Promise<unknown>): Promise<FutureCallGraph | null> {
  let graph: FutureCallGraph | null = null;
  await asyncio.run(async () => {
    await inside(async () => {
      await asyncio.sleep(0);
      await asyncio.sleep(0);
      graph = asyncio.captureCallGraph();
    });
  });
  return graph;
}

const named = { name: "child" };

test.each<[string, (child: () => Promise<void>) => Promise<unknown>]>([
  ["a task", async (child) => await asyncio.createTask(child, named)],
  ["gather", async (child) => await asyncio.gather(asyncio.createTask(child, named), asyncio.sleep(0))],
  ["wait", async (child) => await asyncio.wait([asyncio.createTask(child, named)])],
  ["shield", async (child) => await asyncio.shield(asyncio.createTask(child, named))],
  ["waitFor", async (child) => await asyncio.waitFor(asyncio.createTask(child, named), 10)],
  ["a deadline", async (child) => await asyncio.timeout(10, async () => await asyncio.createTask(child, named))],
  [
    "a group at its end",
    async (child) => await asyncio.taskGroup(async (group) => void group.createTask(child, named)),
  ],
  [
    "a group whose body does something else",
    async (child) =>
      await asyncio.taskGroup(async (group) => {
        group.createTask(child, named);
        await asyncio.sleep(0.001);
      }),
  ],
])("%s is waited for by the task that asked for it", async (_name, inside) => {
  expect(chainOf(await graphInside(inside))).toEqual(["child", "main"]);
});

test("of generators: the functions that run, with their places, and the coroutines that wait for them", async () => {
  let graph: FutureCallGraph | null = null;
  function measure(): void {
    graph = asyncio.captureCallGraph();
  }
  function* inner(): asyncio.CoroutineGenerator<void> {
    yield* asyncio.sleep(0);
    measure();
  }
  function* outer(): asyncio.CoroutineGenerator<void> {
    yield* inner();
  }
  await asyncio.run(outer);
  expect(namesOf(graph)).toEqual(["measure()", "inner()", "outer()"]);
  const [first, second, third] = graph!.callStack;
  expect([first!.isAsync, second!.isAsync, third!.isAsync]).toEqual([false, true, true]);
  expect(first!.location).toMatch(/call-graph\.test\.ts:\d+:\d+$/);
  expect(third!.location).toMatch(/call-graph\.test\.ts:\d+:\d+$/);
});

test("of async functions: those that wait are there too, as far as V8 tells", async () => {
  let graph: FutureCallGraph | null = null;
  async function inner(): Promise<void> {
    await asyncio.sleep(0);
    graph = asyncio.captureCallGraph();
  }
  async function outer(): Promise<void> {
    await inner();
  }
  await asyncio.run(outer);
  expect(namesOf(graph)).toEqual(["inner()", "outer()"]);
});

test("of an async generator, and of the function that iterates over it", async () => {
  let graph: FutureCallGraph | null = null;
  async function* numbers(): AsyncGenerator<number> {
    await asyncio.sleep(0);
    graph = asyncio.captureCallGraph();
    yield 1;
  }
  async function outer(): Promise<void> {
    for await (const _number of numbers());
  }
  await asyncio.run(outer);
  expect(namesOf(graph).map((name) => name.replace(/^.*\./, ""))).toEqual(["numbers()", "outer()"]);
});

test("of a task that waits: its coroutines, without their places", async () => {
  await asyncio.run(async () => {
    const event = new asyncio.Event();
    const task = asyncio.createTask(function* outer() {
      yield* asyncio.timeout(10, () => event.wait());
    });
    await asyncio.sleep(0);
    const { callStack } = asyncio.captureCallGraph(task)!;
    expect(callStack.at(-1)).toEqual({ name: "outer()", isAsync: true, location: null });
    event.set();
    await task;
    expect(namesOf(asyncio.captureCallGraph(task))).toEqual([]);
  });
});

test("a limit is to the outermost frames, a negative one to the innermost", async () => {
  const shown: string[][] = [];
  function* outer(): asyncio.CoroutineGenerator<void> {
    yield* asyncio.sleep(0);
    for (const limit of [undefined, 1, -1, 0]) {
      const inner = (): FutureCallGraph | null => asyncio.captureCallGraph(null, limit === undefined ? {} : { limit });
      shown.push(namesOf(inner()));
    }
  }
  await asyncio.run(outer);
  expect(shown).toEqual([["inner()", "outer()"], ["outer()"], ["inner()"], []]);
});

test("a future is waited for by many; depth leaves out the caller's own frames", async () => {
  await asyncio.run(async () => {
    const future = asyncio.getRunningLoop().createFuture();
    const wait = async (): Promise<unknown> => await future;
    const tasks = ["a", "b"].map((name) => asyncio.createTask(wait, { name }));
    await asyncio.sleep(0);
    const graph = asyncio.captureCallGraph(future)!;
    expect(graph.callStack).toEqual([]);
    expect(graph.awaitedBy.map(chainOf)).toEqual([["a"], ["b"]]);
    future.setResult(undefined);
    await asyncio.gather(tasks);
    function called(): [string[], string[]] {
      return [namesOf(asyncio.captureCallGraph()), namesOf(asyncio.captureCallGraph(null, { depth: 2 }))];
    }
    const [all, without] = called();
    expect(all[0]).toBe("called()");
    expect(without).toEqual(all.slice(1));
  });
});

test("tasks that wait for each other are shown once round", async () => {
  await asyncio.run(async () => {
    const tasks: asyncio.Task<void>[] = [];
    const waitFor = (i: number) => async (): Promise<void> => {
      await asyncio.sleep(0);
      await asyncio.shield(tasks[i]!);
    };
    tasks.push(asyncio.createTask(waitFor(1), { name: "a" }), asyncio.createTask(waitFor(0), { name: "b" }));
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    expect(chainOf(asyncio.captureCallGraph(tasks[0]))).toEqual(["a", "b"]);
    for (const task of tasks) task.cancel();
    await asyncio.wait(tasks);
  });
});

test("as text, and printed", async () => {
  const printed: string[] = [];
  await asyncio.run(async function main() {
    async function child(): Promise<void> {
      await asyncio.sleep(0);
      asyncio.printCallGraph(null, { write: (text) => printed.push(text) });
      expect(asyncio.formatCallGraph()).toMatch(/^\* Task\(name='child', id=0x[0-9a-f]+\)\n {2}\+ Call stack:/);
    }
    await asyncio.createTask(child, named);
    expect(asyncio.formatCallGraph(asyncio.getRunningLoop().createFuture())).toMatch(/^\* Future\(id=0x[0-9a-f]+\)$/);
  });
  expect(
    printed
      .join("\n")
      .replaceAll(/'Task-\d+'/g, "'main'")
      .replaceAll(/id=0x[0-9a-f]+/g, "id=N")
      .replaceAll(/File '[^']*'/g, "File F"),
  ).toBe(
    [
      "* Task(name='child', id=N)",
      "  + Call stack:",
      "  |   File F, in async child()",
      "  + Awaited by:",
      "    * Task(name='main', id=N)",
      "      + Call stack:",
      "      |   async main()",
    ].join("\n"),
  );
});

test("without a task there is none, and without a loop that is an error", async () => {
  expect(() => asyncio.captureCallGraph()).toThrow(/called outside of a running event loop, and no future was given/);
  expect(() => asyncio.captureCallGraph({} as asyncio.Future<void>)).toThrow(/a future is expected, received \{\}/);
  await asyncio.run(async () => {
    const seen = asyncio.getRunningLoop().createFuture<unknown[]>();
    asyncio.getRunningLoop().callSoon(() => {
      const write = (): never => expect.unreachable();
      asyncio.printCallGraph(null, { write });
      seen.setResult([asyncio.captureCallGraph(), asyncio.formatCallGraph()]);
    });
    expect(await seen).toEqual([null, ""]);
  });
});
