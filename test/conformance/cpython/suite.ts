/**
 * What the tests after CPython's suite share: a program on the virtual clock, with tasks that start in the next turn or
 * eagerly, and a record of what happened when.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import type { World } from "../../unit/virtual.ts";
import { run } from "../../unit/virtual.ts";

type Main = (world: World) => Promise<unknown> | asyncio.CoroutineGenerator<unknown>;

/** Runs `main` on the virtual clock, with eager tasks if asked; what came to the exception handler. */
export async function play(
  main: Main,
  options: { readonly eager?: boolean } = {},
): Promise<asyncio.ExceptionContext[]> {
  return await run((world) => {
    if (options.eager === true) world.loop.setTaskFactory(asyncio.eagerTaskFactory);
    return main(world);
  });
}

/** Sleeps, then throws `error`. */
export function* failAfter(delay: number, error: unknown): asyncio.CoroutineGenerator<never> {
  yield* asyncio.sleep(delay);
  throw error;
}

/** What `awaitable` raises; an error if it raises nothing. */
export function* raisedBy(awaitable: asyncio.Awaitable<unknown>): asyncio.CoroutineGenerator<unknown> {
  try {
    yield* awaitable as asyncio.Awaitable<unknown> & asyncio.CoroutineGenerator<unknown>;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was raised");
}

/** The classes of the errors in a group, its nesting kept. */
export function kinds(error: unknown): unknown {
  if (!(error instanceof asyncio.BaseExceptionGroup)) return (error as Error).constructor.name;
  return error.exceptions.map((part) => kinds(part));
}

/** Lets everything go on that can go on without time. */
export function* settle(): asyncio.CoroutineGenerator<void> {
  for (let i = 0; i < 10; i++) yield* asyncio.sleep(0);
}
