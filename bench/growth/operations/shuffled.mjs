/** An order that is no order, and the same each time. @module */

/**
 * A copy of `items`, shuffled.
 *
 * @param {readonly any[]} items
 */
export function shuffled(items) {
  const result = [...items];
  let state = 1;
  for (let i = result.length - 1; i > 0; i--) {
    // A linear congruential generator, with the numbers of Numerical Recipes.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (i + 1));
    [result[i], result[other]] = [result[other], result[i]];
  }
  return result;
}
