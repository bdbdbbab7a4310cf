/** Random programs of scopes, groups, channels and limiters do here what they do on trio, in both syntaxes. See README.md. */

import { readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { SYNTAXES } from "../../unit/syntaxes.ts";
import type { Statement, Traces } from "./interpreter.ts";
import { run } from "./interpreter.ts";

/** A program, and all that it may do on trio, which draws lots about who is first. */
interface Recorded {
  readonly seed: number;
  readonly program: readonly Statement[];
  readonly outcomes: readonly Traces[];
}

const path = process.env["TRIO_RECORDING"] ?? new URL("./recorded.json", import.meta.url);
const recorded = JSON.parse(readFileSync(path, "utf8")) as readonly Recorded[];

/** Numbers as JavaScript writes them, and the tasks in the order of their names. */
function normalized(traces: Traces): string {
  const entries = Object.entries(traces).map(([task, lines]) => [
    task,
    lines.map((line) => line.replaceAll(/\d+\.\d+/g, (number) => String(Number(number)))),
  ]);
  return JSON.stringify(
    entries.toSorted(([a], [b]) => (a! < b! ? -1 : 1)),
    null,
    1,
  );
}

describe.each(SYNTAXES)("in %s", (_name, syntax) => {
  test(`${recorded.length} programs do what they do on trio`, async () => {
    const wrong: unknown[] = [];
    for (const { seed, program, outcomes } of recorded) {
      const loopFactory = (): asyncio.BaseEventLoop => new asyncio.BaseEventLoop(new VirtualHost());
      // oxlint-disable-next-line no-await-in-loop -- one loop after the other
      const traces = await asyncio.run(() => syntax(run)(syntax, program) as Promise<Traces>, { loopFactory });
      const known = outcomes.map(normalized);
      const actual = normalized(traces);
      if (!known.includes(actual)) wrong.push({ seed, program: JSON.stringify(program), trio: known, here: actual });
    }
    expect(wrong).toEqual([]);
  });
});
