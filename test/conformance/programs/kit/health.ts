/** Whether a program has left its loop as it should be: with nothing in it. @module */

import * as asyncio from "asyncio-ts";
import type { World } from "./world.ts";

/** A task may catch its cancellation and go on waiting, but only as often as its program says so. */
const ROUNDS = 30;
/** Virtual seconds, more than any program sleeps. */
const PAUSE = 100;

/** Something is left in the loop, or the library itself has failed. */
export class Unhealthy extends Error {
  override readonly name: string = "Unhealthy";
}

/**
 * Cancels whatever still waits, as often as it takes.
 *
 * @throws {Unhealthy} if a task cannot be ended, if the loop's books are wrong, or if there was an error of the library's.
 */
export async function checkHealth(world: World): Promise<void> {
  const { loop } = world;
  for (let round = 0; round < ROUNDS && asyncio.allTasks(loop).size > 0; round++) {
    for (const task of asyncio.allTasks(loop)) task.cancel();
    await loop.runUntilComplete(asyncio.sleep(PAUSE));
  }
  const fault = world.faults.at(0);
  if (fault !== undefined) throw new Unhealthy(`an error of the library's own: ${fault.stack ?? fault.message}`);
  const left = [...asyncio.allTasks(loop)].map((task) => task.getName());
  if (left.length > 0) throw new Unhealthy(`cancelled ${ROUNDS} times, and not ended: ${left.join(", ")}`);
  const pending = world.pending.map((task) => task.getName());
  if (pending.length > 0) throw new Unhealthy(`not done, and yet not in allTasks(): ${pending.join(", ")}`);
  const { tasks } = loop.statistics();
  if (tasks !== 0) throw new Unhealthy(`statistics().tasks is ${tasks} when all tasks are done`);
}
