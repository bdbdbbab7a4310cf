/** What the benchmark has done elsewhere. */

import { createHash } from "node:crypto";

export const increment = (n) => n + 1;

/** Takes some milliseconds of a processor. */
export function hash(rounds) {
  const data = Buffer.alloc(1 << 20, 1);
  let digest = "";
  for (let i = 0; i < rounds; i++) digest = createHash("sha256").update(data).update(digest).digest("hex");
  return digest;
}
