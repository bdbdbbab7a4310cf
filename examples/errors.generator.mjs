// errors.async.mjs as generator functions: an error passes through `yield*` as it does through `await`.

import * as asyncio from "asyncio-ts";

/** @param {string} name */
function* fetchPage(name) {
  yield* asyncio.sleep(1);
  if (name === "Task 1") throw new Error("no connection");
}

/** @param {string} name */
function* worker(name) {
  console.log(`${name} started`);
  try {
    yield* fetchPage(name);
  } catch (error) {
    asyncio.rethrowIfCancelled(error); // JavaScript's `catch` catches everything; this lets a cancellation pass
    console.log(`${name} caught: ${error.message}`);
  }
  yield* asyncio.sleep(1);
  console.log(`${name} finished`);
}

await asyncio.run(function* () {
  yield* asyncio.gather(worker("Task 1"), worker("Task 2"));
});
