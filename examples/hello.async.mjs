// Python's first asyncio program: print, wait one second without blocking anybody, print again.
//
// async def main():
//     print("Hello"); await asyncio.sleep(1); print("World")

import * as asyncio from "asyncio-ts";

await asyncio.run(async () => {
  console.log("Hello");
  await asyncio.sleep(1);
  console.log("World");
});
