// Three workers at once: all start together, the shortest finishes first, and five seconds are enough for all.
//
// await asyncio.gather(worker("Task 1", 5), worker("Task 2", 3), worker("Task 3", 1))

import * as asyncio from "asyncio-ts";

/**
 * @param {string} name
 * @param {number} delay in seconds
 */
async function worker(name, delay) {
  console.log(`${name} started`);
  await asyncio.sleep(delay);
  console.log(`${name} finished`);
}

await asyncio.run(async () => {
  await asyncio.gather(worker("Task 1", 5), worker("Task 2", 3), worker("Task 3", 1));
});
