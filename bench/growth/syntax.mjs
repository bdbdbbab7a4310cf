/** What an operation needs of the two syntaxes, so that it is written once. @module */

import { ASYNC, GENERATORS } from "../subjects.mjs";

/** `awaiting(make)` is a coroutine function, in one syntax, that waits for what `make` returns. */
const syntaxes = {
  [GENERATORS]: (make) =>
    function* () {
      return yield* make();
    },
  [ASYNC]: (make) => async () => await make(),
};

/**
 * The programs of an operation whose tasks are written in either syntax.
 *
 * @param {(n: number, asyncio: any, awaiting: any) => Promise<number>} program
 */
export function inBothSyntaxes(program) {
  return Object.fromEntries(
    Object.entries(syntaxes).map(([subject, awaiting]) => [subject, (n, asyncio) => program(n, asyncio, awaiting)]),
  );
}

/**
 * Lets tasks that were just made run to their first wait.
 *
 * @param {any} asyncio
 */
export function* letThemStart(asyncio) {
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
}

/**
 * Throws unless all of `tasks` have been cancelled: what overflowed half-way is not to be taken for fast.
 *
 * @param {readonly any[]} tasks
 */
export function mustBeCancelled(tasks) {
  const left = tasks.filter((task) => !task.cancelled()).length;
  if (left > 0) throw new Error(`${left} of ${tasks.length} tasks have not been cancelled`);
}
