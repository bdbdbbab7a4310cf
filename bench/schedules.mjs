/**
 * `npm run bench:schedules`: how many schedules a second `explore` runs, beside fast-check's `scheduler`, the search through
 * orders that TypeScript has; and what each of them can find. The scenario has four tasks of ten steps.
 *
 * fast-check orders the promises that it is given. So its program is written for it: each wait is a `scheduler.schedule`.
 * What waits in any other way, as every library does, runs in one order only, and what is wrong there is not found.
 *
 * @module
 */

import * as fc from "fast-check";
import * as asyncio from "asyncio-ts";
import { explore } from "asyncio-ts/testing";

const TASKS = 4;
const STEPS = 10;
const ROUNDS = 5;
const SCHEDULES = 2000;

/** Each task waits at every step; `mark(task, step)` runs behind each wait. */
function tasks(step, mark) {
  return Array.from({ length: TASKS }, (_, task) => async () => {
    for (let i = 0; i < STEPS; i++) {
      await step();
      mark(task, i);
    }
  });
}

/** The bug: the last task must not take its fifth step between the first task's fourth and fifth, and after its ninth. */
function makeBug() {
  const done = new Array(TASKS).fill(-1);
  let isBroken = false;
  const mark = (task, step) => {
    done[task] = step;
    if (task === TASKS - 1 && step === 4 && done[0] === 8 && done[1] < 3) isBroken = true;
  };
  return { mark, check: () => (isBroken ? Promise.reject(new Error("the bug")) : undefined) };
}

const NO_BUG = () => ({ mark() {}, check() {} });

/** Each runs the scenario with a bug that `make` makes anew, and says how many schedules it took to find; `null` if all ran. */
const withExplore = {
  name: "explore",
  async run(make, runs, seed) {
    const body = async () => {
      const { mark, check } = make();
      await asyncio.gather(tasks(() => asyncio.sleep(0), mark).map((task) => asyncio.createTask(task)));
      await check();
    };
    const { failure, schedules } = await explore(body, { order: "any", policy: "random", runs, seed, shrinkRuns: 0 });
    return failure === null ? null : schedules;
  },
};

const withFastCheck = {
  name: "fast-check",
  async run(make, runs, seed) {
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { mark, check } = make();
      const all = tasks(() => scheduler.schedule(Promise.resolve()), mark).map((task) => task());
      await scheduler.waitFor(Promise.all(all));
      await check();
    });
    const { failed, numRuns } = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
    return failed ? numRuns : null;
  },
};

/** The same bug in code that fast-check was not told of: it waits for the library, as any program does. */
const withFastCheckUnseen = {
  name: "fast-check, the program's own waits",
  async run(make, runs, seed) {
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { mark, check } = make();
      await scheduler.waitFor(
        asyncio.run(() => asyncio.gather(tasks(() => asyncio.sleep(0), mark).map((task) => asyncio.createTask(task)))),
      );
      await check();
    });
    const { failed, numRuns } = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
    return failed ? numRuns : null;
  },
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function speedOf({ run }, seed) {
  const start = performance.now();
  await run(NO_BUG, SCHEDULES, seed);
  return SCHEDULES / ((performance.now() - start) / 1000);
}

const speeds = { explore: [], "fast-check": [] };
for (let round = 0; round <= ROUNDS; round++) {
  for (const subject of [withExplore, withFastCheck]) {
    const speed = await speedOf(subject, round + 1);
    // The first round warms up.
    if (round > 0) speeds[subject.name].push(speed);
  }
}
const [ours, theirs] = [median(speeds.explore), median(speeds["fast-check"])];
console.log(`explore: ${Math.round(ours)} schedules a second`);
console.log(
  `fast-check: ${Math.round(theirs)} schedules a second (explore: ${(ours / theirs).toFixed(2)} times as many)`,
);
for (const subject of [withExplore, withFastCheck, withFastCheckUnseen]) {
  const needed = [];
  for (let seed = 1; seed <= 5; seed++) needed.push((await subject.run(makeBug, SCHEDULES, seed * 1009)) ?? Infinity);
  const found = median(needed);
  const text = found === Infinity ? `not found in ${SCHEDULES} schedules` : `found after ${found} schedules`;
  console.log(`${subject.name}: the bug is ${text} (the middle of five searches)`);
}
