/** Tasks whose functions are nowhere in this program. @module */

import type { ResultOf } from "../core/kernel/async-functions.ts";
import { RuntimeError } from "../core/base/exceptions.ts";
import { NamedTask } from "../core/loop/jobs.ts";

/**
 * A task of which only the name and the type are known here: for workers in other programs, or in other languages.
 *
 * ```ts no-run
 * const resize = remoteTask<(path: string, width: number) => string>("resize");
 * const thumbnail = await executor.submit(resize, "cat.png", 64);
 * ```
 */
export function remoteTask<F extends (...args: never[]) => unknown>(
  name: string,
): NamedTask<Parameters<F>, ResultOf<ReturnType<F>>> {
  return new NamedTask("elsewhere", name, () => {
    throw new RuntimeError(
      `${name} is a remoteTask: its function is not here, and a BullExecutor sends it to a worker`,
    );
  });
}
