/** `ps` and `pstree`, in CPython's form. CPython: `test_asyncio.test_tools`. */

import { describe, expect, test } from "vitest";
import { CycleError, taskTable, taskTrees } from "../../../src/cli/task-table.ts";
import type { LoopSnapshot, TaskSnapshot } from "../../../src/inspection/snapshots.ts";

/** A task of the table: its frames, innermost first, with places after an `@`. */
function task(
  id: number,
  name: string,
  frames: string,
  awaitedBy: number[] = [],
  waitsFor: string | null = null,
): TaskSnapshot {
  const stack = frames === "" ? [] : frames.split(" ").map((frame) => frame.split("@") as [string, string?]);
  const frameList = stack.map(([fn, place]) => ({ name: fn, location: place ?? null }));
  return { id, name, stack: frameList, waitsFor, awaitedBy, cancelling: 0, record: null };
}

const loopOf = (...tasks: TaskSnapshot[]): LoopSnapshot[] => [{ thread: 7, tasks, record: null }];
const cells = (row: string): string[] => {
  const widths = [10, 20, 20, 50, 50, 15, 15];
  let at = 0;
  return widths.map((width) => row.slice(at, (at += width + 1)).trim());
};

describe("the table", () => {
  test("has a head, a rule, and a row for each task and each that waits for it", () => {
    const [head, rule, ...rows] = taskTable(
      loopOf(task(1, "main", "wait main"), task(2, "other", "other"), task(3, "child", "b a", [1, 2])),
    );
    expect(cells(head!)).toEqual([
      "tid",
      "task id",
      "task name",
      "coroutine stack",
      "awaiter chain",
      "awaiter name",
      "awaiter id",
    ]);
    expect(rule).toBe("-".repeat(180));
    expect(rows.map(cells)).toEqual([
      ["7", "0x1", "main", "wait -> main", "", "", "0x0"],
      ["7", "0x2", "other", "other", "", "", "0x0"],
      ["7", "0x3", "child", "b -> a", "wait -> main", "main", "0x1"],
      ["7", "0x3", "child", "b -> a", "other", "other", "0x2"],
    ]);
  });

  test("of one that is waited for by a task that is not there", () => {
    expect(cells(taskTable(loopOf(task(2, "child", "a", [1])))[2]!)).toEqual([
      "7",
      "0x2",
      "child",
      "a",
      "",
      "Unknown",
      "0x0",
    ]);
  });

  test("of tasks that wait for each other", () => {
    expect(taskTable(loopOf(task(1, "a", "", [2]), task(2, "b", "", [1])))).toHaveLength(4);
  });

  test("of no tasks", () => {
    expect(taskTable([])).toHaveLength(2);
  });
});

describe("the trees", () => {
  test("one for each task that nobody waits for, with the coroutines between", () => {
    const trees = taskTrees(
      loopOf(
        task(1, "Task-1", "TaskGroup._aexit@taskgroups:124 main@example.mjs:12"),
        task(2, "Sundowning", "play@example.mjs:4 album@example.mjs:7", [1]),
        task(3, "TMBTE", "album@example.mjs:7", [1]),
        task(4, "alone", ""),
      ),
    );
    expect(trees.map((tree) => tree.join("\n"))).toEqual([
      `
└── (T) Task-1
    └──  main example.mjs:12
        └──  TaskGroup._aexit taskgroups:124
            ├── (T) Sundowning
            │   └──  album example.mjs:7
            │       └──  play example.mjs:4
            └── (T) TMBTE
                └──  album example.mjs:7`.trim(),
      "└── (T) alone",
    ]);
  });

  test("a task that two wait for is below both", () => {
    const trees = taskTrees(loopOf(task(1, "a", ""), task(2, "b", ""), task(3, "shared", "", [1, 2])));
    expect(trees).toEqual([
      ["└── (T) a", "    └── (T) shared"],
      ["└── (T) b", "    └── (T) shared"],
    ]);
  });

  test("what is waited for and is no task is there, too", () => {
    const trees = taskTrees(loopOf(task(1, "main", "main", [], "Lock.acquire() of <Lock [locked]>, held by Task 'b'")));
    expect(trees[0]!.at(-1)).toBe("        └── waits for Lock.acquire() of <Lock [locked]>, held by Task 'b'");
  });

  test("of no tasks there are none", () => {
    expect(taskTrees(loopOf())).toEqual([]);
  });

  test("of one task", () => {
    expect(taskTrees(loopOf(task(1, "main", "wait main")))).toEqual([
      ["└── (T) main", "    └──  main", "        └──  wait"],
    ]);
  });

  test("of a task without a name", () => {
    expect(taskTrees(loopOf(task(1, "", "")))).toEqual([["└── (T) "]]);
  });

  test("of a long chain of coroutines", () => {
    const frames = Array.from({ length: 50 }, (_, i) => `f${i}`);
    const [tree] = taskTrees(loopOf(task(1, "deep", frames.join(" "))));
    expect(tree).toHaveLength(51);
    expect(tree!.at(-1)).toBe(`${"    ".repeat(50)}└──  f0`);
  });

  test("of frames that are alike", () => {
    const trees = taskTrees(loopOf(task(1, "main", "again again"), task(2, "child", "again again", [1])));
    expect(trees[0]!.filter((line) => line.endsWith(" again"))).toHaveLength(4);
  });

  test("there is none of tasks that wait for each other; the circles are told", () => {
    const loops = loopOf(task(1, "a", "", [3]), task(2, "b", "", [1]), task(3, "c", "", [2]), task(4, "d", "", [4]));
    const cycles = (): unknown => {
      try {
        return taskTrees(loops);
      } catch (error) {
        return error instanceof CycleError ? error.cycles : error;
      }
    };
    expect(cycles()).toEqual([
      ["a", "b", "c", "a"],
      ["d", "d"],
    ]);
  });
});
