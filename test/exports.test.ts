/** The public names: adding or losing one is a decision, and this is where it shows. */

import { readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";
import * as testing from "asyncio-ts/testing";
import { expect, test } from "vitest";
import * as core from "../src/core/index.ts";

const CORE = [
  "AsyncioError",
  "BaseEventLoop",
  "BaseExceptionGroup",
  "CancelledError",
  "Context",
  "ContextVar",
  "Coroutine",
  "DeadlockError",
  "ExceptionGroup",
  "Future",
  "Handle",
  "InvalidStateError",
  "KeyboardInterrupt",
  "Runner",
  "RuntimeError",
  "SystemExit",
  "Task",
  "TimeoutError",
  "TimerHandle",
  "Token",
  "WebHost",
  "allTasks",
  "copyContext",
  "coroutine",
  "createEagerTaskFactory",
  "createTask",
  "currentTask",
  "drawTasks",
  "eagerTaskFactory",
  "ensureFuture",
  "fromPromise",
  "gather",
  "getLogger",
  "getRunningLoop",
  "isCancelled",
  "isCoroutine",
  "isException",
  "isFuture",
  "newEventLoop",
  "rethrowIfCancelled",
  "run",
  "setLogger",
  "shield",
  "sleep",
];

test("the portable entry point exports these names", () => {
  expect(Object.keys(core).toSorted()).toEqual(CORE);
});

test("the entry point for Node exports them too, and NodeHost", () => {
  expect(Object.keys(asyncio).toSorted()).toEqual([...CORE, "NodeHost"].toSorted());
});

test("the testing entry point exports these names", () => {
  expect(Object.keys(testing).toSorted()).toEqual(["VirtualHost"]);
});

test("every exported name has a doc comment", () => {
  const undocumented = CORE.filter((name) => {
    const sources = ["async-functions", "base-events", "contextvars", "coroutines", "events", "exceptions", "futures"];
    const more = ["gather", "log", "promises", "runners", "shield", "sleep", "tasks", "task-tree", "web-host"];
    const text = [...sources, ...more]
      .map((file) => readFileSync(new URL(`../src/core/${file}.ts`, import.meta.url), "utf8"))
      .join("\n");
    const declaration = new RegExp(String.raw`\*/\nexport (abstract |async )?(class|function|const) ${name}\b`);
    return !declaration.test(text);
  });
  expect(undocumented).toEqual([]);
});
