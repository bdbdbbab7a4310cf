// workers.async.mjs as generator functions.

import * as asyncio from "asyncio-ts";

/**
 * @param {string} name
 * @param {number} delay in seconds
 */
function* worker(name, delay) {
  console.log(`${name} started`);
  yield* asyncio.sleep(delay);
  console.log(`${name} finished`);
}

await asyncio.run(function* () {
  yield* asyncio.gather(worker("Task 1", 5), worker("Task 2", 3), worker("Task 3", 1));
});
