/** What `top` and `stuck` say of what was recorded. */

import { describe, expect, test } from "vitest";
import { stuckReport } from "../../../src/cli/stuck.ts";
import { isSortKey, topTable } from "../../../src/cli/top-table.ts";
import type { LoopSnapshot, TaskSnapshot } from "../../../src/inspection/snapshots.ts";

function task(name: string, id: number, more: Partial<TaskSnapshot> = {}, steps = 0, busy = 0): TaskSnapshot {
  const record = {
    steps,
    selfWakes: 0,
    busy,
    waiting: 2 - busy,
    longestStep: busy / 2,
    age: 2,
    idle: 1,
    isWhole: true,
  };
  const stack = [
    { name: "get", location: null },
    { name, location: null },
  ];
  return { id, name, stack, waitsFor: null, awaitedBy: [], cancelling: 0, record, ...more };
}

function loopOf(...tasks: TaskSnapshot[]): LoopSnapshot[] {
  const record = { seconds: 2, turns: 200, made: 3, ended: 1, steps: 100, deepest: 7 };
  return [{ thread: 1, tasks, record }];
}

const view = { sort: "busy" as const, filter: "", rows: 100, columns: 200 };
const names = (lines: readonly string[]): string[] => lines.slice(3).map((line) => line.split(" ")[0]!);

describe("top", () => {
  const loops = loopOf(task("idle", 1), task("hot", 2, {}, 50, 0.5), task("warm", 3, {}, 90, 0.0004));

  test("has what the loop did, then a row for each task", () => {
    expect(topTable(loops, view)).toEqual([
      "3 tasks, 3 made, 1 ended · turns 100/s · steps 50/s · at most 7 ready · 25 % in these tasks · 2 s",
      "",
      "task                         steps      busy   longest   waiting       age  where",
      "hot                             50  500.0 ms  250.0 ms     1.5 s     2.0 s  hot > get",
      "warm                            90    400 µs    200 µs     2.0 s     2.0 s  warm > get",
      "idle                             0      0 µs      0 µs     2.0 s     2.0 s  idle > get",
    ]);
  });

  test("is sorted by each key", () => {
    expect(names(topTable(loops, { ...view, sort: "steps" }))).toEqual(["warm", "hot", "idle"]);
    expect(names(topTable(loops, { ...view, sort: "waiting" }))).toEqual(["idle", "warm", "hot"]);
    expect(names(topTable(loops, { ...view, sort: "longest" }))).toEqual(["hot", "warm", "idle"]);
    expect(names(topTable(loops, { ...view, sort: "age" }))).toEqual(["idle", "hot", "warm"]);
    expect(names(topTable(loops, { ...view, sort: "name" }))).toEqual(["hot", "idle", "warm"]);
    expect([isSortKey("busy"), isSortKey("colour")]).toEqual([true, false]);
  });

  test("shows what a filter leaves, and no more than there is room for", () => {
    expect(names(topTable(loops, { ...view, filter: "arm > g" }))).toEqual(["warm"]);
    const small = topTable(loops, { ...view, rows: 4, columns: 10 });
    expect(small.map((line) => line.length <= 10)).toEqual([true, true, true, true]);
  });

  test("tells what a task waits for, that it was asked to cancel, and that it is older than the record", () => {
    const old = task("old", 1, { waitsFor: "Lock.acquire()", cancelling: 1 });
    const [row] = topTable(loopOf({ ...old, record: { ...old.record!, isWhole: false, age: 75 } }), view).slice(3);
    expect(row).toContain("≥1m15s  old > get · Lock.acquire() · asked to cancel");
  });
});

describe("stuck", () => {
  test("names those that did not go on, first those that wait for no task", () => {
    const loops = loopOf(
      task("main", 1),
      task("busy", 2, { awaitedBy: [1] }, 5),
      task("waiter", 3, { awaitedBy: [1], waitsFor: "Lock.acquire() of <Lock>, held by Task 'busy'" }),
      task("sleeper", 4, { cancelling: 1 }),
    );
    expect(stuckReport(loops)).toEqual([
      "In 2.0 s: 200 turns of the loop, 100 steps; 3 of 4 tasks did not go on.",
      "  waiter in waiter > get waits for Lock.acquire() of <Lock>, held by Task 'busy'",
      "  sleeper in sleeper > get; it was asked to cancel",
      "  main in main > get waits for busy, waiter",
    ]);
  });

  test("tells circles", () => {
    const report = stuckReport(loopOf(task("a", 1, { awaitedBy: [2] }), task("b", 2, { awaitedBy: [1] })));
    expect(report[1]).toBe("They wait for each other: a → b → a");
  });

  test("of a crowd it tells the first", () => {
    const report = stuckReport(loopOf(...Array.from({ length: 50 }, (_, i) => task(`t${i}`, i + 1))));
    expect([report.length, report.at(-1)]).toEqual([32, "  and 20 more"]);
  });
});
