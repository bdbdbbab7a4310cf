import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../../.generated/", import.meta.url);

const examples = readdirSync(folder).map((file) => {
  const [place = ""] = readFileSync(new URL(file, folder), "utf8").split("\n", 1);
  return { file, place: place.replace("// ", "") };
});

test("the documentation has examples", () => {
  expect(examples.length).toBeGreaterThan(10);
});

test.each(examples)("the example at $place runs", async ({ file }) => {
  await import(/* @vite-ignore */ new URL(file, folder).href);
});
