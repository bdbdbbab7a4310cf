/** What a recorder knows of the tasks of a loop, at each level. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { chromeTrace } from "../../../src/inspection/chrome-trace.ts";
import { EventRing } from "../../../src/inspection/event-ring.ts";
import { isRecordLevel, recorderOf } from "../../../src/inspection/recorder.ts";
import { snapshotOf } from "../../../src/inspection/snapshots.ts";

const virtualLoop = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());

/** Keeps the loop busy for about a millisecond, for a clock that has to see it. */
function spin(): void {
  for (const end = performance.now() + 1; performance.now() < end;);
}

async function twice(): Promise<void> {
  await asyncio.sleep(1);
  spin();
  await asyncio.sleep(1);
}

function* twiceInGenerators(): asyncio.CoroutineGenerator<void> {
  yield* asyncio.sleep(1);
  spin();
  yield* asyncio.sleep(1);
}

describe("a recorder", () => {
  test("knows nothing while nobody watches", async () => {
    const loop = virtualLoop();
    await loop.runUntilComplete(async () => {
      await asyncio.sleep(1);
      expect(recorderOf(loop).level).toBeNull();
      expect(snapshotOf(loop, 1)).toMatchObject({ record: null, tasks: [{ record: null }] });
    });
  });

  test("is one for all that watch, at the level of who asks for most, and off with the last", () => {
    const loop = virtualLoop();
    const recorder = recorderOf(loop);
    const [counts, events] = [recorder.watch("counts"), recorderOf(loop).watch("events")];
    expect([recorder.level, recorder.events === null]).toEqual(["events", false]);
    events();
    expect([recorder.level, recorder.events]).toEqual(["counts", null]);
    counts();
    counts();
    expect([recorder.level, recorder.totals()]).toEqual([null, null]);
  });

  test.each([
    ["async functions", twice],
    ["generators", twiceInGenerators],
  ])("counts steps, and with times tells how long they took, of %s", async (_name, work) => {
    for (const level of ["counts", "times"] as const) {
      const loop = virtualLoop();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await loop.runUntilComplete(async () => {
        const stop = recorderOf(loop).watch(level);
        const task = asyncio.createTask(work, { name: "work" });
        await asyncio.sleep(1.5);
        const [main, other] = snapshotOf(loop, 1).tasks;
        expect(main).toMatchObject({ name: expect.stringMatching(/^Task-\d+$/), record: { isWhole: false } });
        expect(other).toMatchObject({ name: "work", record: { isWhole: true, steps: 2, selfWakes: 0 } });
        const { busy, longestStep, waiting, age } = other!.record!;
        if (level === "counts") expect([busy, longestStep]).toEqual([0, 0]);
        else {
          expect(busy).toBeGreaterThanOrEqual(0.001);
          expect(longestStep).toBeGreaterThanOrEqual(0.001);
          expect(busy + waiting).toBeLessThanOrEqual(age + 1e-6);
        }
        await task;
        stop();
      });
    }
  });

  test("sees who gives way and waits for nothing", async () => {
    const loop = virtualLoop();
    await loop.runUntilComplete(async () => {
      const stop = recorderOf(loop).watch("times");
      const task = asyncio.createTask(function* () {
        for (let i = 0; i < 5; i++) yield* asyncio.sleep(0);
        yield* asyncio.sleep(10);
      });
      await asyncio.sleep(1);
      expect(recorderOf(loop).recordOf(task)).toMatchObject({ selfWakes: 5 });
      expect(recorderOf(loop).stepsOf(task)).toBe(6);
      stop();
      task.cancel();
    });
  });

  test("begins anew when somebody watches again, also for tasks that it knew", async () => {
    const loop = virtualLoop();
    await loop.runUntilComplete(async () => {
      const recorder = recorderOf(loop);
      const task = asyncio.createTask(twiceInGenerators);
      recorder.watch("counts")();
      await asyncio.sleep(1.5);
      const stop = recorder.watch("counts");
      expect(recorder.recordOf(task)).toMatchObject({ isWhole: false });
      expect(recorder.stepsOf(task)).toBe(0);
      await task;
      expect(recorder.totals()).toMatchObject({ made: 0, ended: 1 });
      stop();
    });
  });

  test("counts turns, and what was ready", async () => {
    const loop = virtualLoop();
    await loop.runUntilComplete(async () => {
      const stop = recorderOf(loop).watch("counts");
      await asyncio.gather(Array.from({ length: 20 }, () => asyncio.sleep(0)));
      expect(recorderOf(loop).totals()).toMatchObject({ made: 20, ended: 20, deepest: 20 });
      expect(recorderOf(loop).totals()!.turns).toBeGreaterThanOrEqual(3);
      stop();
    });
  });

  test("has three levels", () => {
    expect(["counts", "times", "events", "all", null].map(isRecordLevel)).toEqual([true, true, true, false, false]);
  });
});

describe("events", () => {
  test("are kept up to a number, and the others are counted", () => {
    const ring = new EventRing(3);
    const task = { id: 1, name: "t" };
    ring.made(1, task);
    ring.turn(2, 7);
    ring.step(3, task, 0.5);
    expect([...ring].map(({ kind }) => kind)).toEqual(["made", "turn", "step"]);
    ring.woken(4, task, { id: 2, name: "u" });
    ring.ended(5, task);
    expect(ring.dropped).toBe(2);
    expect([...ring]).toEqual([
      { kind: "step", at: 3, task, milliseconds: 0.5 },
      { kind: "woken", at: 4, task, by: { id: 2, name: "u" } },
      { kind: "ended", at: 5, task },
    ]);
  });

  test("are a trace in which each task has a beginning and an end, and each arrow both of its ends", async () => {
    const loop = virtualLoop();
    const events = await loop.runUntilComplete(async () => {
      const stop = recorderOf(loop).watch("events");
      const queue = new asyncio.Queue<number>();
      const consumer = asyncio.createTask(async () => await queue.get(), { name: "consumer" });
      asyncio.createTask(async () => await asyncio.sleep(100), { name: "sleeper" });
      await asyncio.sleep(0);
      queue.putNowait(1);
      await consumer;
      const seen = [...recorderOf(loop).events!];
      stop();
      return seen;
    });
    const { traceEvents } = chromeTrace(events, 17);
    const phases = (ph: string) => traceEvents.filter((event) => event.ph === ph);
    const idsOf = (ph: string) => phases(ph).map(({ id }) => id);
    expect(traceEvents.every(({ pid, tid, ts }) => pid === 17 && tid === 17 && ts >= 0)).toBe(true);
    expect(idsOf("b").toSorted()).toEqual(idsOf("e").toSorted());
    expect(phases("b").map(({ name }) => name)).toEqual(expect.arrayContaining(["consumer", "sleeper"]));
    expect(phases("X").filter(({ name }) => name === "consumer")).toHaveLength(2);
    for (const arrow of phases("f")) {
      const start = phases("s").find(({ id }) => id === arrow.id);
      expect(start!.ts).toBeLessThanOrEqual(arrow.ts);
    }
    expect(phases("f").length).toBeGreaterThanOrEqual(2);
    for (const slice of phases("X")) expect(slice.dur).toBeGreaterThanOrEqual(0);
    expect(phases("C").every(({ args }) => typeof args!["entries"] === "number")).toBe(true);
  });
});
