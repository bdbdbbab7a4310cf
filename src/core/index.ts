/**
 * The portable half of asyncio-ts: whatever runs wherever JavaScript runs.
 *
 * # Layout
 *
 * Each room stands on those above it and on nothing else.
 *
 * - `base/`: words and data that know nothing of tasks. `exceptions`, `duration`, `deque`, `heap`, `log` and their like.
 * - `kernel/`: what a task is. `contract`: what it asks of a loop. `cancellation`: a request to cancel, from its making to
 *   its delivery. `futures`: results that will come. `driver`: the one place that steps a coroutine. `coroutines`,
 *   `async-functions`, `tasks`: work that is lazy, work in either syntax, work on its own. `events`: a loop, as programs
 *   see it.
 * - `coordination/`: several tasks at once. `sleep`, `gather`, `shield`, `wait`, `timeouts`, `taskgroups`; `locks/` and
 *   `queues`, on `wait-queue`.
 * - `loop/`: `scheduler` keeps the order and `host` the time; `base-events` is the loop, `runners` the beginning and the
 *   end of a program. `platform`: what the platform lends.
 * - `network/`: `contracts` of transports and protocols; `stream-transport`, asyncio's rules for a stream of bytes;
 *   `network-loop`, what a loop with a network offers; `streams/`: reading, writing and connecting.
 *
 * @module
 */

export type { AbortSignalLike, Signal } from "./base/abort.ts";
export type { AsCompleted } from "./coordination/as-completed.ts";
export { asCompleted } from "./coordination/as-completed.ts";
export type { ResultOf } from "./kernel/async-functions.ts";
export { coroutine } from "./kernel/async-functions.ts";
export type { EventLoopOptions } from "./loop/base-events.ts";
export { BaseEventLoop, newEventLoop } from "./loop/base-events.ts";
export type { CallGraphOptions, FrameCallGraphEntry, FutureCallGraph } from "./loop/call-graph.ts";
export { captureCallGraph, formatCallGraph, printCallGraph } from "./loop/call-graph.ts";
export type { Scheduler } from "./loop/scheduler.ts";
export type { Runnable, Timer } from "./kernel/contract.ts";
export { Context, ContextVar, copyContext, Token } from "./kernel/contextvars.ts";
export type { Body, CoroutineGenerator, CoroutineLike } from "./kernel/coroutines.ts";
export { Coroutine, isCoroutine } from "./kernel/coroutines.ts";
export type { Duration, DurationLike } from "./base/duration.ts";
export type {
  AbstractEventLoop,
  CallOptions,
  ExceptionContext,
  ExceptionHandler,
  LoopStatistics,
} from "./kernel/events.ts";
export type { Callback, Handle, TimerHandle } from "./kernel/handles.ts";
export { getRunningLoop } from "./kernel/events.ts";
export type { ErrorCondition } from "./base/exception-groups.ts";
export { isCancelled } from "./base/foreign-aborts.ts";
export { BaseExceptionGroup, ExceptionGroup, isException, rethrowIfCancelled } from "./base/exception-groups.ts";
export {
  AsyncioError,
  BrokenBarrierError,
  CancelledError,
  DeadlockError,
  InvalidStateError,
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
  RuntimeError,
  SystemExit,
  TimeoutError,
} from "./base/exceptions.ts";
export type { Awaitable, DoneCallback, Suspension } from "./kernel/futures.ts";
export { Future, isFuture } from "./kernel/futures.ts";
export type { GatherOptions, GatherOutcomes, GatherResults } from "./coordination/gather.ts";
export type { Closable, Handler, HandlerOptions, HandlerShutdownOptions } from "./coordination/handler.ts";
export { handler } from "./coordination/handler.ts";
export { gather } from "./coordination/gather.ts";
export type { Host, HostClient } from "./loop/host.ts";
export type { Instrument } from "./loop/instruments.ts";
export type { BarrierStatistics } from "./coordination/locks/barrier.ts";
export { Barrier } from "./coordination/locks/barrier.ts";
export type { ConditionStatistics } from "./coordination/locks/condition.ts";
export { Condition } from "./coordination/locks/condition.ts";
export type { EventStatistics } from "./coordination/locks/event.ts";
export { Event } from "./coordination/locks/event.ts";
export type { Hold } from "./coordination/locks/hold.ts";
export type { LockStatistics } from "./coordination/locks/lock.ts";
export { Lock } from "./coordination/locks/lock.ts";
export type { SemaphoreStatistics } from "./coordination/locks/semaphore.ts";
export { BoundedSemaphore, Semaphore } from "./coordination/locks/semaphore.ts";
export type { Logger } from "./base/log.ts";
export { getLogger, setLogger } from "./base/log.ts";
export type { FromPromiseOptions, Waitable } from "./kernel/promises.ts";
export { ensureFuture, fromPromise, wrapFuture } from "./kernel/promises.ts";
export type { PriorityQueueOptions } from "./coordination/priority-queue.ts";
export type { QueueStatistics, QueueStore } from "./coordination/queues.ts";
export { LifoQueue, Queue } from "./coordination/queues.ts";
export { PriorityQueue } from "./coordination/priority-queue.ts";
export type { CurrentJob } from "./loop/current-job.ts";
export { currentJob } from "./loop/current-job.ts";
export type {
  Executor,
  ExecutorOptions,
  ExecutorShutdownOptions,
  ExecutorStatistics,
  MapOptions,
  Results,
} from "./loop/executors.ts";
export { BaseExecutor, BrokenExecutorError } from "./loop/executors.ts";
export type { Job, JobOptions, TasksOf } from "./loop/jobs.ts";
export { defineTasks, NamedTask } from "./loop/jobs.ts";
export type { RunnerOptions } from "./loop/runners.ts";
export { run, Runner } from "./loop/runners.ts";
export { shield } from "./coordination/shield.ts";
export { sleep } from "./coordination/sleep.ts";
export type { RaceResult } from "./coordination/staggered.ts";
export { staggeredRace } from "./coordination/staggered.ts";
export type { TaskGroup, TaskGroupBody } from "./coordination/taskgroups.ts";
export { taskGroup } from "./coordination/taskgroups.ts";
export type { CreateTaskOptions, StackFrame } from "./kernel/tasks.ts";
export type { TaskFactory } from "./kernel/events.ts";
export { allTasks, createEagerTaskFactory, createTask, currentTask, eagerTaskFactory } from "./kernel/create-task.ts";
export { Task } from "./kernel/tasks.ts";
export { drawTasks } from "./kernel/task-tree.ts";
export type { Timeout, TimeoutBody } from "./coordination/timeouts.ts";
export { timeout, timeoutAt } from "./coordination/timeouts.ts";
export type { ReturnWhen, WaitOptions, WaitResult } from "./coordination/wait.ts";
export { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, wait } from "./coordination/wait.ts";
export { waitFor } from "./coordination/wait-for.ts";
export { WebHost } from "./loop/web-host.ts";
export type {
  ConnectionOptions,
  NetworkLoop,
  ServerOptions,
  UnixConnectionOptions,
  UnixServerOptions,
} from "./network/network-loop.ts";
export type { PeerTimeouts } from "./network/peer-timeouts.ts";
export type {
  BaseProtocol,
  BaseTransport,
  BufferedProtocol,
  Data,
  DatagramProtocol,
  DatagramTransport,
  Protocol,
  ReadTransport,
  SocketAddress,
  StartTlsOptions,
  StreamingProtocol,
  SubprocessProtocol,
  SubprocessTransport,
  TlsOptions,
  Transport,
  WriteBufferLimits,
  WriteTransport,
} from "./network/contracts.ts";
export type { ServerStatistics, ShutdownOptions } from "./network/server.ts";
export { Server } from "./network/server.ts";
export { openConnection, openUnixConnection, startServer, startUnixServer } from "./network/streams/connections.ts";
export type { ClientConnectedCallback } from "./network/streams/stream-protocol.ts";
export { StreamReaderProtocol } from "./network/streams/stream-protocol.ts";
export type { StreamReaderOptions } from "./network/streams/stream-reader.ts";
export { StreamReader } from "./network/streams/stream-reader.ts";
export type { Streams } from "./network/streams/streams-over.ts";
export { StreamWriter } from "./network/streams/stream-writer.ts";
export type {
  ReadableStreamLike,
  WebReadable,
  WebWritable,
  WritableStreamLike,
} from "./network/streams/web-streams.ts";
export { fromWebStreams, toReadableStream, toWritableStream } from "./network/streams/web-streams.ts";
