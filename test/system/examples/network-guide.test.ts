/** docs/network.md: its examples print what stands behind them. That they run is tested with all other documentation. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

const folder = new URL("../../.generated/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.startsWith("docs-network-"));

/** `console.log(...); // what it prints` */
const PROMISE = /console\.log\(.*\); \/\/ (.*)$/gm;

test.each(files)("%s prints what it promises", async (file) => {
  const url = new URL(file, folder);
  const promised = [...readFileSync(url, "utf8").matchAll(PROMISE)].map(([, text]) => text);
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
    printed.push(values.join(" ").replaceAll("\n", "\\n"));
  });
  try {
    await import(/* @vite-ignore */ url.href);
  } finally {
    log.mockRestore();
  }
  expect(promised).not.toEqual([]);
  expect(printed).toEqual(promised);
});
