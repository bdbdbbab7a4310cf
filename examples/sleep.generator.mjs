// sleep.async.mjs as generator functions. Calling one starts nothing; `gather` makes a task of each.

import * as asyncio from "asyncio-ts";

function* sleeper() {
  console.log("sleeper: good night");
  yield* asyncio.sleep(2);
  console.log("sleeper: good morning");
}

function* counter() {
  for (const number of [1, 2, 3]) {
    yield* asyncio.sleep(0.5);
    console.log(`counter: ${number}`);
  }
}

await asyncio.run(function* () {
  yield* asyncio.gather(sleeper(), counter());
});
