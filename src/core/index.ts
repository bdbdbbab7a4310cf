/**
 * The portable half of asyncio-ts: whatever runs wherever JavaScript runs.
 *
 * # Layout
 *
 * Each file stands on those above it and on nothing else.
 *
 * - `exceptions`, `constants`, `duration`, `format`, `stack`, `log`, `deque`, `heap`, `abort`: words and data.
 * - `host`, `web-host`, `platform`: what a platform lends the loop.
 * - `running`, `contextvars`: who runs now, and the values that belong to it.
 * - `events`: the contract of a loop, and its handles. `scheduler`: the order. `neglect`, `instruments`: what is told.
 * - `futures`, `waits`: results that will come, and those who wait. `driver`: the one place that steps a coroutine.
 * - `coroutines`, `async-functions`, `tasks`: work that is lazy, work in either syntax, work on its own.
 * - `sleep`, `promises`, `gather`, `shield`: waiting. `task-tree`: who waits for whom.
 * - `base-events`: the loop. `runners`: the beginning and the end of a program.
 *
 * @module
 */

export type { AbortSignalLike, Signal } from "./abort.ts";
export type { ResultOf } from "./async-functions.ts";
export { coroutine } from "./async-functions.ts";
export { BaseEventLoop, newEventLoop } from "./base-events.ts";
export { Context, ContextVar, copyContext, Token } from "./contextvars.ts";
export type { Body, CoroutineGenerator, CoroutineLike } from "./coroutines.ts";
export { Coroutine, isCoroutine } from "./coroutines.ts";
export type { Duration, DurationLike } from "./duration.ts";
export type {
  AbstractEventLoop,
  Callback,
  CallOptions,
  ExceptionContext,
  ExceptionHandler,
  LoopStatistics,
} from "./events.ts";
export { getRunningLoop, Handle, TimerHandle } from "./events.ts";
export type { ErrorCondition } from "./exceptions.ts";
export {
  AsyncioError,
  BaseExceptionGroup,
  CancelledError,
  DeadlockError,
  ExceptionGroup,
  InvalidStateError,
  isCancelled,
  isException,
  KeyboardInterrupt,
  rethrowIfCancelled,
  RuntimeError,
  SystemExit,
  TimeoutError,
} from "./exceptions.ts";
export type { Awaitable, DoneCallback, Suspension } from "./futures.ts";
export { Future, isFuture } from "./futures.ts";
export type { GatherOptions, GatherOutcomes, GatherResults } from "./gather.ts";
export { gather } from "./gather.ts";
export type { Host, HostClient } from "./host.ts";
export type { Instrument } from "./instruments.ts";
export type { Logger } from "./log.ts";
export { getLogger, setLogger } from "./log.ts";
export type { Waitable } from "./promises.ts";
export { ensureFuture, fromPromise } from "./promises.ts";
export type { RunnerOptions } from "./runners.ts";
export { run, Runner } from "./runners.ts";
export { shield } from "./shield.ts";
export { sleep } from "./sleep.ts";
export type { CreateTaskOptions, StackFrame, TaskFactory } from "./tasks.ts";
export { allTasks, createEagerTaskFactory, createTask, currentTask, eagerTaskFactory, Task } from "./tasks.ts";
export { drawTasks } from "./task-tree.ts";
export { WebHost } from "./web-host.ts";
