/** What the tools of structured concurrency raise, besides the errors of the work that is given to them. @module */

import { AsyncioError, brand } from "../../core/base/exceptions.ts";

/** Nobody is left at the other end of a channel: what is sent could not arrive. trio: `BrokenResourceError`. */
export class BrokenChannelError extends AsyncioError {
  readonly code: string = "ASYNCIO_BROKEN_CHANNEL";
}

/** This end of a channel was closed, by its own program. trio: `ClosedResourceError`. */
export class ClosedChannelError extends AsyncioError {
  readonly code: string = "ASYNCIO_CLOSED_CHANNEL";
}

/** A {@link CircuitBreaker} lets no call through for now. */
export class CircuitOpenError extends AsyncioError {
  readonly code: string = "ASYNCIO_CIRCUIT_OPEN";
}

/** Every sender has closed its end, and all that was sent has been received. trio: `EndOfChannel`. */
export class EndOfChannelError extends AsyncioError {
  readonly code: string = "ASYNCIO_END_OF_CHANNEL";
}

/** It would have to wait, and was asked not to. trio: `WouldBlock`. */
export class WouldBlockError extends AsyncioError {
  readonly code: string = "ASYNCIO_WOULD_BLOCK";
}

for (const [name, type] of Object.entries({
  BrokenChannelError,
  CircuitOpenError,
  ClosedChannelError,
  EndOfChannelError,
  WouldBlockError,
})) {
  brand(name, type);
}
