/** What benchmarks of executors have in common. @module */

/** `count` jobs in a row, and a hundred at a time; `job(i)` does one. */
export const loadsOf = (count) => ({
  "one at a time": async (job) => {
    for (let i = 0; i < count; i++) await job(i);
  },
  "100 at a time": async (job) => {
    for (let i = 0; i < count; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => job(i + k)));
  },
});

/** The one in the middle. */
export const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
