/** Tools for tests: time that jumps, a search through schedules, and connections in memory. @module */

export type { ExploreBody, Exploring } from "./explore/course.ts";
export {
  EndlessError,
  InvariantError,
  NondeterminismError,
  ReportedError,
  UncontrolledError,
} from "./explore/errors.ts";
export type { Exploration, ExploreOptions, Policy, ScheduleFailure } from "./explore/explore.ts";
export { explore, replay } from "./explore/explore.ts";
export { faultPoint, now, random } from "./explore/program.ts";
export type { Order } from "./explore/token.ts";
export type { MemoryOptions } from "./memory-transport.ts";
export { MemoryChannel, memoryChannels, memoryStreams } from "./memory-transport.ts";
export { VirtualHost } from "./time/virtual-host.ts";
