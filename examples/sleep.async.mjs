// A sleep holds up nobody but the one who sleeps: while the sleeper waits two seconds, the counter counts.
//
// await asyncio.gather(sleeper(), counter())

import * as asyncio from "asyncio-ts";

async function sleeper() {
  console.log("sleeper: good night");
  await asyncio.sleep(2);
  console.log("sleeper: good morning");
}

async function counter() {
  for (const number of [1, 2, 3]) {
    await asyncio.sleep(0.5);
    console.log(`counter: ${number}`);
  }
}

await asyncio.run(async () => {
  await asyncio.gather(sleeper(), counter());
});
