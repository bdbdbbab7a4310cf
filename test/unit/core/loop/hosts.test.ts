/** One contract, every host: the same program gives the same events in the same order. */

import * as asyncio from "asyncio-ts";
import { NodeHost } from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { sleep } = asyncio;

/** A platform that can let promises go on only by leaving the turn. */
class NoDrainHost extends VirtualHost {
  override drainMicrotasks(): boolean {
    return false;
  }
}

class NoDrainNodeHost extends NodeHost {
  override drainMicrotasks(): boolean {
    return false;
  }
}

const hosts: [string, () => asyncio.Host][] = [
  ["VirtualHost", () => new VirtualHost()],
  ["VirtualHost that cannot drain promises", () => new NoDrainHost()],
  ["NodeHost", () => new NodeHost()],
  ["NodeHost that cannot drain promises", () => new NoDrainNodeHost()],
  ["WebHost", () => new asyncio.WebHost()],
];

describe.each(hosts)("%s", (_name, makeHost) => {
  const options = { loopFactory: () => new asyncio.BaseEventLoop(makeHost()) };

  test("callbacks, timers, futures and tasks of both syntaxes in the order of CPython", async () => {
    const record: string[] = [];
    const note = (word: string): void => void record.push(word);
    await asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      const gate = loop.createFuture();
      const nested = async (): Promise<void> => await gate;
      loop.callSoon(note, "soon");
      const tasks = [
        asyncio.createTask(async () => {
          note("async starts");
          await nested();
          note("async goes on");
        }),
        asyncio.createTask(function* () {
          note("generator starts");
          yield* gate;
          note("generator goes on");
        }),
      ];
      await sleep(0);
      gate.setResult();
      gate.addDoneCallback(() => note("callback"));
      await asyncio.gather(tasks);
      note("gathered");
      const now = loop.time();
      loop.callAt(now + 0.002, note, "later");
      loop.callAt(now + 0.001, note, "sooner");
      await sleep(0.01);
    }, options);
    expect(record).toEqual([
      "soon",
      "async starts",
      "generator starts",
      "async goes on",
      "generator goes on",
      "callback",
      "gathered",
      "sooner",
      "later",
    ]);
  });

  test("a task is cancelled, cleans up and ends", async () => {
    const record: string[] = [];
    await asyncio.run(async () => {
      const task = asyncio.createTask(async () => {
        try {
          await sleep(60);
        } finally {
          await sleep(0.001);
          record.push("cleaned");
        }
      });
      await sleep(0);
      task.cancel();
      await asyncio.gather(task, { returnExceptions: true });
      record.push(String(task.cancelled()));
    }, options);
    expect(record).toEqual(["cleaned", "true"]);
  });

  test("an exception that leaves the loop leaves it, from a callback and from an async function", async () => {
    const exit = new asyncio.SystemExit(4);
    const inCallback = asyncio.run(async () => {
      asyncio.getRunningLoop().callSoon(() => {
        throw exit;
      });
      await sleep(60);
    }, options);
    await expect(inCallback).rejects.toBe(exit);
    const inTask = asyncio.run(async () => {
      asyncio.createTask(async () => {
        await sleep(0);
        throw exit;
      });
      await sleep(60);
    }, options);
    await expect(inTask).rejects.toBe(exit);
  });

  test("a foreign promise wakes a loop that sleeps", async () => {
    const elapsed = await asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      const future = loop.createFuture<string>();
      loop.callLater(0.001, () => queueMicrotask(() => future.setResult("woken")));
      return await future;
    }, options);
    expect(elapsed).toBe("woken");
  });
});
