// hello.async.mjs as a generator function: `function*` for `async`, `yield*` for `await`.

import * as asyncio from "asyncio-ts";

await asyncio.run(function* () {
  console.log("Hello");
  yield* asyncio.sleep(1);
  console.log("World");
});
