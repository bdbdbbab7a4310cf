/** A planted bug: a small program that fails under some schedules, and the same program mended. */

import type { ExploreBody, Order } from "asyncio-ts/testing";

export interface Bug {
  readonly name: string;
  /** Where it comes from: an issue of a real library, or a pattern. */
  readonly source: string;
  readonly order: Order;
  /** The program; `isMended` says whether with or without the bug. */
  readonly program: (isMended: boolean) => ExploreBody;
  /** How many tasks a search may cancel. */
  readonly cancels?: number;
  /** Of the mended program: the bound within which a search by delays is exhausted in a moment. */
  readonly bound: number;
}
