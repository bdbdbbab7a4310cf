/** Callbacks of a future that are many: adding, removing and showing them costs what they are. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";
import { CROWD } from "../../sizes.ts";
import { run } from "../../virtual.ts";

const { createTask, sleep } = asyncio;

test("E12: removeDoneCallback() of a crowd of callbacks, each by itself and in no order", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    const bare = String(future);
    const called: number[] = [];
    const callbacks = Array.from({ length: CROWD }, (_, i) => () => void called.push(i));
    for (const callback of callbacks) future.addDoneCallback(callback);
    const step = 61_803; // has no factor in common with a power of ten
    for (let i = 1; i < CROWD; i++) expect(future.removeDoneCallback(callbacks[(i * step) % CROWD]!)).toBe(1);
    expect(future.removeDoneCallback(callbacks[step]!)).toBe(0);
    future.setResult();
    await sleep(0);
    expect([called, String(future)]).toEqual([[0], bare.replace("pending", "finished result=undefined")]);
  });
});

test("E12: removeDoneCallback() of one callback that was added as often as a crowd", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    const [often, once] = [() => {}, () => {}];
    for (let i = 0; i < CROWD; i++) future.addDoneCallback(often);
    future.addDoneCallback(once);
    expect(future.removeDoneCallback(often)).toBe(CROWD);
    expect(future.removeDoneCallback(once)).toBe(1);
  });
});

test("H7: a crowd of tasks on one future make a DeadlockError of few words", async () => {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  const main = async (): Promise<void> => {
    const future = loop.createFuture();
    const tasks = Array.from({ length: CROWD }, () => createTask(async () => await future));
    await asyncio.gather(tasks);
  };
  const error: unknown = await asyncio.run(main, { loopFactory: () => loop }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(asyncio.DeadlockError);
  expect((error as Error).message).toContain("Task");
  expect((error as Error).message.length).toBeLessThan(10_000);
});

test("H7: a future with a crowd of callbacks shows a few of them, and how many more there are", async () => {
  await run(async ({ loop }) => {
    const future = loop.createFuture();
    for (let i = 0; i < CROWD; i++) future.addDoneCallback(() => {});
    expect(String(future)).toMatch(/^<Future pending cb=/);
    expect(String(future).length).toBeLessThan(500);
  });
});
