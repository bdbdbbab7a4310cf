/** How a time grows with the size: the exponent of the power that fits it best. @module */

/** The fit is over so many of the largest sizes: below them the fixed costs show. */
const FITTED_SIZES = 3;
/** What is faster than that is the clock and the caches. */
const LEAST_MILLISECONDS = 0.1;

/**
 * The least squares of the logarithms: 1 is linear, 2 quadratic, 0 constant. `null` of fewer than two sizes.
 *
 * @param {readonly { readonly n: number, readonly milliseconds: number }[]} points by size, the smallest first.
 * @returns {number | null}
 */
export function fitExponent(points) {
  if (points.length < 2) return null;
  const logarithms = points.slice(-FITTED_SIZES).map(({ n, milliseconds }) => ({
    x: Math.log(n),
    y: Math.log(Math.max(milliseconds, LEAST_MILLISECONDS)),
  }));
  const meanX = mean(logarithms.map(({ x }) => x));
  const meanY = mean(logarithms.map(({ y }) => y));
  const covariance = mean(logarithms.map(({ x, y }) => (x - meanX) * (y - meanY)));
  const variance = mean(logarithms.map(({ x }) => (x - meanX) ** 2));
  return covariance / variance;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
