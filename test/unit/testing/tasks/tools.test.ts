/** The small tools: waitAllTasksBlocked, Sequencer, assertSwitches and assertNoSwitch. */

import * as asyncio from "asyncio-ts";
import {
  assertNoSwitch,
  assertSwitches,
  asyncTest,
  InvariantError,
  Sequencer,
  waitAllTasksBlocked,
} from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { createTask, getRunningLoop, sleep } = asyncio;

describe("waitAllTasksBlocked", () => {
  test(
    "waits until the others have gone as far as they can, and no time goes by",
    asyncTest(async () => {
      const steps: string[] = [];
      const busy = createTask(async () => {
        for (let i = 0; i < 5; i++) await sleep(0);
        steps.push("blocked");
        await sleep(10);
        steps.push("slept");
      });
      await waitAllTasksBlocked();
      expect(steps).toEqual(["blocked"]);
      expect(getRunningLoop().time()).toBe(0);
      await busy;
    }),
  );

  test(
    "several that wait go on together",
    asyncTest(function* () {
      const order: string[] = [];
      const wait = (name: string) =>
        createTask(function* () {
          yield* waitAllTasksBlocked();
          order.push(name);
        });
      const tasks = [wait("a"), wait("b")];
      yield* sleep(0);
      order.push("main");
      yield* asyncio.gather(tasks);
      expect(order).toEqual(["main", "a", "b"]);
    }),
  );

  test(
    "promises are waited for, as far as they are ready",
    asyncTest(async () => {
      let steps = 0;
      const busy = createTask(async () => {
        for (; steps < 100; steps++) await Promise.resolve();
        await sleep(1);
      });
      await waitAllTasksBlocked();
      expect(steps).toBe(100);
      await busy;
    }),
  );

  test(
    "with a cushion nothing happens for so long",
    asyncTest(async () => {
      const ticking = createTask(async () => {
        for (let i = 0; i < 5; i++) await sleep(1);
        await sleep(100);
      });
      await waitAllTasksBlocked(3);
      expect(getRunningLoop().time()).toBeGreaterThanOrEqual(8);
      expect(getRunningLoop().time()).toBeLessThan(12);
      await ticking;
    }),
  );

  test(
    "cancelled, it leaves nothing",
    asyncTest(async () => {
      const task = createTask(() => waitAllTasksBlocked());
      await sleep(0);
      task.cancel();
      await asyncio.wait([task]);
      expect(task.cancelled()).toBe(true);
      await waitAllTasksBlocked();
    }),
  );
});

describe("assertSwitches, assertNoSwitch", () => {
  test(
    "tell a wait from none",
    asyncTest(async () => {
      expect(await assertSwitches(() => sleep(0, "result"))).toBe("result");
      await assertSwitches(function* () {
        yield* sleep(1);
      });
      expect(await assertNoSwitch(async () => await Promise.resolve(1))).toBe(1);
      await expect(assertSwitches(async () => await Promise.resolve())).rejects.toThrow(InvariantError);
      await expect(assertNoSwitch(() => sleep(0))).rejects.toThrow("the body waited");
    }),
  );

  test(
    "an error of the body is the body's",
    asyncTest(async () => {
      await expect(assertSwitches(async () => await Promise.reject(new Error("its own")))).rejects.toThrow("its own");
    }),
  );
});

describe("Sequencer", () => {
  test(
    "each step begins when the one before has ended",
    asyncTest(async () => {
      const order: number[] = [];
      const sequencer = new Sequencer();
      const work = (...positions: number[]) =>
        createTask(async () => {
          for (const position of positions) {
            await sequencer.step(position, async () => {
              await sleep(1);
              order.push(position);
            });
          }
        });
      await asyncio.gather([work(1, 4), work(2, 3), work(0, 5)]);
      expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    }),
  );

  test(
    "a step ends with its hold, and after an error",
    asyncTest(async () => {
      const sequencer = new Sequencer();
      await expect(sequencer.step(0, async () => await Promise.reject(new Error("in step 0")))).rejects.toThrow(
        "step 0",
      );
      {
        using _step = await sequencer.step(1);
      }
      await sequencer.step(2, async () => {});
    }),
  );

  test(
    "cancelled, it breaks for all",
    asyncTest(async () => {
      const sequencer = new Sequencer();
      const [first, second] = [createTask(() => sequencer.step(1)), createTask(() => sequencer.step(2))];
      await waitAllTasksBlocked();
      first.cancel();
      await asyncio.wait([first, second]);
      expect(first.cancelled()).toBe(true);
      expect(second.exception()).toMatchObject({ message: expect.stringContaining("was cancelled") });
      await expect(sequencer.step(0)).rejects.toThrow("was cancelled");
    }),
  );

  test("what is no position, or taken, is refused", () => {
    const sequencer = new Sequencer();
    expect(() => sequencer.step(-1)).toThrow("position: expected a whole number from 0 on, received -1");
    sequencer.step(0, async () => {}).close();
    expect(() => sequencer.step(0)).toThrow("Sequencer: step 0 was taken before");
  });
});
