/** What becomes of a test whose program is missing. */

import { describe, expect, test } from "vitest";
import { verdictOn } from "./programs.ts";

const unheardOf = { command: "no-program-has-this-name", debianPackage: "no-such-package" };
const node = { command: "node", debianPackage: "nodejs" };
const { PATH } = process.env;

describe("a test that needs a program", () => {
  test("runs if the program is on the path", () => {
    expect(verdictOn([node], { PATH })).toEqual({ kind: "run" });
  });

  test("fails in CI without it, and says which Debian package to install", () => {
    const verdict = verdictOn([node, unheardOf], { PATH, CI: "true" });
    expect(verdict).toMatchObject({
      kind: "fail",
      reason: expect.stringMatching(/no-program.*Debian package no-such-package/),
    });
  });

  test("is skipped elsewhere", () => {
    expect(verdictOn([unheardOf], { PATH })).toMatchObject({ kind: "skip" });
    expect(verdictOn([node], {})).toMatchObject({ kind: "skip" });
  });

  test("is not fooled by another program of the same name", () => {
    const proof = { args: ["--version"], output: /^some other program/ };
    expect(verdictOn([{ ...node, proof }], { PATH })).toMatchObject({ kind: "skip" });
  });
});
