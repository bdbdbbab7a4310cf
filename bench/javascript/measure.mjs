/** What many programs need. @module */

/**
 * The clock of the programs, in milliseconds: the time that has passed, or the processor's time that this process has
 * used where `BENCH_CLOCK` is "cpu". The latter hardly notices what else the machine does.
 */
export const now = process.env.BENCH_CLOCK === "cpu" ? cpuMilliseconds : () => performance.now();

/** The processor's time that this process has used, in milliseconds. */
export function cpuMilliseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds each of `count` took, since `start` of {@link now}. */
export function nanosecondsEach(start, count) {
  return ((now() - start) * 1e6) / count;
}

/** `count` times the result of `make`. */
export function times(count, make) {
  return Array.from({ length: count }, () => make());
}
