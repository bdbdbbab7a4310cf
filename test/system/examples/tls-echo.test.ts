/** examples/tls-echo.mjs */

import { beforeAll, expect, test } from "vitest";
import { build, IN_GOOD_ORDER, Program } from "./program.ts";

beforeAll(build);

test("the echo goes from the clear to TLS", async () => {
  const echo = new Program("examples/tls-echo.mjs");
  expect(await echo.lines.rest()).toEqual(["hello in the clear", "hello under TLS", "with TLSv1.3"]);
  expect(await echo.end()).toEqual(IN_GOOD_ORDER);
});
