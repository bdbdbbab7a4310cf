/** Tools for tests: time that jumps, and connections in memory. @module */

export type { MemoryOptions } from "./memory-transport.ts";
export { MemoryChannel, memoryChannels, memoryStreams } from "./memory-transport.ts";
export { VirtualHost } from "./virtual-host.ts";
