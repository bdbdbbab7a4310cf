/** What many programs need. @module */

/** Nanoseconds each of `count` took, since `start` of `performance.now()`. */
export function nanosecondsEach(start, count) {
  return ((performance.now() - start) * 1e6) / count;
}

/** `count` times the result of `make`. */
export function times(count, make) {
  return Array.from({ length: count }, () => make());
}
