/** A program on a virtual clock, and what its loop had to report. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";

export interface World {
  readonly loop: asyncio.BaseEventLoop;
  /** What came to the loop's exception handler. */
  readonly reports: asyncio.ExceptionContext[];
}

/** Runs `main` as `asyncio.run` does, in virtual time; the reports of the whole life of the loop. */
export async function run(
  main: (world: World) => Promise<unknown> | asyncio.CoroutineGenerator<unknown>,
  options: { readonly debug?: boolean } = {},
): Promise<asyncio.ExceptionContext[]> {
  const loop = new asyncio.BaseEventLoop(new VirtualHost());
  const reports: asyncio.ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await asyncio.run(() => main({ loop, reports }) as Promise<unknown>, { loopFactory: () => loop, ...options });
  return reports;
}
