/**
 * `say` is the `console.log` of the tour's programs: what they print reaches the view that shows them.
 *
 * A context variable carries the way there, so that a program need not pass it around: every task inherits it.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";

/** @type {asyncio.ContextVar<(text: string) => void>} */
const voice = new asyncio.ContextVar("voice");

/** Prints a line from inside of a program. @param {string} text */
export function say(text) {
  voice.get()(text);
}

/**
 * Runs `main` in a context where {@link say} calls `listener`.
 *
 * @template T
 * @param {(text: string) => void} listener
 * @param {() => Promise<T>} main
 * @returns {Promise<T>}
 */
export async function withVoice(listener, main) {
  voice.set(listener);
  return await main();
}
