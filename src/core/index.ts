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
 * - `waiters`: the line under every lock and queue. `locks/`, `queues`: synchronisation.
 * - `timeouts`, `wait-for`, `wait`, `as-completed`, `taskgroups`, `staggered`: deadlines and several things at once.
 * - `protocols`, `transports`, `channels`, `bytes`: the contracts of the network. `flow-control`, `inbox`, `peer-timeouts`,
 *   `stream-transport`: asyncio's rules for a stream of bytes. `streams/`: reading and writing. `server`: connections.
 * - `base-events`: the loop. `runners`: the beginning and the end of a program.
 *
 * @module
 */

export type { AbortSignalLike, Signal } from "./abort.ts";
export type { AsCompleted } from "./as-completed.ts";
export { asCompleted } from "./as-completed.ts";
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
  Handle,
  LoopStatistics,
  TimerHandle,
} from "./events.ts";
export { getRunningLoop } from "./events.ts";
export type { ErrorCondition } from "./exceptions.ts";
export {
  AsyncioError,
  BaseExceptionGroup,
  BrokenBarrierError,
  CancelledError,
  DeadlockError,
  ExceptionGroup,
  InvalidStateError,
  isCancelled,
  isException,
  KeyboardInterrupt,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  ConnectionAbortedError,
  ConnectionResetError,
  IncompleteReadError,
  LimitOverrunError,
  ProcessLookupError,
  SendfileNotAvailableError,
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
export type { BarrierStatistics } from "./locks/barrier.ts";
export { Barrier } from "./locks/barrier.ts";
export type { ConditionStatistics } from "./locks/condition.ts";
export { Condition } from "./locks/condition.ts";
export type { EventStatistics } from "./locks/event.ts";
export { Event } from "./locks/event.ts";
export type { Hold } from "./locks/hold.ts";
export type { LockStatistics } from "./locks/lock.ts";
export { Lock } from "./locks/lock.ts";
export type { SemaphoreStatistics } from "./locks/semaphore.ts";
export { BoundedSemaphore, Semaphore } from "./locks/semaphore.ts";
export type { Logger } from "./log.ts";
export { getLogger, setLogger } from "./log.ts";
export type { Waitable } from "./promises.ts";
export { ensureFuture, fromPromise } from "./promises.ts";
export type { PriorityQueueOptions, QueueStatistics, QueueStore } from "./queues.ts";
export { LifoQueue, PriorityQueue, Queue } from "./queues.ts";
export type { RunnerOptions } from "./runners.ts";
export { run, Runner } from "./runners.ts";
export { shield } from "./shield.ts";
export { sleep } from "./sleep.ts";
export type { RaceResult } from "./staggered.ts";
export { staggeredRace } from "./staggered.ts";
export type { TaskGroup, TaskGroupBody } from "./taskgroups.ts";
export { taskGroup } from "./taskgroups.ts";
export type { CreateTaskOptions, StackFrame, TaskFactory } from "./tasks.ts";
export { allTasks, createEagerTaskFactory, createTask, currentTask, eagerTaskFactory, Task } from "./tasks.ts";
export { drawTasks } from "./task-tree.ts";
export type { Timeout, TimeoutBody } from "./timeouts.ts";
export { timeout, timeoutAt } from "./timeouts.ts";
export type { ReturnWhen, WaitOptions, WaitResult } from "./wait.ts";
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from "./wait.ts";
export { waitFor } from "./wait-for.ts";
export { WebHost } from "./web-host.ts";
export type { PeerTimeouts } from "./peer-timeouts.ts";
export type {
  BaseProtocol,
  BufferedProtocol,
  DatagramProtocol,
  Protocol,
  StreamingProtocol,
  SubprocessProtocol,
} from "./protocols.ts";
export type { ServerStatistics, ShutdownOptions } from "./server.ts";
export { Server } from "./server.ts";
export type { ClientConnectedCallback } from "./streams/stream-protocol.ts";
export { StreamReaderProtocol } from "./streams/stream-protocol.ts";
export type { StreamReaderOptions } from "./streams/stream-reader.ts";
export { StreamReader } from "./streams/stream-reader.ts";
export type { Streams } from "./streams/streams-over.ts";
export { StreamWriter } from "./streams/stream-writer.ts";
export type { ReadableStreamLike, WebReadable, WebWritable, WritableStreamLike } from "./streams/web-streams.ts";
export { fromWebStreams, toReadableStream, toWritableStream } from "./streams/web-streams.ts";
export type {
  BaseTransport,
  Data,
  DatagramTransport,
  ReadTransport,
  SocketAddress,
  StartTlsOptions,
  SubprocessTransport,
  TlsOptions,
  Transport,
  WriteBufferLimits,
  WriteTransport,
} from "./transports.ts";
