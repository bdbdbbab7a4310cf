/** Tools for tests: time that jumps, tests that end clean, a search through schedules, and connections in memory. @module */

export type { ExploreBody, Exploring } from "./explore/course.ts";
export {
  EndlessError,
  InvariantError,
  LeftoverError,
  NondeterminismError,
  ReportedError,
  UncontrolledError,
} from "./base/errors.ts";
export type { Exploration, ExploreOptions, Policy, ScheduleFailure } from "./explore/explore.ts";
export { explore, replay } from "./explore/explore.ts";
export { faultPoint, now, random } from "./explore/program.ts";
export type { Order } from "./explore/token.ts";
export type { ClockOptions } from "./network/host-clock.ts";
export type { LinkOptions } from "./network/link.ts";
export type { MemoryOptions } from "./network/memory-transport.ts";
export { MemoryChannel, memoryChannels, memoryStreams } from "./network/memory-transport.ts";
export type { HostOptions } from "./network/simulated-host.ts";
export { SimulatedHost } from "./network/simulated-host.ts";
export type { SimulatedDatagramOptions } from "./network/simulated-loop.ts";
export { SimulatedLoop } from "./network/simulated-loop.ts";
export type { HostName, NetworkOptions } from "./network/simulated-network.ts";
export { SimulatedNetwork } from "./network/simulated-network.ts";
export type { AsyncTestOptions } from "./tasks/async-test.ts";
export { asyncTest } from "./tasks/async-test.ts";
export type { InMemoryExecutorOptions } from "./tasks/in-memory-executor.ts";
export { InMemoryExecutor } from "./tasks/in-memory-executor.ts";
export { Sequencer } from "./tasks/sequencer.ts";
export { assertNoSwitch, assertSwitches } from "./tasks/switches.ts";
export { waitAllTasksBlocked } from "./tasks/wait-all-tasks-blocked.ts";
export type { VirtualHostOptions } from "./time/virtual-host.ts";
export { VirtualHost } from "./time/virtual-host.ts";
