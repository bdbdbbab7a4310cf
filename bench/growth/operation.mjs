/**
 * What an operation is, and the list of them. An operation does one thing to `n` tasks, waiters or items, and the
 * question is how its time grows with `n`.
 *
 * @module
 */

import { removeCallbacks } from "./operations/callbacks.mjs";
import { cancelledWaiters } from "./operations/cancelled-waiters.mjs";
import { chains } from "./operations/chains.mjs";
import { setContext } from "./operations/context.mjs";
import { deadlocks } from "./operations/deadlocks.mjs";
import { nestDeadlines } from "./operations/nested-deadlines.mjs";
import { fillQueue } from "./operations/queue.mjs";

/**
 * The operation in one syntax. It times itself, so that what has to be built for it is left out, and throws if what it
 * did is not what it was to do.
 *
 * @callback OperationProgram
 * @param {number} n
 * @param {any} asyncio
 * @returns {Promise<number>} milliseconds of the processor.
 */

/**
 * @typedef {object} Operation
 * @property {string} name begins with `growth-`.
 * @property {Readonly<Record<string, OperationProgram>>} programs by subject, one for each syntax that matters.
 * @property {boolean} inPython whether CPython has it: a function of the name in `python/operations.py`.
 */

/** @type {readonly Operation[]} */
export const operations = [
  ...cancelledWaiters,
  removeCallbacks,
  ...chains,
  ...deadlocks,
  setContext,
  nestDeadlines,
  fillQueue,
];

/**
 * The operation of that name, or else those whose names begin with it: `growth` is all of them.
 *
 * @param {string} name
 * @returns {readonly Operation[]}
 */
export function findOperations(name) {
  const exact = operations.filter((operation) => operation.name === name);
  return exact.length > 0 ? exact : operations.filter((operation) => operation.name.startsWith(`${name}-`));
}
