/** The public names: adding or losing one is a decision, and this is where it shows. */

import { readdirSync, readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";
import * as bullmq from "asyncio-ts/bullmq";
import * as structured from "asyncio-ts/structured";
import * as testing from "asyncio-ts/testing";
import { expect, test } from "vitest";
import * as core from "../../src/core/index.ts";

const CORE = [
  "ALL_COMPLETED",
  "AsyncioError",
  "Barrier",
  "BaseEventLoop",
  "BaseExceptionGroup",
  "BaseExecutor",
  "BoundedSemaphore",
  "BrokenBarrierError",
  "BrokenExecutorError",
  "CancelledError",
  "Condition",
  "ConnectionAbortedError",
  "ConnectionResetError",
  "Context",
  "ContextVar",
  "Coroutine",
  "DeadlockError",
  "Event",
  "ExceptionGroup",
  "FIRST_COMPLETED",
  "FIRST_EXCEPTION",
  "Future",
  "IncompleteReadError",
  "InvalidStateError",
  "KeyboardInterrupt",
  "LifoQueue",
  "LimitOverrunError",
  "Lock",
  "NamedTask",
  "PriorityQueue",
  "ProcessLookupError",
  "Queue",
  "QueueEmpty",
  "QueueFull",
  "QueueShutDown",
  "Runner",
  "RuntimeError",
  "Semaphore",
  "SendfileNotAvailableError",
  "Server",
  "StreamReader",
  "StreamReaderProtocol",
  "StreamWriter",
  "SystemExit",
  "Task",
  "TimeoutError",
  "Token",
  "WebHost",
  "allTasks",
  "asCompleted",
  "captureCallGraph",
  "copyContext",
  "coroutine",
  "createEagerTaskFactory",
  "createTask",
  "currentJob",
  "currentTask",
  "defineTasks",
  "drawTasks",
  "eagerTaskFactory",
  "ensureFuture",
  "formatCallGraph",
  "fromPromise",
  "fromWebStreams",
  "gather",
  "getLogger",
  "getRunningLoop",
  "handler",
  "isCancelled",
  "isCoroutine",
  "isException",
  "isFuture",
  "newEventLoop",
  "openConnection",
  "openUnixConnection",
  "printCallGraph",
  "rethrowIfCancelled",
  "run",
  "setLogger",
  "shield",
  "sleep",
  "staggeredRace",
  "startServer",
  "startUnixServer",
  "taskGroup",
  "timeout",
  "timeoutAt",
  "toReadableStream",
  "toWritableStream",
  "wait",
  "waitFor",
  "wrapFuture",
];

/** What Node.js adds. */
const NODE = [
  "DEVNULL",
  "EventLoop",
  "NodeHost",
  "PIPE",
  "Process",
  "ProcessPoolExecutor",
  "STDOUT",
  "ThreadPoolExecutor",
  "createSubprocessExec",
  "createSubprocessShell",
  "fromNodeStream",
  "toNodeStream",
  "toThread",
];

test("the portable entry point exports these names", () => {
  expect(Object.keys(core).toSorted()).toEqual(CORE);
});

test("the entry point for Node exports them too, and its own", () => {
  expect(Object.keys(asyncio).toSorted()).toEqual([...CORE, ...NODE].toSorted());
});

test("the entry point for structured concurrency exports these names", () => {
  expect(Object.keys(structured).toSorted()).toEqual([
    "BrokenChannelError",
    "CancelScope",
    "CapacityLimiter",
    "ChannelReceiver",
    "ChannelSender",
    "CircuitBreaker",
    "CircuitOpenError",
    "ClosedChannelError",
    "EndOfChannelError",
    "Pool",
    "RateLimiter",
    "Services",
    "WouldBlockError",
    "asSafeChannel",
    "currentEffectiveDeadline",
    "failAfter",
    "failAt",
    "forEachConcurrent",
    "mapConcurrent",
    "moveOnAfter",
    "moveOnAt",
    "openChannel",
    "race",
    "retry",
    "select",
    "shielded",
    "start",
    "streamConcurrent",
  ]);
});

test("the testing entry point exports these names", () => {
  expect(Object.keys(testing).toSorted()).toEqual([
    "EndlessError",
    "InMemoryExecutor",
    "InvariantError",
    "LeftoverError",
    "MemoryChannel",
    "NondeterminismError",
    "ReportedError",
    "Sequencer",
    "SimulatedHost",
    "SimulatedLoop",
    "SimulatedNetwork",
    "UncontrolledError",
    "VirtualHost",
    "assertNoSwitch",
    "assertSwitches",
    "asyncTest",
    "explore",
    "faultPoint",
    "memoryChannels",
    "memoryStreams",
    "now",
    "random",
    "replay",
    "waitAllTasksBlocked",
  ]);
});

test("the entry point for a queue of machines exports these names", () => {
  expect(Object.keys(bullmq).toSorted()).toEqual([
    "BullExecutor",
    "TaskServer",
    "cloneCodec",
    "jsonCodec",
    "remoteTask",
    "serveTasks",
  ]);
});

test("every exported name has a doc comment", () => {
  const folder = new URL("../../src/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const text = files.map((file) => readFileSync(new URL(file, folder), "utf8")).join("\n");
  const undocumented = [...CORE, ...NODE].filter((name) => {
    const declaration = new RegExp(String.raw`\*/\nexport (abstract |async )?(class|function|const) ${name}\b`);
    return !declaration.test(text);
  });
  expect(undocumented).toEqual([]);
});
