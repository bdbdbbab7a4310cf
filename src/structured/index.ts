/** Structured concurrency beyond asyncio: channels, limits, and the daily tools. @module */

export {
  BrokenChannelError,
  CircuitOpenError,
  ClosedChannelError,
  EndOfChannelError,
  WouldBlockError,
} from "./base/errors.ts";
export type { Items } from "./base/sources.ts";
export { asSafeChannel } from "./channels/as-safe-channel.ts";
export type { ChannelOperation, ChannelStatistics } from "./channels/channel.ts";
export { ChannelReceiver, ChannelSender, openChannel } from "./channels/channel.ts";
export type { Selected } from "./channels/select.ts";
export { select } from "./channels/select.ts";
export type { CapacityStatistics } from "./limits/capacity-limiter.ts";
export { CapacityLimiter } from "./limits/capacity-limiter.ts";
export type { CircuitOptions } from "./limits/circuit-breaker.ts";
export { CircuitBreaker } from "./limits/circuit-breaker.ts";
export type { PoolOptions, PoolStatistics } from "./limits/pool.ts";
export { Pool } from "./limits/pool.ts";
export type { RateOptions } from "./limits/rate-limiter.ts";
export { RateLimiter } from "./limits/rate-limiter.ts";
export type { CancelScopeOptions, Moved, ScopeFunction } from "./scopes/cancel-scope.ts";
export {
  CancelScope,
  currentEffectiveDeadline,
  failAfter,
  failAt,
  moveOnAfter,
  moveOnAt,
  shielded,
} from "./scopes/cancel-scope.ts";
export type { ConcurrentOptions, ItemBody } from "./work/map-concurrent.ts";
export { forEachConcurrent, mapConcurrent, streamConcurrent } from "./work/map-concurrent.ts";
export { race } from "./work/race.ts";
export type { RetryOptions } from "./work/retry.ts";
export { retry } from "./work/retry.ts";
export type { Health, Service, ServiceState } from "./work/services.ts";
export { Services } from "./work/services.ts";
export type { Started } from "./work/start.ts";
export { start } from "./work/start.ts";
