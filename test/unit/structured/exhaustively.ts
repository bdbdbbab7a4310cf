/** A body under every order within two delays, with a cancellation at every wait. */

import { explore } from "asyncio-ts/testing";
import { expect } from "vitest";

/** Searches to the end, and finds nothing. */
export async function holdsExhaustively(body: () => Promise<void>): Promise<void> {
  const options = { order: "any", policy: "delays", bound: 2, cancels: 1, runs: 100_000 } as const;
  const { failure, exhausted } = await explore(body, options);
  expect(failure === null ? null : String(failure)).toBeNull();
  expect(exhausted).toBe(true);
}
