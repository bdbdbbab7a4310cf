/** Loops among everything else that lives in a process: its async context, its emitters, its timers, its I/O. */

import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { queryObjects } from "node:v8";
import { Worker } from "node:worker_threads";
import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep } = asyncio;

/** How many objects there are, once the garbage collector has run. */
function objectsHeld(): number {
  return queryObjects(Object, { format: "count" });
}

test("AsyncLocalStorage and ContextVar go with tasks, coroutines and callbacks, each by its own rule", async () => {
  const storage = new AsyncLocalStorage<string>();
  const variable = new asyncio.ContextVar("variable", { default: 0 });
  await run(async ({ loop }) => {
    await storage.run("outer", async () => {
      variable.set(1);
      await sleep(1);
      const inTask = await asyncio.createTask(async () => {
        variable.set(2);
        await sleep(1);
        return [storage.getStore(), variable.get()];
      });
      const inCoroutine = await asyncio.coroutine(function* () {
        yield* sleep(1);
        variable.set(3);
        return storage.getStore();
      })();
      const future = loop.createFuture<unknown>();
      loop.callLater(1, () => future.setResult(storage.getStore()));
      expect([inTask, inCoroutine, await future, storage.getStore()]).toEqual([
        ["outer", 2],
        "outer",
        "outer",
        "outer",
      ]);
    });
    expect([storage.getStore(), variable.get()]).toEqual([undefined, 3]);
  });
});

test("an async function in context.run() keeps the context, its task and its cancellation", async () => {
  const variable = new asyncio.ContextVar<number>("variable");
  await run(async () => {
    const context = asyncio.copyContext();
    const task = asyncio.createTask(() =>
      context.run(async () => {
        variable.set(1);
        await sleep(0);
        await asyncio.coroutine(async () => void variable.set(variable.get() + 1))();
        await sleep(10);
      }),
    );
    await sleep(1);
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
    expect([task.cancelled(), context.get(variable), variable.get("unset")]).toEqual([true, 2, "unset"]);
  });
});

test("callbacks of emitters and timers complete futures and cancel tasks", async () => {
  await asyncio.run(async () => {
    const emitter = new EventEmitter();
    const future = asyncio.getRunningLoop().createFuture<number>();
    emitter.once("value", (value: number) => future.setResult(value));
    setTimeout(() => emitter.emit("value", 4), 1);
    expect(await future).toBe(4);
    const task = asyncio.createTask(() => sleep(Infinity));
    setTimeout(() => task.cancel(), 1);
    await asyncio.gather(task, { returnExceptions: true });
    expect(task.cancelled()).toBe(true);
  });
});

test("a timer of a program that has ended gets an error that says so", async () => {
  let hasEnded = false;
  const heard = await new Promise((resolve) => {
    const program = asyncio.run(async () => {
      const timer = setInterval(() => {
        if (!hasEnded) return;
        clearInterval(timer);
        try {
          asyncio.createTask(() => sleep(1));
          resolve("a task");
        } catch (error) {
          resolve(String(error));
        }
      }, 1);
      await sleep(0);
    });
    void program.then(() => (hasEnded = true));
  });
  expect(heard).toBe("RuntimeError: no running event loop: call this from inside asyncio.run(...)");
});

test("a hundred thousand ticks in a row delay the loop and do not break it", async () => {
  let ticks = 0;
  const storm = (): void => {
    if (++ticks < 100_000) process.nextTick(storm);
  };
  await asyncio.run(async () => {
    storm();
    await sleep(0);
  });
  expect(ticks).toBe(100_000);
});

test("waiting for a file, a request or a worker is no deadlock", async () => {
  const results = await asyncio.run(async () => {
    const text = await asyncio.fromPromise(readFile(import.meta.filename, "utf8"));
    const server = createServer((_request, response) => setTimeout(() => response.end("hello"), 5));
    await asyncio.fromPromise(new Promise<void>((resolve) => server.listen(0, resolve)));
    const { port } = server.address() as AddressInfo;
    const body = await asyncio.fromPromise((signal) =>
      fetch(`http://127.0.0.1:${port}`, { signal }).then((r) => r.text()),
    );
    server.closeAllConnections();
    server.close();
    const message = asyncio.getRunningLoop().createFuture<unknown>();
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage('done')", { eval: true });
    worker.on("message", (value) => message.setResult(value));
    return [text.length > 0, body, await message];
  });
  expect(results).toEqual([true, "hello", "done"]);
});

test("timers that are cancelled, in whatever order, are gone, and the others fire in the order of their making", async () => {
  await run(async ({ loop }) => {
    const fired: number[] = [];
    const at = loop.time() + 5;
    const handles = Array.from({ length: 1000 }, (_, i) => loop.callAt(at, () => fired.push(i)));
    for (let i = 0; i < 1000; i += 3) handles[i]?.cancel();
    loop.callAt(at - 1, () => handles[1]?.cancel());
    await sleep(6);
    expect(fired).toEqual([...Array(1000).keys()].filter((i) => i % 3 !== 0 && i !== 1));
    const many = Array.from({ length: 100_000 }, (_, i) => loop.callLater((i * 7919) % 1000, () => {}));
    for (let i = 0; i < many.length; i++) many[(i * 7919) % many.length]?.cancel();
    await sleep(0);
    await sleep(0);
    const { timers, cancelledTimers } = loop.statistics();
    expect(timers).toBe(cancelledTimers);
    expect(timers).toBeLessThanOrEqual(100);
  });
});

test("a long-running program holds nothing of what it has done with", async () => {
  const rounds = 5000;
  await asyncio.run(async () => {
    const shared = asyncio.getRunningLoop().createFuture();
    const work = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        await sleep(0);
        const failing = asyncio.createTask(async () => {
          throw new Error("handled");
        });
        await asyncio.gather(failing, { returnExceptions: true });
        const shielded = asyncio.shield(shared);
        shielded.cancel();
        await asyncio.coroutine(async () => await sleep(0))();
      }
    };
    await work(200);
    const before = objectsHeld();
    await work(rounds);
    await sleep(0.001);
    expect(objectsHeld() - before).toBeLessThan(rounds / 2); // one object a round would be a leak
    shared.cancel();
  });
});
