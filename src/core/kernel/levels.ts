/** Levels: who joins the one that its maker is inside of, and what must come to its end in spite of one. @module */

import { levelOf, putInLevel } from "./cancellation.ts";
import type { Level } from "./contract.ts";
import { currentDriver } from "./driver.ts";
import type { Suspension } from "./futures.ts";
import { currentExecution } from "./running.ts";

/** The innermost level that the present code is inside of. */
export function currentLevel(): Level | null {
  return levelOf(currentExecution()?.driver);
}

/** Waits for `cleanup` to its end: no level cancels what it waits for. A request that is made meanwhile does, once. */
export function* pastLevels<T>(cleanup: {
  [Symbol.iterator](): Iterator<Suspension, T, unknown>;
}): Generator<Suspension, T, unknown> {
  const driver = currentDriver("Cleaning up runs inside of a task");
  const level = levelOf(driver);
  putInLevel(driver, null);
  try {
    return yield* cleanup;
  } finally {
    putInLevel(driver, level);
  }
}
