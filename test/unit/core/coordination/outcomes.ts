/** How an awaitable ended, as a value. */

import type * as asyncio from "asyncio-ts";

/** The result of `awaitable`, or what it threw. */
export async function outcomeOf(awaitable: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    return await awaitable;
  } catch (error) {
    return error;
  }
}
