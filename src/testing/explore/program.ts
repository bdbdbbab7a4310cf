/** What the program itself may ask for in a search; outside of one, each does what it does in production. @module */

import { runningCourse } from "./course.ts";

/**
 * A random number from 0 up to 1, without 1: in `explore` one that belongs to the schedule, elsewhere `Math.random()`.
 *
 * ```ts
 * const { failure } = await explore(async () => {
 *   await asyncio.sleep(random());
 * });
 * assert.equal(failure, null);
 * ```
 */
export function random(): number {
  return runningCourse()?.random.next() ?? Math.random();
}

/** The time in seconds since 1970: in `explore` on the program's own clock, which begins at 0; elsewhere the real one. */
export function now(): number {
  return runningCourse()?.now ?? Date.now() / 1000;
}

/**
 * A place where something may go wrong that rarely does: a disk that is full, a reply that comes twice. `true` when it is to
 * go wrong now, which only `explore` ever says.
 *
 * ```ts
 * const save = async () => {
 *   if (faultPoint("disk full")) throw new Error("no space left");
 *   await asyncio.sleep(0.01);
 * };
 * const { failure } = await explore(save, { runs: 100 });
 * assert.match(String(failure?.error), /no space left/);
 * await asyncio.run(save); // never here
 * ```
 */
export function faultPoint(name: string): boolean {
  return runningCourse()?.hasFault(name) ?? false;
}
