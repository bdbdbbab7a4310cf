/** Tasks that wait for each other in a circle: they can be cancelled, and nobody else is disturbed. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { createTask, currentTask, gather, sleep, taskGroup } = asyncio;

/** A loop that spins asks for the time again and again. */
const MOST_READINGS = 10_000;

/** A virtual clock that fails once it is read too often, so that a loop that spins ends its test. */
class ImpatientHost extends VirtualHost {
  #readings: number = 0;

  override now(): number {
    if (++this.#readings > MOST_READINGS) throw new Error("the loop spins");
    return super.now();
  }
}

/** Runs `main` on a virtual clock; nothing may be reported. */
async function run(main: (loop: asyncio.BaseEventLoop) => Promise<void>): Promise<void> {
  const loop = new asyncio.BaseEventLoop(new ImpatientHost());
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await asyncio.run(() => main(loop), { loopFactory: () => loop });
  expect(reports).toEqual([]);
}

const failing = async (): Promise<never> => {
  throw new RangeError("x");
};

type Tasks = () => readonly asyncio.Awaitable<unknown>[];

/** Tasks that wait for what `others` gives, in either syntax. */
const SYNTAXES = [
  {
    syntax: "async functions",
    together: (others: Tasks) => createTask(async () => void (await gather(others()))),
    alone: (others: Tasks) => createTask(async () => void (await others()[0])),
    group: () =>
      createTask(async () => {
        const parent = currentTask()!;
        await taskGroup(async (children) => {
          children.createTask(async () => void (await parent));
        });
      }),
  },
  {
    syntax: "generators",
    together: (others: Tasks) =>
      createTask(function* () {
        yield* gather(others());
      } as unknown as () => Promise<void>),
    alone: (others: Tasks) =>
      createTask(function* () {
        yield* others()[0]!;
      } as unknown as () => Promise<void>),
    group: () =>
      createTask(function* () {
        const parent = currentTask()!;
        // oxlint-disable-next-line require-yield -- the group waits for the child, not the body
        yield* taskGroup(function* (children) {
          children.createTask(function* () {
            yield* parent;
          } as unknown as () => Promise<void>);
        });
      } as unknown as () => Promise<void>),
  },
];

describe.each(SYNTAXES)("in $syntax", ({ together, alone, group }) => {
  // CPython: cancel() gives True, the task is cancelled, and nothing is reported.
  test("E2: a task in its own gather(), of which another part has failed, is cancelled", async () => {
    await run(async (loop) => {
      const task: asyncio.Task<void> = together(() => [task, createTask(failing), sleep(100)]);
      for (let turn = 0; turn < 3; turn++) await sleep(0);
      expect(task.cancel()).toBe(true);
      await sleep(1);
      expect(task.cancelled()).toBe(true);
      expect(loop.time()).toBe(1);
    });
  });

  // CPython: cancel() gives True; both are cancelled, the third task goes on until it is cancelled, and nothing is
  // reported.
  test("H1: a circle whose gather() is done in the turn in which it is cancelled ends, and steps each task once", async () => {
    await run(async (loop) => {
      const record: string[] = [];
      const part = loop.createFuture();
      const other = createTask(async () => {
        try {
          await sleep(3600);
        } finally {
          record.push("cleaned");
        }
      });
      const a: asyncio.Task<void> = together(() => [b, part]);
      const b: asyncio.Task<void> = alone(() => [a]);
      await sleep(0);
      await sleep(0);
      part.setException(new Error("x"));
      loop.callSoon(() => record.push(`cancel() ${b.cancel()}`));
      const before = loop.statistics().turns;
      await sleep(1);
      expect(loop.statistics().turns - before).toBeLessThan(20);
      expect([a.cancelled(), b.cancelled(), other.done()]).toEqual([true, true, false]);
      expect([loop.statistics().tasks, asyncio.allTasks().size]).toEqual([2, 2]);
      other.cancel();
      await gather(other, { returnExceptions: true });
      expect(record).toEqual(["cancel() true", "cleaned"]);
      expect([loop.statistics().tasks, asyncio.allTasks().size]).toEqual([1, 1]);
    });
  });

  // CPython: cancel() gives True, and both tasks stay pending for ever.
  test("H5: a child that awaits the parent of its group is cancelled with it", async () => {
    await run(async (loop) => {
      const parent = group();
      for (let turn = 0; turn < 3; turn++) await sleep(0);
      expect(loop.statistics().tasks).toBe(3);
      expect(parent.cancel()).toBe(true);
      await sleep(1);
      expect(parent.cancelled()).toBe(true);
      expect([loop.statistics().tasks, asyncio.allTasks().size]).toEqual([1, 1]);
    });
  });
});
