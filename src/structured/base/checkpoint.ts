/** What each tool that waits begins with: inside of a cancelled scope, it does nothing. @module */

import { sleep } from "../../core/coordination/sleep.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { currentLevel } from "../../core/kernel/levels.ts";

/** @throws {CancelledError} a turn later, inside of a cancelled scope, also where there would be nothing to wait for. */
export function* checkpoint(): CoroutineGenerator<void> {
  if ((currentLevel()?._request ?? null) !== null) yield* sleep(0);
}
