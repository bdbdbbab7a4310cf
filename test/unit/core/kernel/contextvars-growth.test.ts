/** Contexts of many variables: a copy, and a change to it, share what has not changed. */

import * as asyncio from "asyncio-ts";
import { expect, test } from "vitest";

const gc = (globalThis as { gc?: () => void }).gc!;

/** Copies that differ in one variable each. */
interface Copies {
  readonly variables: readonly asyncio.ContextVar<number>[];
  readonly contexts: readonly asyncio.Context[];
  /** What they hold, in bytes. */
  readonly bytes: number;
}

/** Makes `count` variables, and after each `set` a copy of the context that is kept. */
function copy(count: number): Copies {
  const variables = Array.from({ length: count }, (_, i) => new asyncio.ContextVar<number>(`variable ${i}`));
  const contexts: asyncio.Context[] = [];
  gc();
  const before = process.memoryUsage().heapUsed;
  asyncio.copyContext().run(() => {
    for (const [i, variable] of variables.entries()) {
      variable.set(i);
      contexts.push(asyncio.copyContext());
    }
  });
  gc();
  return { variables, contexts, bytes: process.memoryUsage().heapUsed - before };
}

test("H7: 4,000 variables, with a copy after each ContextVar.set(), hold little more than four times 1,000", () => {
  copy(100);
  const [few, many] = [copy(1000), copy(4000)];
  // Each copy by itself would make it sixteen times as much.
  expect(many.bytes / few.bytes).toBeLessThan(8);
  const [first, last] = [many.contexts[0]!, many.contexts.at(-1)!];
  expect([first.size, last.size]).toEqual([1, 4000]);
  expect(many.variables.map((variable) => last.get(variable))).toEqual(many.variables.map((_, i) => i));
  expect(first.get(many.variables[1]!)).toBeUndefined();
});
