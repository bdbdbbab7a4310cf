/** Executors of many machines: a queue in Redis, by BullMQ. @module */

export type { Codec } from "./codecs.ts";
export { cloneCodec, jsonCodec } from "./codecs.ts";
export type { QueueOptions } from "./connections.ts";
export type { BullExecutorOptions, BullExecutorStatistics } from "./executor.ts";
export { BullExecutor } from "./executor.ts";
export type { QueueHealth } from "./health.ts";
export { remoteTask } from "./remote-task.ts";
export type { ServeOptions, ServerStatistics } from "./server.ts";
export { serveTasks, TaskServer } from "./server.ts";
