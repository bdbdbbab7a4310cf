// An error is caught where it happens, with `try` and `catch`: the worker goes on, and its neighbour never hears of it.
//
// try: await fetch_page(name)
// except ConnectionError as error: print(f"{name} caught: {error}")

import * as asyncio from "asyncio-ts";

/** @param {string} name */
async function fetchPage(name) {
  await asyncio.sleep(1);
  if (name === "Task 1") throw new Error("no connection");
}

/** @param {string} name */
async function worker(name) {
  console.log(`${name} started`);
  try {
    await fetchPage(name);
  } catch (error) {
    asyncio.rethrowIfCancelled(error); // JavaScript's `catch` catches everything; this lets a cancellation pass
    console.log(`${name} caught: ${error.message}`);
  }
  await asyncio.sleep(1);
  console.log(`${name} finished`);
}

await asyncio.run(async () => {
  await asyncio.gather(worker("Task 1"), worker("Task 2"));
});
