/** Which handler of a `try` op takes an error. @module */

import { BaseExceptionGroup, CancelledError, TimeoutError } from "asyncio-ts";
import type { Block, Handlers } from "./program.ts";
import { Return, UserError } from "./show.ts";

/** What is done about an error, and whether it is raised again after that. */
export interface Handler {
  readonly block: Block;
  readonly reraises: boolean;
}

/** The handler of `error`. Where there is none, `error` is thrown again. */
export function handlerOf(error: unknown, handlers: Handlers): Handler {
  const block = blockFor(error, handlers);
  if (block === undefined) throw error;
  const reraises = block.at(-1)?.[0] === "reraise";
  return { block: reraises ? block.slice(0, -1) : block, reraises };
}

function blockFor(error: unknown, handlers: Handlers): Block | undefined {
  if (error instanceof Return) return undefined;
  if (error instanceof CancelledError) return handlers.cancelled;
  if (error instanceof TimeoutError) return handlers.timeout ?? handlers.any;
  if (error instanceof UserError) return handlers.user ?? handlers.any;
  if (error instanceof BaseExceptionGroup) return handlers.group ?? handlers.any;
  return handlers.any;
}
