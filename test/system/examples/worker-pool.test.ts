/** examples/worker-pool.mjs */

import { beforeAll, expect, test } from "vitest";
import { build, IN_GOOD_ORDER, Program } from "./program.ts";

beforeAll(build);

test("every job is done, or it is said why not", async () => {
  const pool = new Program("--import", "./examples/virtual-clock.mjs", "examples/worker-pool.mjs");
  const lines = await pool.lines.rest();
  const withoutNames = lines.map((line) => line.replace(/, by worker \d/, ""));
  expect(withoutNames).toEqual([
    "1: 1",
    "2: 4",
    "3: 9",
    "4: too slow",
    "5: 25",
    "6: 36",
    "7: failed: seven",
    "8: 64",
    "9: 81",
  ]);
  expect(await pool.end()).toEqual(IN_GOOD_ORDER);
});
