/** The ways in which a language's coroutines are written. @module */

import type * as asyncio from "asyncio-ts";
import * as asyncFunctions from "./async-functions.ts";
import * as generators from "./generators.ts";
import type { KnownDifference } from "./known-differences.ts";
import type { Program } from "./program.ts";
import type { Interpreter } from "./run.ts";
import type { Ops, OpTable, World } from "./world.ts";

/** What a language brings. */
export interface Language {
  readonly instantOps: OpTable;
  /** The ops that may wait, in each syntax. */
  readonly inGenerators: OpTable;
  readonly inAsyncFunctions: OpTable;
  readonly knownDifferences: readonly KnownDifference[];
  makeWorld(program: Program, ops: Ops, host: asyncio.Host): World;
}

/**
 * The interpreters of a language: all coroutines are generator functions; all are async functions; `mixed`: a coroutine
 * is what the last digit of its name says, and each kind waits for the other.
 */
export function interpretersOf(language: Language): readonly [Interpreter, Interpreter, Interpreter] {
  const tables = {
    instant: language.instantOps,
    inGenerators: { ...generators.commonOps, ...language.inGenerators },
    inAsyncFunctions: { ...asyncFunctions.commonOps, ...language.inAsyncFunctions },
  };
  const make = (syntax: Interpreter["syntax"], coroutine: Ops["coroutine"]): Interpreter => ({
    syntax,
    knownDifferences: language.knownDifferences,
    makeWorld: (program, host) => language.makeWorld(program, { ...tables, coroutine }, host),
  });
  return [
    make("generators", generators.coroutine),
    make("async", asyncFunctions.coroutine),
    make("mixed", (world, block, name) => (isOdd(name) ? generators : asyncFunctions).coroutine(world, block)),
  ];
}

function isOdd(name: string): boolean {
  return /[13579]$/.test(name);
}
