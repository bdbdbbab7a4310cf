/** The tests that hold for the corpora of every language. @module */

import { readFileSync } from "node:fs";
import { VirtualHost } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { reasonFor } from "./known-differences.ts";
import type { Program } from "./program.ts";
import { parseCorpus } from "./program.ts";
import type { Interpreter } from "./run.ts";
import { checkAll, describe as inWords, firstDifference, traceOf } from "./run.ts";

/** The programs of a file. */
export interface Corpus {
  readonly name: string;
  readonly programs: readonly Program[];
}

/** Reads the corpora `names` of the language in the folder of `url`. */
export function readCorpora(url: string, names: readonly string[]): Corpus[] {
  return names.map((name) => {
    return { name, programs: parseCorpus(readFileSync(new URL(`./corpus/${name}.jsonl`, url), "utf8")) };
  });
}

/** A platform that cannot run microtasks in the middle of a turn, as a browser. */
class PlainHost extends VirtualHost {
  override drainMicrotasks(): boolean {
    return false;
  }
}

/** Runs `corpora` with each of the interpreters. */
export function testCorpora(corpora: readonly Corpus[], interpreters: readonly Interpreter[]): void {
  describe.each(interpreters)("written with $syntax", (interpreter) => {
    test.each(corpora)("programs of the $name corpus do what they do on CPython", async ({ programs }) => {
      const differences: string[] = [];
      for await (const result of checkAll(programs, interpreter)) {
        const { program, difference } = result;
        if (difference === null || reasonFor(result, interpreter) !== null) continue;
        differences.push(`${program.id}: ${inWords(difference)}`);
      }
      expect(differences).toEqual([]);
    });

    test("programs do the same where promises have to wait for the end of a turn", async () => {
      const differing: string[] = [];
      for (const program of corpora.flatMap(({ programs }) => programs)) {
        const trace = await traceOf(program, interpreter, new PlainHost());
        if (firstDifference(await traceOf(program, interpreter), trace) !== null) differing.push(program.id);
      }
      expect(differing).toEqual([]);
    });
  });
}
