/** The executors, on the built package: their suite is a program of its own, since workers import what is built. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { build, hasRedis } from "../examples/program.ts";

beforeAll(build);

test("the suite over all executors passes", async () => {
  const suite = fileURLToPath(new URL("./suite.mjs", import.meta.url));
  const child = spawn(process.execPath, ["--test", "--test-reporter=tap", suite], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, output).toBe(0);
  // Without Redis, those of BullExecutor are left out.
  expect(/^# pass (\d+)$/m.exec(output)?.[1]).toBe(hasRedis ? "83" : "65");
});
