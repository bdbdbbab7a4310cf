/** What the workers of `executors.mjs` do. */

import * as asyncio from "asyncio-ts";

export const double = (n) => 2 * n;
export const fail = () => {
  throw new RangeError("out of range");
};
export const spin = () => {
  for (;;);
};
export async function steps(count) {
  const { progress } = asyncio.currentJob();
  for (let i = 0; i < count; i++) {
    progress(i);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return "done";
}
