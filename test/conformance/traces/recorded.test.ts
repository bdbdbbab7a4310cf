/** Each golden trace has its Python program, its recording, and its program here. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recordedNames } from "./recorded.ts";

/** What `pattern` finds in the files of a folder, in order. */
function namesIn(folder: string, extension: string, pattern: RegExp): string[] {
  const files = readdirSync(new URL(folder, import.meta.url)).filter((file) => file.endsWith(extension));
  const texts = files.map((file) => readFileSync(new URL(folder + file, import.meta.url), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]!)).toSorted();
}

test("every Python program is recorded, and nothing else", () => {
  expect(recordedNames().toSorted()).toEqual(namesIn("python/", ".py", /^(?:async )?def ([A-Z]\d\d_\w+)/gm));
});

test("every recorded program stands here once", () => {
  expect(namesIn("./", ".test.ts", /^golden\w*\(\s*"(\w+)",/gm)).toEqual(recordedNames().toSorted());
});
