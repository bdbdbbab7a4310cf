// A pool of workers: jobs in a queue, a few workers who take them, a deadline for each job and one for all.
//
//   npm run build
//   node examples/worker-pool.mjs
//
// It shows a bounded queue that holds back who fills it, the end of a queue as the end of its workers, a timeout around
// one job, and a task group that leaves nobody behind. No job is lost: each is done, or it is said why not.

import * as asyncio from "asyncio-ts";

const WORKERS = 3;
const SECONDS_FOR_ONE = 0.1;
const SECONDS_FOR_ALL = 5;

/** One job: the square of a number, for which the number 4 takes too long and 7 is bad luck. */
async function square(number) {
  if (number === 7) throw new RangeError("seven");
  await asyncio.sleep(number === 4 ? 3600 : 0.01);
  return number * number;
}

/** Takes jobs until there are no more. */
async function worker(name, jobs, results) {
  for await (const number of jobs) {
    try {
      const result = await asyncio.timeout(SECONDS_FOR_ONE, async () => await square(number));
      results.set(number, `${result}, by ${name}`);
    } catch (error) {
      asyncio.rethrowIfCancelled(error);
      results.set(number, error instanceof asyncio.TimeoutError ? "too slow" : `failed: ${error.message}`);
    } finally {
      jobs.taskDone();
    }
  }
}

async function main() {
  const jobs = new asyncio.Queue(WORKERS); // no more wait than can be worked on next
  const results = new Map();
  await asyncio.timeout(SECONDS_FOR_ALL, async () => {
    await asyncio.taskGroup(async (group) => {
      for (let i = 1; i <= WORKERS; i++) group.createTask(() => worker(`worker ${i}`, jobs, results));
      for (let number = 1; number <= 9; number++) await jobs.put(number);
      jobs.shutdown(); // the workers finish what is there, and end
    });
  });
  for (const [number, result] of [...results].toSorted(([a], [b]) => a - b)) console.log(`${number}: ${result}`);
}

await asyncio.run(main);
